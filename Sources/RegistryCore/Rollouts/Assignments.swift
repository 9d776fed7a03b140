import ModelBundle
package import Primitives
package import Rollouts
import TUF
import Telemetry

/// Answers `decide` for a device from what the registry knows of it, and says how old that is.
package struct Assignments: Sendable {
    /// A decision with the knowledge it was made on.
    package struct Answer: Sendable, Hashable {
        package let decision: Decision
        package let attributes: DeviceAttributes
        package let attributesReceived: UTCTime
        /// When the device was last heard; nil where it never was.
        package let heard: UTCTime?
        /// What only the device knows and was taken for granted here.
        package let assumed: [String]
        package let now: UTCTime
        /// The stage that is taken to have begun, and when it could; nil where the plan in force was asked about.
        package let preview: Preview?

        package struct Preview: Sendable, Hashable {
            package let stage: AttributeName
            package let at: UTCTime
        }

        package var json: JSON {
            var fields = decision.json.object ?? [:]
            fields["preview"] = preview.map {
                ["stage": .string($0.stage.description), "at": .integer($0.at.seconds)]
            }
            fields["attributes"] = attributes.json
            fields["attributes_age_s"] = .integer(now - attributesReceived)
            fields["heard_age_s"] = heard.map { .integer(now - $0) }
            fields["assumed"] = .array(assumed.map { .string($0) })
            return .object(fields)
        }
    }

    private let store: any RegistryStoring
    private let blobs: any BlobStoring

    package init(store: any RegistryStoring, blobs: any BlobStoring) {
        self.store = store
        self.blobs = blobs
    }

    /// What a device decides now or, with a stage, once that has begun.
    ///
    /// - Throws: `.notFound` for an unknown device, model or stage; `.stateConflict` for a stage of a rollout that has ended;
    ///   `.forbidden` without `read`.
    package func decide(
        for id: DeviceID, _ model: ModelName, _ channel: ChannelName,
        stage: AttributeName? = nil, by actor: Principal, at now: UTCTime
    ) throws(RegistryError) -> Answer {
        try authorise(actor, .read, on: .model(model))
        return try store.read { (records) throws(RegistryError) in
            guard let device = try records.device(id) else {
                throw .notFound("device", id.description)
            }
            var shelf = try ModelShelf(model, in: records, blobs: blobs)
            var plan = try PlanPublisher.published(model, channel, in: records, blobs: blobs)
            var moment = now
            var preview: Answer.Preview?
            if let stage {
                let next = try Self.preview(stage, model, channel, in: records, at: now)
                plan = next.plan
                moment = next.at
                preview = Answer.Preview(stage: stage, at: next.at)
            }
            let knowledge = DeviceKnowledge(
                device: device, model: model, records: records, now: now)
            var facts = try knowledge.facts(channel: channel, plan: plan, &shelf)
            var listing = shelf.listing
            var assumed = DeviceKnowledge.assumed
            if let plan, preview != nil {
                let expired = facts.freshness.expiredOfflineRoles
                facts.freshness = DeviceFacts.Freshness(
                    timestampSigned: moment, timestampExpires: moment + 1,
                    expiredOfflineRoles: expired)
                listing.approvals += Self.approvals(of: plan, in: listing)
                assumed.append("verdicts, orders and approvals that the stage waits for")
            }
            let decision = Rollouts.decide(
                plan: plan.map { .plan($0) } ?? .none, listing: listing, device: facts,
                now: moment)
            return Answer(
                decision: decision, attributes: device.attributes,
                attributesReceived: device.attributesReceived,
                heard: try records.hearing(id)?.at, assumed: assumed, now: now, preview: preview)
        }
    }

    private static func preview(
        _ stage: AttributeName, _ model: ModelName, _ channel: ChannelName,
        in records: any RegistryRecords, at now: UTCTime
    ) throws(RegistryError) -> (plan: Plan, at: UTCTime) {
        guard let rollout = try records.rollout(model, channel) else {
            throw .notFound("rollout", "\(model)/\(channel)")
        }
        let stages = rollout.state.policy.stages
        guard let index = stages.firstIndex(where: { $0.name == stage }) else {
            throw .notFound("stage", stage.description)
        }
        guard !rollout.isOver else {
            throw .stateConflict(
                order: "preview",
                reason: "rollout: expected one that has not ended, got \(rollout.stateWord)")
        }
        var census = FleetCensus()
        for device in try records.subscribers(model: model, channel: channel) {
            let candidate = rollout.state.plan.candidate.sha256
            census.add(device.attributes, bucket: Bucket(of: device.device, candidate: candidate))
        }
        return rollout.state.preview(ofStage: index, census: census, at: now)
    }

    /// The approvals of all begun stages that need one.
    private static func approvals(of plan: Plan, in listing: Listing) -> [Approval] {
        let listed = listing.policies.first {
            $0.path == plan.policy.path && $0.sha256 == plan.policy.sha256
        }
        return (listed?.policy.stages.prefix(plan.stages.count) ?? [])
            .filter { $0.promote == .signed }
            .map { Approval(model: plan.model, policy: plan.policy.sha256, stage: $0.name) }
    }
}

