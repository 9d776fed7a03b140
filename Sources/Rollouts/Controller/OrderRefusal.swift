package import Primitives

/// Why the controller does not follow an order, or a verdict does not lead on yet.
package enum OrderRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    case notStarted
    case alreadyStarted
    case wrongState(Plan.State)
    case beforeNotBefore(UTCTime)
    case afterNotAfter(UTCTime)
    case rehearsalMissing
    /// Another channel of the model is frozen.
    case modelFrozen
    case approvalMissing(stage: AttributeName)
    case soakNotOver(until: UTCTime)
    case scheduleNotReached(until: UTCTime)
    case evidenceMissing
    /// A first release: once it is withdrawn, devices have no model that they may run.
    case nothingToGoBackTo(SemanticVersion)
    case operatorNeeded(stage: AttributeName)
    case noSuchSegment(Segment)
    case segmentAlreadyExcluded(Segment)
    case tooManySegments
    case tooManyPins(Int)
    case tooManyPinGroups(Int)
    case tooManyWindows(Int)
    case planTooLong(Int)
    // At creation.
    case baselineMissing
    case baselineNotReplaceable(SemanticVersion)
    case baselineOfFirstRelease(SemanticVersion)
    case candidateWithdrawn(SemanticVersion)
    case rolloutNotOver(Plan.State)
    case planOfAnotherLine

    /// When time alone removes the obstacle.
    package var until: UTCTime? {
        switch self {
        case .beforeNotBefore(let time), .soakNotOver(let time), .scheduleNotReached(let time):
            time
        default: nil
        }
    }

    package var description: String {
        switch self {
        case .notStarted: "rollout: expected one that has started, got one that has not"
        case .alreadyStarted: "rollout: expected one that has not started, got one that has"
        case .wrongState(let state):
            "rollout: expected a state that allows this, got \(state.rawValue)"
        case .beforeNotBefore(let time): "time: expected not_before, \(time), or later, got earlier"
        case .afterNotAfter(let time): "time: expected not_after, \(time), or earlier, got later"
        case .rehearsalMissing: "brake rehearsal: expected a successful one, got none"
        case .modelFrozen: "model: expected one that is not frozen, got one that is"
        case .approvalMissing(let stage):
            "stage \(stage): expected an approval signed with the release keys, got none"
        case .soakNotOver(let time): "stage: expected its least soak to be over, got until \(time)"
        case .scheduleNotReached(let time):
            "stage: expected its place in the policy's schedule, got until \(time)"
        case .evidenceMissing: "gate: expected a verdict to promote, got none"
        case .nothingToGoBackTo(let version):
            "baseline: expected one that devices can go back to, got none: \(version) is a first release, and devices would "
                + "have no model that they may run; 'leave_no_model' (by the CLI '--leave-no-model') withdraws it all the same"
        case .operatorNeeded(let stage): "stage \(stage): expected an operator's advance, got none"
        case .noSuchSegment(let segment): "segment: expected one of the plan's, got \(segment)"
        case .segmentAlreadyExcluded(let segment):
            "segment: expected one not excluded, got \(segment)"
        case .tooManySegments:
            "segments: expected at most \(Plan.mostSegments) excluded, got one more"
        case .tooManyPins(let count):
            "pins: expected at most \(PinGroup.most), each device once, got \(count)"
        case .tooManyPinGroups(let count):
            "pins: expected at most \(PinGroup.mostGroups) pairs of a version and a moment, got \(count)"
        case .planTooLong(let count):
            "plan: expected at most \(Plan.longestByOrder) bytes after this, got \(count)"
        case .tooManyWindows(let count):
            "freeze windows: expected at most \(FreezeWindow.most), got \(count)"
        case .baselineMissing:
            "policy: expected an empty 'replaces', as a first release replaces nothing, "
                + "got one with versions; 'fieldfare policy init --initial' writes one"
        case .baselineNotReplaceable(let version):
            "baseline: expected one that the policy replaces, got \(version)"
        case .baselineOfFirstRelease(let version):
            "baseline: expected none for a first release, got \(version)"
        case .candidateWithdrawn(let version):
            "candidate: expected one that is not withdrawn, got \(version)"
        case .rolloutNotOver(let state):
            "last rollout: expected completed or rolled_back, got \(state.rawValue)"
        case .planOfAnotherLine: "last plan: expected one of this model and channel, got another"
        }
    }
}
