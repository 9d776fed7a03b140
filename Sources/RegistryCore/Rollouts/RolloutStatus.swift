package import Primitives
import Rollouts

/// A rollout as `GET /v1/rollouts/{model}/{channel}` shows it: where it stands, whom it has reached, what the
/// gate saw last, and what was decided so far.
package struct RolloutStatus: Sendable, Hashable {
    /// The most decisions shown, the newest; the audit log has all.
    static let timelineLimit = 200

    package let rollout: RolloutRecord
    /// Devices that have sent a beacon for the candidate.
    package let exposure: [Cohort: Int]
    /// Devices that follow the channel.
    package let fleet: [Cohort: Int]
    /// What the placebo showed last, by cohort.
    package let placebos: [PlaceboRecord]
    /// The audit log's records about it, oldest first.
    package let timeline: [StoredAuditRecord]
    package let now: UTCTime

    init(
        _ rollout: RolloutRecord, in records: any RegistryRecords, at now: UTCTime
    ) throws(RegistryError) {
        self.rollout = rollout
        self.now = now
        exposure = try records.exposure(
            model: rollout.model, channel: rollout.channel,
            candidate: rollout.state.plan.candidate.version)
        var fleet: [Cohort: Int] = [:]
        let subscribers = try records.subscribers(
            model: rollout.model, channel: rollout.channel)
        for subscriber in subscribers { fleet[subscriber.attributes.cohort, default: 0] += 1 }
        self.fleet = fleet
        placebos = try records.placebos(rollout.model, rollout.channel)
        timeline = try Self.timeline(of: rollout, in: records)
    }

    /// The newest records about this rollout, and about no earlier one of its channel.
    private static func timeline(
        of rollout: RolloutRecord, in records: any RegistryRecords
    ) throws(RegistryError) -> [StoredAuditRecord] {
        var timeline: [StoredAuditRecord] = []
        var after = rollout.firstRecord - 1
        while true {
            let page = try records.auditRecords(
                after: after, limit: timelineLimit, subject: rollout.subject)
            timeline = (timeline + page).suffix(timelineLimit)
            guard page.count == timelineLimit, let last = page.last else { return timeline }
            after = last.number
        }
    }

    package var json: JSON {
        let state = rollout.state
        let plan = state.plan
        var fields: JSONObject = [
            "type": "rollout", "model": .string(rollout.model.description),
            "channel": .string(rollout.channel.description), "state": .string(rollout.stateWord),
            "candidate": plan.candidate.json,
            "policy": .string(plan.policy.path.description),
            "created": .integer(rollout.created.seconds),
            "stages": .array(stages), "exposure": cohorts,
            "placebo": .array(placebos.map(\.json)),
            "excluded": .array(plan.excluded.map(\.json)),
            "paused_segments": .array(plan.paused.map(\.json)),
            "freeze_windows": .array(plan.freezeWindows.map(\.json)),
            "ready": .bool(state.isReady), "rehearsed": .bool(rollout.isRehearsed),
            "rehearsal_required": .bool(state.policy.rehearsal), "look": rollout.look ?? .null,
            "timeline": .array(timeline.compactMap { $0.json.map(Self.line) }),
            "now": .integer(now.seconds),
        ]
        fields["baseline"] = plan.baseline?.json
        fields["in_force"] = rollout.previous.map {
            ["candidate": $0.plan.candidate.json, "state": .string($0.plan.state.rawValue)]
        }
        if !rollout.acknowledged.isEmpty {
            fields["acknowledged"] = .array(rollout.acknowledged.map { .string($0) })
        }
        fields["stage"] = plan.currentStage.map { .integer(Int64($0)) }
        fields["stage_name"] = state.stage.map { .string($0.name.description) }
        fields["next_look"] = rollout.lastLook.map {
            .integer(($0 + state.policy.gateInterval).seconds)
        }
        return .object(fields)
    }

    private var stages: [JSON] {
        let state = rollout.state
        return state.policy.stages.enumerated().map { index, stage in
            var fields: JSONObject = [
                "name": .string(stage.name.description),
                "share": .integer(Int64(stage.quota.share.value)),
                "promote": .string(stage.promote.rawValue),
                "least_soak_s": .integer(stage.leastSoak),
                "most_soak_s": .integer(stage.mostSoak),
                "unproven": .bool(state.unprovenStages.contains(index)),
            ]
            if index < state.plan.stages.count {
                let begun = state.plan.stages[index]
                fields["began"] = .integer(begun.began.seconds)
                fields["shares"] = Self.shares(begun.shares)
            }
            return .object(fields)
        }
    }

    /// By cohort: devices, those exposed, and those that the plan holds back.
    private var cohorts: JSON {
        let names = Set(fleet.keys).union(exposure.keys)
        let pairs = names.map { cohort -> (String, JSON) in
            let state = rollout.state
            let held = state.plan.holdBack[cohort] ?? state.policy.holdBack.share
            return (
                cohort.description,
                [
                    "devices": .integer(Int64(fleet[cohort] ?? 0)),
                    "exposed": .integer(Int64(exposure[cohort] ?? 0)),
                    "held_back_share": .integer(Int64(held.value)),
                ]
            )
        }
        return .object(JSONObject(pairs))
    }

    private static func shares(_ shares: [Cohort: BasisPoints]) -> JSON {
        let pairs = shares.map { ($0.key.description, JSON.integer(Int64($0.value.value))) }
        return .object(JSONObject(pairs))
    }

    /// A line of the timeline: an audit record without its chain, and without what the gate saw.
    private static func line(_ record: JSON) -> JSON {
        var facts = record["facts"]?.object ?? [:]
        facts["look"] = nil
        return [
            "number": record["number"] ?? .null, "at": record["at"] ?? .null,
            "event": record["event"] ?? .null, "actor": record["actor"] ?? .null,
            "facts": .object(facts),
        ]
    }
}
