import ModelBundle
import Primitives
import Rollouts
import TUF

/// Checks whether a rollout may be created, and makes the controller's first state.
struct RolloutCreation {
    let request: RolloutRequest
    let records: any RegistryRecords
    let blobs: any BlobStoring
    let now: UTCTime

    func state() throws(RegistryError) -> ControllerState {
        var shelf = try ModelShelf(request.model, in: records, blobs: blobs)
        let last = try PlanPublisher.published(
            request.model, request.channel, in: records, blobs: blobs)
        guard let listed = shelf.policy(request.candidate, name: request.policy) else {
            let path = TargetPath.policy(
                of: request.model, request.candidate, name: request.policy)
            throw .refusedByPolicy(["policy '\(path)': expected one that is live, got none"])
        }
        let baseline = Self.baseline(after: last)
        let problems = try problems(listed.policy, &shelf, last: last, baseline: baseline)
        guard problems.isEmpty else { throw .refusedByPolicy(problems) }
        do {
            return try ControllerState(
                creating: listed.policy,
                reference: Plan.PolicyReference(path: listed.path, sha256: listed.sha256),
                channel: request.channel, baseline: baseline, after: last,
                lifts: shelf.listing.lifts)
        } catch {
            throw .refusedByPolicy(["\(error)"])
        }
    }

    /// What the channel's devices are on once its last rollout has ended.
    private static func baseline(after last: Plan?) -> BundleReference? {
        guard let last else { return nil }
        return last.state == .completed ? last.candidate : last.baseline
    }

    private func problems(
        _ policy: Policy, _ shelf: inout ModelShelf, last: Plan?, baseline: BundleReference?
    ) throws(RegistryError) -> [String] {
        var problems: [String] = []
        if request.isInitial != (baseline == nil) {
            problems.append(
                request.isInitial
                    ? "initial: expected a channel without a release, got one on \(baseline?.version.description ?? "")"
                    : "baseline: expected a completed release in channel '\(request.channel)', got none; "
                        + "a first release is created with 'initial' (by the CLI '--initial')")
        }
        if shelf.bundles[request.candidate] != policy.candidate {
            problems.append(
                "candidate: expected the live bundle that the policy names, \(policy.candidate), "
                    + "got \(shelf.bundles[request.candidate].map { "\($0)" } ?? "none")")
        }
        var context = try fleet()
        context.manifests = shelf.listing.manifests
        context.withdrawn = (last?.withdrawn ?? []).filter {
            !$0.isLifted(by: shelf.listing.lifts, of: request.model)
        }
        context.rollbackFloor = try baseline.flatMap { (bundle) throws(RegistryError) in
            try shelf.manifest(bundle)
        }?.rollbackFloor
        context.now = now
        return problems + policy.problems(in: context).map(\.description)
    }

    /// The regions, device classes and labels there are; nothing is known of a fleet without devices.
    private func fleet() throws(RegistryError) -> PolicyContext {
        let fleet = try records.subscribers(model: request.model, channel: request.channel)
            .map(\.attributes)
        guard !fleet.isEmpty else { return PolicyContext() }
        return PolicyContext(
            regions: Set(fleet.map(\.region)), deviceClasses: Set(fleet.map(\.deviceClass)),
            labels: Set(fleet.flatMap(\.labels)))
    }
}
