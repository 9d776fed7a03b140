package import Primitives

/// Devices and turns that the candidate has had so far.
package struct Exposure: Sendable, Hashable {
    package let devices: Int
    package let turns: Int64

    package init(devices: Int, turns: Int64) {
        self.devices = devices
        self.turns = turns
    }
}

/// A device on which a metric moved most, and what there is to say of it there.
package struct MovedDevice: Sendable, Hashable {
    package enum Figure: Sendable, Hashable {
        /// Test A, and a jump: how much its own figure moved.
        case ratio(Double)
        /// Test B: its events among its turns.
        case events(Int64, turns: Int64)
        /// An absolute limit of a duration: its own figure.
        case milliseconds(Double)
        /// Test C: it is bad, and no more or less so than others.
        case bad
    }

    package let device: DeviceID
    package let figure: Figure
}

/// The five facts of a verdict: what moved and how far, against what, by what chance, where most, and how
/// many devices and turns have met the candidate (docs/gate.md).
package struct FiveFacts: Sendable, Hashable {
    package let result: TestResult
    /// At most three, those that moved most first; none where none moved.
    package let moved: [MovedDevice]
    package let exposure: Exposure
}

/// Why a verdict is what it is.
package enum Reason: Sendable, Hashable {
    /// A test fired.
    case test(FiveFacts)
    /// A test fired, and would have rolled back but for cohorts whose placebo fires too often.
    case untrusted([Cohort], FiveFacts)
    /// Fewer control devices report than any comparison needs.
    case noControl(reporting: Int, needed: Int, FiveFacts?, Exposure)
    /// Exposed devices have not reported.
    case coverage(Coverage, FiveFacts?, Exposure)
    /// Two or more parts of the fleet fail by themselves, or one that may not be excluded.
    case segments([FleetSegment], FiveFacts)
    /// The stage has not lasted long enough.
    case soaking(secondsLeft: Int64, FiveFacts?, Exposure)
    /// The stage cannot see enough yet, or its time is over without that.
    case blind([BlindSpot], secondsLeft: Int64, FiveFacts?, Exposure)
    /// An absolute limit is not kept, or not shown to be.
    case absolute(AbsoluteFinding, FiveFacts?, Exposure)
    /// Nothing fired, and the stage could have seen what it had to.
    case proven([BlindSpot], FiveFacts?, Exposure)

    /// The test that spoke, or came nearest to it, with its facts; nil where none has data or a part in it.
    package var facts: FiveFacts? {
        switch self {
        case .test(let facts), .segments(_, let facts), .untrusted(_, let facts): facts
        case .soaking(_, let facts, _), .blind(_, _, let facts, _), .proven(_, let facts, _),
            .noControl(_, _, let facts, _), .coverage(_, let facts, _),
            .absolute(_, let facts, _):
            facts
        }
    }

    package var exposure: Exposure {
        switch self {
        case .test(let facts), .segments(_, let facts), .untrusted(_, let facts): facts.exposure
        case .noControl(_, _, _, let exposure), .coverage(_, _, let exposure),
            .soaking(_, _, let exposure), .blind(_, _, _, let exposure),
            .absolute(_, _, let exposure), .proven(_, _, let exposure):
            exposure
        }
    }
}
