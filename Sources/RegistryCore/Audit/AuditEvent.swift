import Cryptography
package import Primitives
import Rollouts
import TUF

/// What happened, for the audit log: a name, what it is about, and facts.
///
/// The vocabulary is the static members, which `docs/formats/audit.md` lists.
package struct AuditEvent: Sendable, Hashable {
    /// Such as `role.live`.
    package let name: String
    /// What it is about: `roles/<role>`, `tokens/<id>`, `devices/<id>`, `rollouts/<m>/<channel>`, `enrolments`.
    package let subject: String
    package let facts: JSON

    package init(name: String, subject: String, facts: JSON) {
        self.name = name
        self.subject = subject
        self.facts = facts
    }
}

// MARK: Access

extension AuditEvent {
    static func tokenMade(
        id: TokenID, name: String, scopes: [Scope], expires: UTCTime?
    ) -> AuditEvent {
        var facts: JSONObject = [
            "name": .string(name),
            "scopes": .array(scopes.map { .string($0.description) }),
        ]
        facts["expires"] = expires.map { .integer($0.seconds) }
        return AuditEvent(name: "token.made", subject: "tokens/\(id)", facts: .object(facts))
    }

    static func tokenRevoked(id: TokenID, name: String) -> AuditEvent {
        AuditEvent(
            name: "token.revoked", subject: "tokens/\(id)", facts: ["name": .string(name)])
    }

    static func enrolmentsMade(count: Int64, expires: UTCTime) -> AuditEvent {
        AuditEvent(
            name: "enrolments.made", subject: "enrolments",
            facts: ["count": .integer(count), "expires": .integer(expires.seconds)])
    }
}

// MARK: Roles

extension AuditEvent {
    static func roleHeld(_ file: StoredRole, signers: [KeyID], missing: Int) -> AuditEvent {
        role(
            "role.held", file,
            [
                "signed_by": .array(signers.map { .string($0.description) }),
                "missing": .integer(Int64(missing)),
            ])
    }

    static func roleLive(_ file: StoredRole, signers: [KeyID]) -> AuditEvent {
        role(
            "role.live", file,
            ["signed_by": .array(signers.map { .string($0.description) })])
    }

    static func proposalWithdrawn(_ file: StoredRole) -> AuditEvent {
        role("role.proposal-withdrawn", file, [:])
    }

    private static func role(
        _ name: String, _ file: StoredRole, _ more: JSONObject
    ) -> AuditEvent {
        var facts = more
        facts["version"] = .integer(file.version.number)
        facts["sha256"] = .string(SHA256.digest(of: file.bytes).hex)
        return AuditEvent(name: name, subject: "roles/\(file.role)", facts: .object(facts))
    }
}

// MARK: Devices

extension AuditEvent {
    static func deviceEnrolled(_ id: DeviceID) -> AuditEvent {
        AuditEvent(name: "device.enrolled", subject: "devices/\(id)", facts: [:])
    }

    static func deviceRevoked(_ id: DeviceID, reason: String) -> AuditEvent {
        AuditEvent(
            name: "device.revoked", subject: "devices/\(id)", facts: ["reason": .string(reason)])
    }
}

// MARK: Rollouts

extension AuditEvent {
    static func rolloutCreated(_ rollout: RolloutRecord) -> AuditEvent {
        let plan = rollout.state.plan
        var facts: JSONObject = [
            "candidate": plan.candidate.json, "policy": .string(plan.policy.path.description),
            "policy_sha256": .string(plan.policy.sha256.hex),
        ]
        facts["baseline"] = plan.baseline?.json
        if !rollout.acknowledged.isEmpty {
            facts["acknowledged"] = .array(rollout.acknowledged.map { .string($0) })
        }
        return AuditEvent(
            name: "rollout.created", subject: rollout.subject, facts: .object(facts))
    }

    /// A rollout that was created and never started makes room for the one in force.
    static func rolloutDropped(_ rollout: RolloutRecord) -> AuditEvent {
        AuditEvent(
            name: "rollout.dropped", subject: rollout.subject,
            facts: ["candidate": rollout.state.plan.candidate.json])
    }

    /// A brake rehearsal of a rollout that has not started.
    static func rehearsed(_ outcome: Rehearsal.Outcome, _ rollout: RolloutRecord) -> AuditEvent {
        AuditEvent(
            name: "rollout.rehearsed", subject: rollout.subject,
            facts: [
                "candidate": .string(rollout.state.plan.candidate.version.description),
                "braked": .bool(outcome.hasBraked), "evidence": .string(outcome.evidence),
                "exposed": .integer(Int64(outcome.exposed)),
                "after_s": .integer(outcome.seconds),
            ])
    }

    /// Whether rollbacks of a cohort may be automatic, where that has changed.
    static func placeboJudged(_ trial: PlaceboRecord, _ rollout: RolloutRecord) -> AuditEvent {
        AuditEvent(name: "placebo.judged", subject: rollout.subject, facts: trial.json)
    }

    /// A decision with its evidence: the controller's own record, and what the gate saw.
    static func decided(
        _ decision: DecisionRecord, rollout: RolloutRecord, look: JSON?
    ) -> AuditEvent {
        var facts = decision.json.object ?? [:]
        facts["candidate"] = .string(rollout.state.plan.candidate.version.description)
        facts["look"] = look
        return AuditEvent(
            name: "rollout.\(decision.kind.rawValue)", subject: rollout.subject,
            facts: .object(facts))
    }

    /// Who is pinned to what, for whom and why: a plan has hashes only.
    static func pinned(_ pin: PinRecord, rollout: RolloutRecord) -> AuditEvent {
        AuditEvent(name: "device.pinned", subject: rollout.subject, facts: pin.json)
    }

    static func unpinned(
        _ device: DeviceID, reason: String, rollout: RolloutRecord
    ) -> AuditEvent {
        AuditEvent(
            name: "device.unpinned", subject: rollout.subject,
            facts: ["device": .string(device.description), "reason": .string(reason)])
    }

    static func plansPublished(
        _ model: ModelName, changed: [(TargetPath, SHA256Digest)]
    ) -> AuditEvent {
        let plans = changed.map { ($0.0.description, JSON.string($0.1.hex)) }
        return AuditEvent(
            name: "plans.published", subject: "roles/plans.\(model)",
            facts: ["plans": .object(JSONObject(plans))])
    }
}
