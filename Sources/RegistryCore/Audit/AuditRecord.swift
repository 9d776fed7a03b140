import Cryptography
package import Primitives

/// One line of the audit log, chained to the one before it (`docs/formats/audit.md`).
///
/// ```json
/// {"actor":{"kind":"controller"},"at":1764046800,"event":"rollout.decided","facts":{…},"number":7,
///  "previous":"…","schema":"fieldfare.audit/1","subject":"rollouts/commands-en/main"}
/// ```
package struct AuditRecord: Sendable, Hashable {
    package static let schema = "fieldfare.audit/1"
    /// The most bytes of one record; the evidence of a decision takes some 10,000.
    package static let byteLimit = 1 << 20
    /// What the first record is chained to.
    package static let genesis = SHA256Digest.zero

    /// From 1, without gaps.
    package let number: Int64
    package let at: UTCTime
    package let actor: Actor
    package let event: AuditEvent
    /// The hash of the record before this one.
    package let previous: SHA256Digest
    /// SHA-256 over the 32 bytes of `previous` and the canonical JSON of this record.
    package let hash: SHA256Digest

    /// Chains an event to the newest record, or begins the chain where there is none.
    package init(_ event: AuditEvent, by actor: Actor, at now: UTCTime, after last: AuditHead?) {
        number = (last?.number ?? 0) + 1
        at = now
        self.actor = actor
        self.event = event
        previous = last?.hash ?? Self.genesis
        hash = Self.hash(
            previous, Self.json(number, now, actor, event, previous).canonicalBytes)
    }

    package var head: AuditHead { AuditHead(number: number, hash: hash) }

    /// The record, without its own hash.
    package var json: JSON { Self.json(number, at, actor, event, previous) }

    static func hash(_ previous: SHA256Digest, _ canonical: [UInt8]) -> SHA256Digest {
        SHA256.digest(of: previous.bytes + canonical)
    }

    private static func json(
        _ number: Int64, _ at: UTCTime, _ actor: Actor, _ event: AuditEvent,
        _ previous: SHA256Digest
    ) -> JSON {
        [
            "schema": .string(schema), "number": .integer(number), "at": .integer(at.seconds),
            "actor": actor.json, "event": .string(event.name), "subject": .string(event.subject),
            "facts": event.facts, "previous": .string(previous.hex),
        ]
    }
}

/// The newest record of a log: whoever keeps one outside of the registry can tell later whether the log
/// still contains it.
package struct AuditHead: Sendable, Hashable {
    package let number: Int64
    package let hash: SHA256Digest

    package init(number: Int64, hash: SHA256Digest) {
        self.number = number
        self.hash = hash
    }
}

extension SHA256Digest {
    fileprivate static let zero: SHA256Digest = {
        guard let zero = SHA256Digest([UInt8](repeating: 0, count: byteCount)) else {
            preconditionFailure("32 bytes are a digest")
        }
        return zero
    }()
}
