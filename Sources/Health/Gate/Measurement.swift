private import Glibc

/// Why a test has no answer; never the same as a good one.
package enum Shortage: Sendable, Hashable {
    /// Fewer devices with enough turns than the test needs.
    case devices(treated: Int, control: Int)
    /// Too little weight of turns in an arm.
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
    /// Control devices, or 0 where an absolute limit took their place.
    package let controlDevices: Int
    /// The effect beyond what is accepted, on the test's scale: ln for test A, square roots for test B.
    package let effect: Double
    package let standardError: Double
    /// (prior sd / standard error) squared.
    package let x: Double
    /// The worsening as a ratio, where above 1 is worse whatever the direction.
    package let ratio: Double
    package let limit: Double
    package let accepted: Double
    /// Whether each device was compared with its own reference.
    package let isPaired: Bool
    /// Whether the candidate is worse by a lower figure: then `ratio` is control to treated.
    package let isLower: Bool
    /// The rates behind test B.
    package let rates: RateContrast?

    package var z: Double { standardError > 0 ? effect / standardError : 0 }

    /// Always-valid p of this look.
    package var pValue: Double { Boundary.pValue(z: z, x: x) }

    /// Whether the effect is beyond the boundary.
    package func fires(at level: Double) -> Bool { z > Boundary.k(x: x, level: level) }

    /// Whether the estimate has come as far as `fraction` of the way from accepted to the limit, in ln.
    package func reaches(_ fraction: Double) -> Bool {
        guard ratio > 0 else { return false }
        return log(ratio / accepted) >= fraction * log(limit / accepted)
    }

    /// The range of the ratio that the boundary leaves open.
    package func range(at level: Double) -> (lower: Double, upper: Double) {
        let width = Boundary.k(x: x, level: level) * standardError
        if let rates { return rates.range(k: Boundary.k(x: x, level: level)) }
        return (accepted * exp(effect - width), accepted * exp(effect + width))
    }

    /// The smallest worsening, as a ratio, that this test would have stopped: its blind spot.
    package func blindSpot(at level: Double) -> Double {
        let width = Boundary.k(x: x, level: level) * standardError
        guard let rates, rates.better > 0 else { return accepted * exp(width) }
        let root = sqrt(accepted * rates.better) + width
        return root * root / rates.better
    }

    /// The blind spot as policies name it: a share of all turns for rates, a ratio otherwise.
    package func namedBlindSpot(at level: Double) -> Double {
        blindSpot(at: level) * (rates?.better ?? 1)
    }
}

/// The answer of test C: bad devices among those that count, against the share that control excuses.
package struct CountEvidence: Sendable, Hashable {
    package let bad: Int
    package let devices: Int
    package let excusedShare: Double
    /// Control devices and historic windows behind `excusedShare`; nil where it is fixed.
    package let controlDevices: Int?
    /// Natural logarithm of the e-value.
    package let logE: Double

    /// Always-valid p.
    package var pValue: Double { min(1, exp(-logE)) }

    package func fires(at level: Double) -> Bool { logE >= -log(level) }
}

/// One test on the fleet or on a segment.
package struct TestResult: Sendable, Hashable {
    package let rule: MetricRule
    /// Nil for the fleet.
    package let segment: FleetSegment?
    package let measurement: Measurement
    /// The test's share of alpha, for ROLLBACK.
    package let level: Double
    /// Its share of the pause's alpha.
    package let pauseLevel: Double
    /// What `level` is a share of.
    package let alpha: Double

    /// Whether it crossed the boundary and, for tests A and B, came far enough to the limit to roll back.
    package func rollsBack(_ parameters: GateParameters) -> Bool {
        switch measurement {
        case .noData: false
        case .estimate(let estimate):
            rule.direction != .watch && estimate.fires(at: level)
                && estimate.reaches(parameters.sizeFraction)
        case .count(let evidence): evidence.fires(at: level)
        }
    }

    /// Whether it crossed the boundary of a pause, a third of the way to the limit.
    package func pauses(_ parameters: GateParameters) -> Bool {
        switch measurement {
        case .noData: false
        case .estimate(let estimate):
            estimate.fires(at: rule.direction == .watch ? pauseLevel / 2 : pauseLevel)
                && estimate.reaches(parameters.pauseFraction)
        case .count(let evidence): evidence.fires(at: pauseLevel)
        }
    }

    /// With no change anywhere, the chance of a rollout that ever shows this, over all tests and stages.
    package var chance: Double {
        let p: Double =
            switch measurement {
            case .noData: 1
            case .estimate(let estimate): estimate.pValue
            case .count(let evidence): evidence.pValue
            }
        return min(1, p * alpha / level)
    }

    /// What the stage cannot see by this metric, as policies name it; nil without data and for test C.
    package var blindSpot: Double? {
        guard case .estimate(let estimate) = measurement else { return nil }
        return estimate.namedBlindSpot(at: level)
    }
}
