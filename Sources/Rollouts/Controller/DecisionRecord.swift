package import Primitives

/// One decision of the controller, with its evidence, for the audit log.
package struct DecisionRecord: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case advanced
        case completed
        case excluded
        case frozen
        case included
        case paused
        case pinsChanged = "pins_changed"
        /// The gate promotes, and something else is waited for.
        case ready
        case resumed
        case rolledBack = "rolled_back"
        case segmentPaused = "segment_paused"
        case segmentResumed = "segment_resumed"
        case sharesRaised = "shares_raised"
        case started
        case unfrozen
        case windowsChanged = "windows_changed"
    }

    /// Who decides: the gate, the controller by its clock, or a person.
    package static let gate = "gate"
    package static let controller = "controller"
    /// Evidence is cut to so many bytes.
    package static let longestEvidence = 8_192

    /// Counts the decisions of one rollout, from 1.
    package let sequence: Int
    package let at: UTCTime
    package let kind: Kind
    package let by: String
    package let state: Plan.State
    /// The index of the current stage after the decision.
    package let stage: Int?
    package let isUnproven: Bool
    package let segment: Segment?
    package let metric: Metric?
    /// The five facts, or the reason that a person gave.
    package let evidence: String

    package var json: JSON {
        var fields: JSONObject = [
            "type": "decision-record", "sequence": .integer(sequence), "at": .integer(at.seconds),
            "kind": .string(kind.rawValue), "by": .string(by), "state": .string(state.rawValue),
            "unproven": .bool(isUnproven), "evidence": .string(evidence),
        ]
        fields["stage"] = stage.map { .integer($0) }
        fields["segment"] = segment?.json
        fields["metric"] = metric.map { .string($0.rawValue) }
        return .object(fields)
    }
}
