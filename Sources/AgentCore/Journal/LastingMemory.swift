package import Primitives

/// What a device must remember even where its journal is lost: what it must never run again, what it was ordered, and
/// the newest signed moment it has seen.
///
/// Kept a second time beside the journal, and read only where a journal begins anew.
package struct LastingMemory: Sendable, Hashable {
    /// Bundles with a rejection; mere troubles may be forgotten.
    package let rejected: [Trial]
    package let trust: TrustMemory
    package let rollbackFloor: SemanticVersion?
    package let isHeld: Bool

    package init(of state: JournalState) {
        rejected = state.machine.trials.trials.filter { $0.rejection != nil }
        trust = state.trust
        rollbackFloor = state.machine.rollbackFloor
        isHeld = state.machine.isHeld
    }
}

extension JournalState {
    /// A new journal's state on a device that remembers this.
    package init(remembering memory: LastingMemory?, epoch: UTCTime) {
        self.init(observation: Observation(epoch: epoch))
        guard let memory else { return }
        machine.trials = TrialMemory(restoring: memory.rejected)
        machine.rollbackFloor = memory.rollbackFloor
        machine.isHeld = memory.isHeld
        trust = memory.trust
    }
}

// MARK: JSON

/// One JSON object, read strictly: damage shows, and is then no memory.
extension LastingMemory {
    package static let schema = "fieldfare.memory/1"
    /// Bytes of the whole object; the bounds of its parts keep it below.
    package static let byteLimit = 1 << 20

    package var json: JSON {
        var fields: JSONObject = [
            "schema": .string(Self.schema), "rejected": .array(rejected.map(\.json)),
            "trust": trust.json, "held": .bool(isHeld),
        ]
        fields["rollback_floor"] = rollbackFloor.map { .string($0.description) }
        return .object(fields)
    }

    package init(_ json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        _ = try fields.parse("schema", "'\(Self.schema)'") { $0 == Self.schema ? $0 : nil }
        var rejected: [Trial] = []
        for (json, path) in try fields.array("rejected", limit: TrialMemory.limit) {
            rejected.append(try Trial(json, at: path))
        }
        self.rejected = rejected
        trust = try TrustMemory(&fields, at: "trust")
        rollbackFloor = try fields.optionalVersion("rollback_floor")
        isHeld = try fields.bool("held")
        try fields.refuseUnknown()
    }
}
