package import Primitives
import Rollouts
import TUF

/// What operators do with rollouts: create, order, look.
package struct RolloutDesk: Sendable {
    /// The most bytes of a reason.
    package static let reasonLimit = 200

    let store: any RegistryStoring
    let blobs: any BlobStoring
    private let publisher: PlanPublisher

    package init(
        store: any RegistryStoring, blobs: any BlobStoring, keys: OnlineKeys,
        schedule: MetadataSchedule = MetadataSchedule()
    ) {
        self.store = store
        self.blobs = blobs
        publisher = PlanPublisher(
            store: store, blobs: blobs, signer: OnlineSigner(keys: keys, schedule: schedule))
    }

    // MARK: Creating

    /// Creates a rollout, which does nothing before it is started.
    ///
    /// The candidate's bundle and policy must be live; the baseline is what the channel's last rollout left
    /// its devices on.
    ///
    /// - Throws: `.refusedByPolicy` with all problems; `.notAcknowledged` with all warnings, unless the request
    ///   acknowledges them; `.rolloutExists` where one is under way; `.notFound`; `.forbidden`.
    package func create(
        _ request: RolloutRequest, by actor: Principal, at now: UTCTime
    ) throws(RegistryError) -> RolloutStatus {
        try authorise(actor, .operate, on: .model(request.model))
        return try store.write { (records) throws(RegistryError) in
            let last = try records.rollout(request.model, request.channel)
            if let last, last.state.isStarted, !last.isOver {
                throw .rolloutExists(
                    request.model, request.channel, state: last.stateWord)
            }
            let creation = RolloutCreation(
                request: request, records: records, blobs: blobs, now: now)
            let next = (try records.auditHead()?.number ?? 0) + 1
            let made = try creation.made()
            var rollout = RolloutRecord(state: made.state, created: now, firstRecord: next)
            rollout.acknowledged = made.acknowledged
            rollout.previous = last.flatMap { $0.state.isStarted ? $0.state : $0.previous }
            try records.setRollout(rollout)
            try records.append(.rolloutCreated(rollout), by: Actor(actor), at: now)
            return try RolloutStatus(rollout, in: records, at: now)
        }
    }

    /// Holds a policy against all that `create` would look at, and changes nothing.
    ///
    /// Its candidate need not be published: a pipeline asks before it publishes.
    package func check(
        _ request: RolloutCheckRequest, by actor: Principal, at now: UTCTime
    ) throws(RegistryError) -> RolloutCheck {
        try authoriseAny(actor, [.publish, .operate, .read], on: .model(request.policy.model))
        return try store.read { (records) throws(RegistryError) in
            try RolloutCheck(request, in: records, blobs: blobs, at: now)
        }
    }

    // MARK: Orders

    /// Follows an order; its effects are published on return, or at the controller's next tick.
    ///
    /// A freeze, and its end, hold for all channels of the model.
    ///
    /// - Throws: `.stateConflict` with the reason; `.malformed` for a reason that is too long or
    ///   has a control character, and for an order that does not go with what it names.
    package func order(
        _ instruction: RolloutInstruction, _ model: ModelName, _ channel: ChannelName,
        by actor: Principal, at now: UTCTime
    ) throws(RegistryError) -> RolloutStatus {
        try authorise(actor, .operate, on: .model(model))
        try checkFreeText(instruction.reason, named: "reason", limit: Self.reasonLimit)
        let status = try store.write { (records) throws(RegistryError) in
            let move = RolloutMove(records: records, blobs: blobs, now: now)
            let rollout = try move.follow(instruction, by: actor, model, channel)
            if instruction.isOfModel {
                try move.followElsewhere(instruction, by: actor, after: rollout)
            }
            return try RolloutStatus(rollout, in: records, at: now)
        }
        try publisher.publish(model, at: now)
        return status
    }

    /// An order that is about the whole rollout.
    package func order(
        _ order: RolloutOrder, _ model: ModelName, _ channel: ChannelName, reason: String,
        by actor: Principal, at now: UTCTime
    ) throws(RegistryError) -> RolloutStatus {
        try self.order(
            RolloutInstruction(order, reason: reason), model, channel, by: actor, at: now)
    }

    // MARK: Looking

    package func status(
        _ model: ModelName, _ channel: ChannelName, by actor: Principal, at now: UTCTime
    ) throws(RegistryError) -> RolloutStatus {
        try authorise(actor, .read, on: .model(model))
        return try store.read { (records) throws(RegistryError) in
            guard let rollout = try records.rollout(model, channel) else {
                throw .notFound("rollout", "\(model)/\(channel)")
            }
            return try RolloutStatus(rollout, in: records, at: now)
        }
    }

    /// What each stage of a rollout can prove with the devices that follow its channel, used so many times a day
    /// (1 to 100,000; as they report where nil).
    package func forecast(
        _ model: ModelName, _ channel: ChannelName, turnsPerDay: Int64? = nil, by actor: Principal
    ) throws(RegistryError) -> StageForecast {
        try authorise(actor, .read, on: .model(model))
        return try store.read { (records) throws(RegistryError) in
            guard let rollout = try records.rollout(model, channel) else {
                throw .notFound("rollout", "\(model)/\(channel)")
            }
            let fleet = try records.subscribers(model: model, channel: channel)
            return StageForecast(
                rollout.state.policy, at: rollout.state.plan.policy.path, channel: channel,
                fleet: fleet,
                usage: try FleetUsage(
                    given: turnsPerDay, fleet: fleet, model: model, in: records))
        }
    }

    package func list(
        by actor: Principal, at now: UTCTime
    ) throws(RegistryError) -> [RolloutStatus] {
        try authorise(actor, .read, on: .registry)
        return try store.read { (records) throws(RegistryError) in
            var statuses: [RolloutStatus] = []
            for rollout in try records.rollouts() {
                statuses.append(try RolloutStatus(rollout, in: records, at: now))
            }
            return statuses
        }
    }
}

extension RolloutRecord {
    var isOver: Bool {
        state.plan.state == .completed || state.plan.state == .rolledBack
    }

    /// The state in the word of the protocol: the plan's, and `created` before the start.
    package var stateWord: String { state.isStarted ? state.plan.state.rawValue : "created" }
}
