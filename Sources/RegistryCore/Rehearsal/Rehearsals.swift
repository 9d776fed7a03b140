package import Primitives
import Rollouts
import Synchronization

/// Rehearses the brake of rollouts that have not started, and remembers which have one.
package final class Rehearsals: Sendable {
    /// Copies all records, and makes a registry that runs on the copy.
    package typealias MakeGround = @Sendable () async throws -> any RehearsalGround

    /// What became of one, and the rollout after it.
    package struct Answer: Sendable, Hashable {
        package let outcome: Rehearsal.Outcome
        package let status: RolloutStatus

        package var json: JSON {
            [
                "type": "rehearsal", "braked": .bool(outcome.hasBraked),
                "evidence": .string(outcome.evidence),
                "exposed": .integer(Int64(outcome.exposed)),
                "after_s": .integer(outcome.seconds), "rollout": status.json,
            ]
        }
    }

    private let store: any RegistryStoring
    private let makeGround: MakeGround
    private let isBusy = Mutex(false)

    package init(store: any RegistryStoring, ground: @escaping MakeGround) {
        self.store = store
        makeGround = ground
    }

    /// Rehearses, and writes the outcome down: into the audit log, and into the rollout, which may start after a
    /// success where its policy asks for one.
    ///
    /// - Throws: `.forbidden` without `operate`; `.notFound`; `.stateConflict` after the start, while another
    ///   rehearsal runs, and where the rollout became another meanwhile.
    package func rehearse(
        _ model: ModelName, _ channel: ChannelName, by actor: Principal, at now: UTCTime,
        seed: UInt64
    ) async throws -> Answer {
        try authorise(actor, .operate, on: .model(model))
        let store = store
        let rehearsed = try store.read { (records) throws(RegistryError) in
            try Self.rollout(model, channel, in: records)
        }
        let isFree = isBusy.withLock { isBusy in
            defer { isBusy = true }
            return !isBusy
        }
        guard isFree else {
            throw RegistryError.stateConflict(
                order: Self.order, reason: "rehearsal: expected none under way, got one")
        }
        defer { isBusy.withLock { $0 = false } }
        let ground = try await makeGround()
        let outcome = await Rehearsal(on: ground, model, channel).run(at: now, seed: seed)
        let status = try await ground.blocking {
            try store.write { (records) throws(RegistryError) in
                var rollout = try Self.rollout(model, channel, in: records)
                guard rollout.firstRecord == rehearsed.firstRecord else {
                    throw .stateConflict(
                        order: Self.order,
                        reason: "rollout: expected the one that was rehearsed, got another")
                }
                rollout.isRehearsed = outcome.hasBraked
                try records.setRollout(rollout)
                try records.append(.rehearsed(outcome, rollout), by: Actor(actor), at: now)
                return try RolloutStatus(rollout, in: records, at: now)
            }
        }
        return Answer(outcome: outcome, status: status)
    }

    private static let order = "rehearse"

    private static func rollout(
        _ model: ModelName, _ channel: ChannelName, in records: any RegistryRecords
    ) throws(RegistryError) -> RolloutRecord {
        guard let rollout = try records.rollout(model, channel) else {
            throw .notFound("rollout", "\(model)/\(channel)")
        }
        guard !rollout.state.isStarted else {
            throw .stateConflict(
                order: order, reason: "rollout: expected one that has not started, got one that has"
            )
        }
        return rollout
    }
}
