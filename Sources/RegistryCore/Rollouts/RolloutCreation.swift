import Primitives
import Rollouts
import TUF

/// Checks whether a rollout may be created, and makes the controller's first state.
struct RolloutCreation {
    let request: RolloutRequest
    let records: any RegistryRecords
    let blobs: any BlobStoring
    let now: UTCTime

    /// - Throws: `.refusedByPolicy` with all problems; where there are none, `.notAcknowledged` with all warnings that
    ///   the request does not acknowledge.
    func made() throws(RegistryError) -> (state: ControllerState, acknowledged: [String]) {
        let ground = try RolloutGround(
            request.model, request.channel, turnsPerDay: request.turnsPerDay, in: records,
            blobs: blobs, at: now)
        var problems = initialProblems(ground.baseline)
        guard let listed = ground.shelf.policy(request.candidate, name: request.policy) else {
            let path = TargetPath.policy(
                of: request.model, request.candidate, name: request.policy)
            problems.insert("policy '\(path)': expected one that is live, got none", at: 0)
            throw .refusedByPolicy(problems + ground.problems(of: request.candidate))
        }
        problems += ground.problems(of: listed.policy)
        guard problems.isEmpty else { throw .refusedByPolicy(problems) }
        let warnings = ground.warnings(of: listed.policy)
        guard warnings.isEmpty || request.acknowledges else { throw .notAcknowledged(warnings) }
        do {
            let state = try ControllerState(
                creating: listed.policy,
                reference: Plan.PolicyReference(path: listed.path, sha256: listed.sha256),
                channel: request.channel, baseline: ground.baseline, after: ground.last,
                lifts: ground.shelf.listing.lifts)
            return (state, warnings)
        } catch {
            throw .refusedByPolicy(["\(error)"])
        }
    }

    /// Whether the request says rightly that this is the channel's first release.
    private func initialProblems(_ baseline: BundleReference?) -> [String] {
        guard request.isInitial != (baseline == nil) else { return [] }
        return [
            baseline.map {
                "initial: expected a channel without a release, got one on \($0.version)"
            }
                ?? "baseline: expected a completed release in channel '\(request.channel)', got none; "
                + "a first release is created with 'initial' (by the CLI '--initial')"
        ]
    }
}
