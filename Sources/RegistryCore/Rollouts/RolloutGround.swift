import ModelBundle
import Primitives
import Rollouts
import TUF

/// What a policy is held against before a rollout: what is signed, the channel's last plan, withdrawals, the fleet.
///
/// `create` and `check` ask the same here, so that a check tells what a creation would.
struct RolloutGround {
    let model: ModelName
    let channel: ChannelName
    let shelf: ModelShelf
    /// The channel's plan in force.
    let last: Plan?
    /// What the channel's devices are on once its last rollout has ended.
    let baseline: BundleReference?
    let fleet: [Subscriber]
    private let usage: FleetUsage
    private let context: PolicyContext

    init(
        _ model: ModelName, _ channel: ChannelName, turnsPerDay: Int64?,
        in records: any RegistryRecords, blobs: any BlobStoring, at now: UTCTime
    ) throws(RegistryError) {
        self.model = model
        self.channel = channel
        var shelf = try ModelShelf(model, in: records, blobs: blobs)
        let last = try PlanPublisher.published(model, channel, in: records, blobs: blobs)
        let baseline = last.flatMap { $0.state == .completed ? $0.candidate : $0.baseline }
        let fleet = try records.subscribers(model: model, channel: channel)
        var context = Self.context(of: fleet.map(\.attributes))
        context.manifests = shelf.listing.manifests
        context.withdrawn = try Self.withdrawn(model, last, shelf.listing.lifts, in: records)
        context.rollbackFloor = try baseline.flatMap { (bundle) throws(RegistryError) in
            try shelf.manifest(bundle)
        }?.rollbackFloor
        context.now = now
        self.shelf = shelf
        self.last = last
        self.baseline = baseline
        self.fleet = fleet
        usage = try FleetUsage(given: turnsPerDay, fleet: fleet, model: model, in: records)
        self.context = context
    }

    /// The names that devices have; nothing is known of a fleet without devices.
    private static func context(of fleet: [DeviceAttributes]) -> PolicyContext {
        guard !fleet.isEmpty else { return PolicyContext() }
        var context = PolicyContext(
            regions: Set(fleet.map(\.region)), deviceClasses: Set(fleet.map(\.deviceClass)),
            labels: Set(fleet.flatMap(\.labels)), locales: Set(fleet.map(\.locale)))
        let kinds = fleet.map { device in
            DeviceAttributes(
                number: 0, region: device.region, deviceClass: device.deviceClass,
                labels: device.labels, locale: device.locale)
        }
        context.fleet = Array(Set(kinds))
        return context
    }

    /// The withdrawals of any channel of the model that no lift undoes.
    private static func withdrawn(
        _ model: ModelName, _ last: Plan?, _ lifts: [Lift], in records: any RegistryRecords
    ) throws(RegistryError) -> [Withdrawal] {
        let plans = try records.rollouts(of: model).map(\.state.plan)
        return (plans + [last].compactMap(\.self)).flatMap(\.withdrawn).filter {
            !$0.isLifted(by: lifts, of: model)
        }
    }

    /// Everything that stands against a rollout under a policy.
    ///
    /// `isUnderWay`: while the channel's last rollout has not ended nobody knows what it will leave the devices on, so
    /// whether the policy fits that is not looked at.
    func problems(
        of policy: Policy, isPublished: Bool = true, isUnderWay: Bool = false
    ) -> [String] {
        var context = context
        if !isPublished { context.manifests = nil }
        if isUnderWay { context.rollbackFloor = nil }
        var problems = policy.problems(in: context).map(\.description)
        guard !isUnderWay else { return problems }
        let refusals = ControllerState.refusals(
            creating: policy, channel: channel, baseline: baseline, after: last,
            lifts: shelf.listing.lifts)
        for refusal in refusals {
            // Told by the policy's own problems, for the withdrawals of all channels.
            if case .candidateWithdrawn = refusal { continue }
            problems.append(refusal.description)
        }
        return problems
    }

    /// What stands against a version whose policy is not there.
    func problems(of version: SemanticVersion) -> [String] {
        guard let bundle = shelf.bundles[version] else {
            return ["candidate: expected a bundle that is live, got none of version \(version)"]
        }
        return context.problems(of: bundle).map(\.description)
    }

    /// The stages that can never show what their policy asks for, with the devices that follow the channel, and those
    /// whose approval one person alone can sign.
    func warnings(of policy: Policy) -> [String] {
        StageForecast(policy, channel: channel, fleet: fleet, usage: usage).warnings
            + loneApprovals(policy)
    }

    private func loneApprovals(_ policy: Policy) -> [String] {
        guard shelf.threshold.count == 1 else { return [] }
        return policy.stages.filter { $0.promote == .signed }.map { stage in
            "stage '\(stage.name)': expected two people to sign its approval (promote: signed), "
                + "got role '\(RoleName.model(model))' with a threshold of 1: one signature is enough"
        }
    }
}
