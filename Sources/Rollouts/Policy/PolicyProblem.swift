/// Something in a policy that is well formed and makes no sense.
package struct PolicyProblem: Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        case noStages = "no-stages"
        case stageNamedTwice = "stage-named-twice"
        case shareShrinks = "share-shrinks"
        case whereShrinks = "where-shrinks"
        case stageAddsNobody = "stage-adds-nobody"
        case stageReachesNobody = "stage-reaches-nobody"
        case stageUnreachable = "stage-unreachable"
        case capBelowShare = "cap-below-share"
        case capShrinks = "cap-shrinks"
        case armsOverlap = "arms-overlap"
        case noControl = "no-control"
        case controlOfFirstRelease = "control-of-first-release"
        case soakEndsBeforeItBegins = "soak-ends-before-it-begins"
        case rampLongerThanSoak = "ramp-longer-than-soak"
        case soakWithinBurnIn = "soak-within-burn-in"
        case soakWithinBurnInTurns = "soak-within-burn-in-turns"
        case soakWithinDeadline = "soak-within-deadline"
        case deadlineTooShort = "deadline-too-short"
        case notAfterTooEarly = "not-after-too-early"
        case replacesItself = "replaces-itself"
        case noGates = "no-gates"
        case gateTwice = "gate-twice"
        case acceptedReachesLimit = "accepted-reaches-limit"
        case blindSpotWithoutGate = "blind-spot-without-gate"
        case blindSpotOutOfRange = "blind-spot-out-of-range"
        case noEvidenceRequired = "no-evidence-required"
        case alphaAbovePause = "alpha-above-pause"
        case pauseAboveSize = "pause-above-size"
        case probationEndsBeforeItBegins = "probation-ends-before-it-begins"
        case unknownRegion = "unknown-region"
        case unknownDeviceClass = "unknown-device-class"
        case unknownLabel = "unknown-label"
        case unknownLocale = "unknown-locale"
        case candidateNotSigned = "candidate-not-signed"
        case candidateWithdrawn = "candidate-withdrawn"
        case candidateBelowFloor = "candidate-below-floor"
        case over = "over"
    }

    package let code: Code
    /// The field, as in `stages[1].cap`.
    package let path: String
    package let expected: String
    package let found: String

    package var description: String { "field '\(path)': expected \(expected), got \(found)" }
}
