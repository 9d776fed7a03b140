import Glibc
import Health
import Primitives
import Telemetry
import Testing

/// The deterministic vectors that the gate was designed with, within 1e-4.
@Suite struct GateVectorTests {
    static let level = 0.01 / 21

    func isClose(_ found: Double, _ expected: Double, within tolerance: Double = 1e-4) -> Bool {
        abs(found / expected - 1) <= tolerance
    }

    @Test func `shares alpha over tests and stages`() {
        let level = GateParameters.level(0.01, tests: 7, stages: 3)
        #expect(isClose(level, 4.76190e-4))
        #expect(isClose(1 / level, 2_100))
    }

    @Test(arguments: [
        (0.25, 8.4077), (0.5, 6.5544), (1, 5.4051), (2, 4.7454), (5, 4.3413), (10, 4.2359),
        (20, 4.2197), (50, 4.2664), (100, 4.3259), (1_000, 4.5654),
    ])
    func `draws the boundary of the vector`(x: Double, expected: Double) {
        #expect(isClose(Boundary.k(x: x, level: Self.level), expected))
    }

    @Test func `compares two rates as the vector does`() {
        let rates = RateContrast(
            worse: 0.06, better: 0.01, worseWeight: 300, betterWeight: 5_000, worseDispersion: 1.0,
            betterDispersion: 1.1)
        let limit = MetricRule(.errors, limit: 1.5, allowedShare: 0.05).limit(controlRate: 0.01)
        let x = rates.x(limit: limit)
        let z = rates.effect() / rates.standardError()
        #expect(isClose(rates.effect(), 0.144949))
        #expect(isClose(rates.standardError(), 0.028944))
        #expect(isClose(x, 18.237))
        #expect(isClose(Boundary.k(x: x, level: Self.level), 4.2185))
        #expect(isClose(z, 5.0078))
        #expect(isClose(Boundary.pValue(z: z, x: x), 1.508e-5, within: 5e-4))
    }

    @Test(arguments: [
        (50, 5_000, 0.020332), (55, 5_500, 0.020054), (40, 1_000, 0.069173), (8, 200, 0.108887),
        (0, 10, 0.545191),
    ])
    func `excuses the share of the vector`(bad: Double, devices: Double, expected: Double) {
        #expect(isClose(CountTest.excusedShare(bad: bad, of: devices), expected))
    }

    @Test(arguments: [
        (2, 2, 0.09, 33.463), (3, 3, 0.09, 290.400), (4, 4, 0.09, 2_735.376),
        (4, 5, 0.09, 350.257), (5, 10, 0.09, 68.206), (20, 100, 0.09, 55.902),
        (90, 1_000, 0.055, 895.274),
    ])
    func `gives the e-value of the vector`(
        bad: Double, devices: Double, q0: Double, expected: Double
    ) {
        #expect(isClose(exp(CountTest.logE(bad: bad, of: devices, q0: q0)), expected))
    }

    @Test func `reproduces vector A, down to the sentence`() throws {
        let evidence = GateFixtures.vectorA()
        let gate = HealthGate(GateFixtures.asInGate())
        let judgement = gate.judge(evidence)
        let result = try #require(judgement.results.first { $0.rule.metric == .latencyP95 })
        guard case .estimate(let estimate) = result.measurement else {
            Issue.record("expected an estimate, got \(result.measurement)")
            return
        }
        #expect(isClose(estimate.effect, 0.291))
        #expect(isClose(estimate.standardError, 0.050407))
        #expect(isClose(estimate.x, 27.091))
        #expect(isClose(Boundary.k(x: estimate.x, level: result.level), 4.2291))
        #expect(isClose(estimate.z, 5.773))
        #expect(isClose(estimate.range(at: result.level).lower, 1.0809))
        #expect(isClose(estimate.pValue, 2.78e-07, within: 2e-3))
        #expect(isClose(estimate.ratio, 1.338, within: 5e-4))
        #expect(judgement.verdict == .rollback)
        #expect(
            judgement.text
                == "rolled back because p95 latency on 5 updated devices is x1.34 of their own "
                + "previous week, compared with 10 devices on the old release (range x1.08–x1.66, "
                + "allowed x1.30); with no real change, fewer than 1 rollout in 170,000 would show "
                + "this at any time; devices that moved most: 00000005 x1.55, 00000009 x1.43, "
                + "00000001 x1.36; exposed so far: 5 devices, 210 turns")
    }

    @Test func `reproduces vector B, down to the sentence`() throws {
        let judgement = HealthGate(GateFixtures.asInGate()).judge(GateFixtures.vectorB())
        let result = try #require(judgement.results.first { $0.rule.metric == .errors })
        guard case .estimate(let estimate) = result.measurement, let rates = estimate.rates else {
            Issue.record("expected an estimate of rates, got \(result.measurement)")
            return
        }
        #expect(isClose(rates.worse, 0.06))
        #expect(isClose(rates.better, 0.01))
        #expect(isClose(rates.worseWeight, 300))
        #expect(isClose(rates.betterWeight, 5_000))
        #expect(isClose(rates.worseDispersion, 1))
        #expect(isClose(rates.betterDispersion, 1.1, within: 5e-4))
        #expect(isClose(estimate.effect, 0.144949))
        #expect(isClose(estimate.standardError, 0.028944))
        #expect(isClose(estimate.x, 18.237))
        #expect(isClose(Boundary.k(x: estimate.x, level: result.level), 4.2185))
        #expect(isClose(estimate.z, 5.0078))
        #expect(isClose(estimate.pValue, 1.508e-5, within: 5e-4))
        // The least rate that is far enough from 1% to roll back: 2.92%, which 6% is beyond.
        let least = rates.better * pow(estimate.limit, GateFixtures.asInGate().sizeFraction)
        #expect(isClose(least, 0.0292, within: 2e-3))
        #expect(estimate.reaches(GateFixtures.asInGate().sizeFraction))
        #expect(judgement.verdict == .rollback)
        #expect(
            judgement.text
                == "rolled back because error rate on 160 updated devices is 6.00% against 1.00%, "
                + "x6.00, compared with 3880 devices on the old release (range x1.46–x17.76, "
                + "allowed x5.00); with no real change, fewer than 1 rollout in 3,100 would show "
                + "this at any time; devices that moved it most: 0000009d 2 of 21 turns, 0000009e 2 of 21 "
                + "turns, 0000009f 2 of 21 turns; exposed so far: 160 devices, 360 turns")
    }
}
