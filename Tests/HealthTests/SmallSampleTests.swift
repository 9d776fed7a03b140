import Glibc
import Primitives
import Telemetry
import TestSupport
import Testing

@testable import Health

/// Segments of a handful of devices, whose scatter is small by chance more often than one would think.
@Suite struct SmallSampleTests {
    /// The level of a segment's test in a fleet of 12 cohorts: half of alpha over 22 segments, 12 tests and 3 stages.
    static let level = 0.005 / (22 * 12 * 3)

    /// Student's quantiles over normal ones at z = sqrt(19), computed elsewhere.
    @Test(arguments: [(6, 2.9701), (10, 1.8135), (20, 1.3152), (60, 1.0898)])
    func `widens an error as Student's distribution does`(degrees: Double, exact: Double) {
        let inflation = Boundary.inflation(degrees: degrees)
        #expect(inflation >= exact && inflation < 1.04 * exact)
    }

    private static func estimate(_ treated: [Double], _ control: [Double]) -> Estimate? {
        var parameters = GateParameters()
        parameters.inflatesSmallSamples = true
        let arms = [(Arm.treated, treated), (.control, control)]
        let samples = arms.flatMap { arm, values in
            values.enumerated().map { index, value in
                GateFixtures.sample(
                    index + (arm == .treated ? 0 : 1_000), arm, lnP95: 6 + value, reference: 6)
            }
        }
        return GateCohortTests.estimate(.latencyP95, samples, parameters)
    }

    @Test func `three devices that happen to agree are no reason to exclude a cohort`() throws {
        let estimate = try #require(
            Self.estimate([0.31, 0.36, 0.41], [0.05, -0.04, 0.02, 0.00, -0.05]))
        #expect(estimate.ratio > 1.4)
        #expect(!estimate.fires(at: Self.level))
    }

    @Test func `a dozen that agree are`() throws {
        let scatter = [-0.05, -0.025, 0, 0.025, 0.05, 0]
        let treated = (scatter + scatter).map { $0 + 0.36 }
        let estimate = try #require(Self.estimate(treated, scatter + scatter + scatter))
        #expect(estimate.fires(at: Self.level))
    }
}
