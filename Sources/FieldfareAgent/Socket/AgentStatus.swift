package import AgentCore
import Health
package import Primitives
import Rollouts
import Telemetry

/// What the agent says of itself when asked: the `status` answer, and what `explain` adds to it.
package struct AgentStatus: Sendable {
    package let json: JSON

    /// - Parameters:
    ///   - driver: the running agent.
    ///   - slots: what the slots hold, and who leases them.
    package init(of driver: AgentDriver<some Journaling>, slots: SlotSurvey?) {
        let machine = driver.machine.memory
        let active = machine.slots.active
        var fields: JSONObject = [
            "ok": true, "type": "status", "state": .string(machine.state.name),
            "device": .string(driver.profile.id.description),
            "model": .string(driver.profile.model.description),
            "channel": .string(driver.profile.channel.description),
            "active": Self.slot(active, machine), "idle": Self.slot(active?.other, machine),
            "serving": driver.observation.serving.map { .string($0.description) } ?? .null,
            "cloud_only": .bool(machine.slots.activeBundle == nil),
            "held": .bool(machine.isHeld), "enrolled": .bool(driver.isEnrolled),
            "metadata": Self.metadata(driver),
            "trials": .array(machine.trials.trials.map(Self.trial)),
        ]
        fields["attempt"] = machine.state.attempt.map { attempt in
            Self.attempt(attempt, waiting: driver.downloadWait)
        }
        fields["probation"] = driver.observation.watch.map { watch in
            var probation = watch.json.object ?? [:]
            probation["reference"] = .bool(watch.reference != nil)
            return .object(probation)
        }
        if case .rollingBack(let retreat) = machine.state {
            fields["rolling_back"] = ["cause": .string(retreat.cause.description)]
        }
        if let slots {
            fields["leases"] = [
                "a": .string(slots.leases.a.rawValue), "b": .string(slots.leases.b.rawValue),
            ]
        }
        fields["journal_error"] = driver.journalError.map { .string("\($0)") }
        json = .object(fields)
    }

    private static func slot(_ slot: Slot?, _ machine: MachineState) -> JSON {
        guard let slot, let bundle = machine.slots.contents[slot] else { return .null }
        return [
            "slot": .string(slot.rawValue), "version": .string(bundle.version.description),
            "manifest_sha256": .string(bundle.sha256.hex),
        ]
    }

    private static func attempt(_ attempt: Attempt, waiting: DownloadWait?) -> JSON {
        var fields: JSONObject = [
            "version": .string(attempt.release.bundle.version.description),
            "slot": .string(attempt.slot.rawValue),
            "direction": .string(attempt.release.direction.rawValue),
            "trace": .string(attempt.trace.description),
            "deadline": .string(attempt.deadline.description),
        ]
        fields["waiting"] = waiting.map { .string($0.rawValue) }
        return .object(fields)
    }

    private static func trial(_ trial: Trial) -> JSON {
        var fields: JSONObject = [
            "version": .string(trial.bundle.version.description),
            "attempts": .integer(Int64(trial.attempts)), "at": .string(trial.at.description),
        ]
        fields["rejected"] = trial.rejection.map { .string($0.description) }
        fields["trouble"] = trial.lastTrouble.map { .string($0.description) }
        return .object(fields)
    }

    private static func metadata(_ driver: AgentDriver<some Journaling>) -> JSON {
        var fields: JSONObject = [:]
        fields["last_poll"] = driver.lastPoll.map { .string($0.description) }
        fields["poll_error"] = driver.pollError.map { .string($0.description) }
        guard let material = driver.material else { return .object(fields) }
        fields["timestamp_signed"] = .string(material.timestampSigned.description)
        fields["timestamp_expires"] = .string(material.timestampExpires.description)
        fields["expired"] = .array(material.expiredOfflineRoles.map { .string($0) })
        fields["missing"] = material.missing.map { .string($0.description) }
        fields["problems"] = .array(material.problems.map { .string($0) })
        fields["versions"] = .object(
            JSONObject(material.versions.map { ($0.key, .integer($0.value)) }))
        return .object(fields)
    }

    /// The last decision with its trace, for `explain`; the device's own refusal beside it.
    package static func explanation(of driver: AgentDriver<some Journaling>) -> JSON {
        guard let judgement = driver.judgement else {
            let reason = driver.pollError.map { $0.description } ?? "no poll has succeeded yet"
            return ["ok": true, "type": "explain", "decision": .null, "reason": .string(reason)]
        }
        var fields: JSONObject = [
            "ok": true, "type": "explain", "decision": judgement.decision.json,
            "lines": .array(judgement.decision.trace.map { .string($0.line) }),
        ]
        fields["poll_error"] = driver.pollError.map { .string($0.description) }
        fields["local_refusal"] = driver.localRefusal.map { .string($0) }
        return .object(fields)
    }
}