/// The facts that `decide` needs, as far as a device's reports tell them.
struct DeviceKnowledge {
    /// What the device does not report, and is taken as it would least stand in the way.
    static let assumed = ["hardware", "withdrawals seen", "metadata as fresh as the registry's"]

    let device: DeviceRecord
    let model: ModelName
    let records: any RegistryRecords
    let now: UTCTime

    func facts(
        channel: ChannelName, plan: Plan?, _ shelf: inout ModelShelf
    ) throws(RegistryError) -> DeviceFacts {
        let figures = try records.figures(of: device.id).filter { $0.report.model == model }
        let newest = figures.max { $0.report.order < $1.report.order }?.report
        let current = newest?.version.flatMap { shelf.bundles[$0] }
        var rejected: [DeviceFacts.Rejection] = []
        var committed = Set([current].compactMap(\.self))
        for row in try records.facts(of: device.id) where row.key.model == model {
            guard let bundle = shelf.bundles[row.key.candidate] else { continue }
            if row.facts.committed { committed.insert(bundle) }
            if row.facts.rolledBack {
                rejected.append(
                    DeviceFacts.Rejection(
                        version: bundle.version, sha256: bundle.sha256,
                        at: row.exposed ?? row.attempted ?? now))
            }
        }
        let own = plan?.pin(of: DeviceHash(of: device.id, model: model), at: now)
        for bundle in [plan?.candidate, plan?.baseline, own?.bundle].compactMap(\.self) {
            _ = try shelf.manifest(bundle)
        }
        let floor = try current.flatMap { (bundle) throws(RegistryError) in
            try shelf.manifest(bundle)
        }?.rollbackFloor
        return DeviceFacts(
            id: device.id, model: model, channel: channel, attributes: device.attributes,
            current: current, committed: committed, rejected: rejected,
            withdrawn: plan?.withdrawn ?? [], rollbackFloor: floor,
            lastForwardSwap: newest?.exposedAt,
            isHeld: newest?.reasons.contains(.heldOnDevice) ?? false, agent: device.agent,
            hardware: hardware(plan, shelf), freshness: try freshness())
    }

    private func hardware(_ plan: Plan?, _ shelf: ModelShelf) -> DeviceFacts.Hardware {
        let asked = plan.flatMap { shelf.listing.requirements[$0.candidate.sha256] }
        return DeviceFacts.Hardware(
            architecture: asked?.architectures.min { $0.rawValue < $1.rawValue } ?? .x86,
            memory: .max, freeDisk: .max)
    }

    private func freshness() throws(RegistryError) -> DeviceFacts.Freshness {
        let timestamp: Draft<Timestamp>? = try LiveRepository.draft(.timestamp, in: records)
        guard let timestamp else { throw .noRepository }
        var expired: [String] = []
        for role in [RoleName.targets, .model(model)] {
            let live: Draft<Targets>? = try LiveRepository.draft(role, in: records)
            if let live, live.content.expires <= now { expired.append(role.description) }
        }
        return DeviceFacts.Freshness(
            timestampSigned: timestamp.content.signedAt ?? .epoch,
            timestampExpires: timestamp.content.expires, expiredOfflineRoles: expired)
    }
}
