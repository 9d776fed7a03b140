package import Primitives

/// What the gate asks of the controller.
package enum Verdict: Sendable, Hashable {
    /// The stage has shown what it had to; in the last stage: the release is good.
    case promote
    /// It has not, its time is over, and the policy says to go on: label it so.
    case promoteUnproven
    case wait
    /// Expose nobody new, keep measuring; only a person or another policy resumes.
    case pause
    case rollback
}

/// What the gate suggests for a part of the fleet, while the rest is sound.
package struct SegmentFinding: Sendable, Hashable {
    package enum Action: String, Sendable, Hashable {
        /// Expose nobody new there.
        case pause
        /// Take the candidate back there, and go on elsewhere.
        case exclude
    }

    package let segment: FleetSegment
    package let action: Action
    package let reason: Reason
}

/// How many of the exposed devices have reported, in both arms, of those whose deadline is over.
package struct Coverage: Sendable, Hashable {
    package let exposed: Int
    package let reporting: Int
    package let controlExposed: Int
    package let controlReporting: Int
    /// Exposed devices that have not reported: at most three, those exposed longest first.
    package let silent: [DeviceID]

    package var missing: Int { exposed - reporting }

    /// Treated share against control's, 1 where they are alike; nil where nothing is due yet.
    package var ratio: Double? {
        guard exposed > 0 else { return nil }
        let share = Double(reporting) / Double(exposed)
        guard controlExposed > 0, controlReporting > 0 else { return share }
        return share * Double(controlExposed) / Double(controlReporting)
    }
}

/// What a stage cannot see by one metric, and what it would have to.
package struct BlindSpot: Sendable, Hashable {
    package let metric: GateMetric
    /// Nil where there are no data: then it sees nothing.
    package let seen: Double?
    package let required: Double

    package var isSmallEnough: Bool { seen.map { $0 <= required } ?? false }
}

/// One look of the gate: what to do, why, and all it was drawn from.
package struct Judgement: Sendable, Hashable {
    package let verdict: Verdict
    package let reason: Reason
    package let findings: [SegmentFinding]
    /// Every test of the fleet, the excluded segments left out.
    package let results: [TestResult]
    package let blindSpots: [BlindSpot]
    package let coverage: Coverage
    package let score: CompositeScore?
}
