/// Why a test has no answer; never the same as a good one.
package enum Shortage: Sendable, Hashable {
    /// Fewer devices with enough turns than the test needs.
    case devices(treated: Int, control: Int)
    /// Too few turns in an arm.
    case turns
    /// Nothing to compare with.
    case control
}

/// What one test says of one metric.
package enum Measurement: Sendable, Hashable {
    case noData(Shortage)
    /// Tests A and B.
    case estimate(Estimate)
    /// Test C.
    case count(CountEvidence)
}

/// The answer of test A or B: an effect with its standard error, and what they mean as a ratio.
package struct Estimate: Sendable, Hashable {
    package let treatedDevices: Int
    package let controlDevices: Int
    /// The effect beyond what is accepted, on the test's scale: ln for test A, square roots for test B.
    package let effect: Double
    package let standardError: Double
    /// (prior sd / standard error) squared.
    package let x: Double
    /// Treated to control as a ratio, and the one that is allowed.
    package let ratio: Double
    package let limit: Double
    package let accepted: Double
    /// Whether each device was compared with its own reference.
    package let isPaired: Bool
    /// For test B: the rates of the arms.
    package let treatedRate: Double?
    package let controlRate: Double?

    package var z: Double { standardError > 0 ? effect / standardError : 0 }
}

/// The answer of test C: bad devices among those that count, against the share that control can excuse.
package struct CountEvidence: Sendable, Hashable {
    package let bad: Int
    package let devices: Int
    package let excusedShare: Double
    /// Devices (and historic windows) behind `excusedShare`; nil where it is fixed.
    package let controlDevices: Int?
    /// Natural logarithm of the e-value.
    package let logE: Double
}

/// One test on the fleet or a segment.
package struct TestResult: Sendable, Hashable {
    package let rule: MetricRule
    /// Nil for the fleet.
    package let segment: FleetSegment?
    package let measurement: Measurement
    /// The level for ROLLBACK and the one for PAUSE.
    package let level: Double
    package let pauseLevel: Double
}
