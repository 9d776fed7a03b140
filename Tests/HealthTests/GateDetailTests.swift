import Glibc
import Health
import Primitives
import Telemetry
import TestSupport
import Testing

/// Tables that the gate was designed with, directions, blind spots and the score.
@Suite struct GateDetailTests {
    /// Bad devices that `level` needs of `exposed`, or nil where even all are too few.
    static func needed(_ exposed: Int, q0: Double, level: Double) -> Int? {
        (0...exposed).first { bad in
            CountTest.logE(bad: Double(bad), of: Double(exposed), q0: q0) >= -log(level)
        }
    }

    @Test(arguments: [
        (2, 2, nil), (3, 3, 3), (5, 3, 4), (10, 4, 5), (20, 5, 6), (50, 7, 8), (200, 14, 16),
        (1_000, 39, 43), (5_000, 154, 158),
    ])
    func `needs as many silent devices as the design's table says`(
        exposed: Int, pause: Int?, rollback: Int?
    ) {
        #expect(Self.needed(exposed, q0: 0.020, level: 0.10 / 21) == pause)
        #expect(Self.needed(exposed, q0: 0.020, level: 0.01 / 21) == rollback)
    }

    @Test(arguments: [(5, 5, 5), (10, 7, 8), (20, 11, 12), (200, 50, 53)])
    func `needs more of them without beacon and history`(exposed: Int, pause: Int, rollback: Int) {
        #expect(Self.needed(exposed, q0: 0.146, level: 0.10 / 21) == pause)
        #expect(Self.needed(exposed, q0: 0.146, level: 0.01 / 21) == rollback)
    }

    @Test(arguments: [
        (3, 1.58, 14.40), (5, 1.53, 10.61), (10, 1.41, 7.18), (20, 1.27, 4.78), (50, 1.17, 3.18),
        (100, 1.11, 2.43), (200, 1.09, 1.95), (1_000, 1.05, 1.43),
    ])
    func `foresees the design's blind spots`(treated: Int, p95: Double, errors: Double) {
        let control = [3: 150, 5: 150, 10: 150, 20: 400, 50: 400, 100: 1_000, 200: 2_000]
        let power = Power(GateFixtures.asInGate())
        func spot(_ metric: GateMetric) -> Double? {
            MetricRule.defaults.first { $0.metric == metric }.flatMap {
                power.blindSpot($0, treated: treated, control: control[treated] ?? 4_000, hours: 24)
            }
        }
        // Medians of a simulation against a formula: 25% on the logarithmic scale.
        if let found = spot(.latencyP95) {
            #expect(abs(log(found) / log(p95) - 1) < 0.25, "p95 x\(found)")
        } else {
            #expect(treated < 5)
        }
        if let found = spot(.errors) {
            #expect(abs(log(found) / log(errors) - 1) < 0.25, "errors x\(found)")
        } else {
            Issue.record("expected a blind spot for errors")
        }
    }

    /// A device whose memory and word errors scatter as `PowerAssumptions` says, on 100 turns since its reference of 280.
    func scattered(
        _ index: Int, _ random: inout SeededGenerator, isPaired: Bool
    ) -> DeviceSample {
        let assumed = PowerAssumptions()
        func normal() -> Double {
            let pair = (
                Double.random(in: 1e-12..<1, using: &random),
                Double.random(in: 0..<1, using: &random)
            )
            return (-2 * log(pair.0)).squareRoot() * cos(2 * .pi * pair.1)
        }
        func share(_ rate: Double, words: Int) -> Double {
            Double((0..<words).count { _ in Double.random(in: 0..<1, using: &random) < rate })
                / Double(words)
        }
        var sample = GateFixtures.sample(index, index < 60 ? .treated : .control, turns: 100)
        let memory = 11 + assumed.memoryDeviceSpread * normal()
        let rate = min(
            0.9, assumed.wordErrorRate * exp(isPaired ? 0 : assumed.wordDeviceSpread * normal()))
        let words = Int(assumed.wordsPerTurn)
        sample.lnMemory = memory + assumed.memorySpread * normal()
        sample.wordErrorRate = share(rate, words: 100 * words)
        guard isPaired else { return sample }
        sample.reference = ReferenceSample(turns: 280)
        sample.reference?.lnMemory = memory + assumed.memorySpread * normal()
        sample.reference?.wordErrorRate = share(rate, words: 280 * words)
        return sample
    }

    @Test(arguments: [GateMetric.memoryPerTurn, .werProxy], [true, false])
    func `foresees what memory and word errors will show`(metric: GateMetric, isPaired: Bool) throws
    {
        var random = SeededGenerator(seed: 11)
        let samples = (0..<360).map { scattered($0, &random, isPaired: isPaired) }
        let parameters = GateParameters()
        let results = HealthGate(parameters).results(GateFixtures.evidence(samples))
        let result = try #require(results.first { $0.rule.metric == metric })
        let seen = try #require(result.blindSpot)
        var assumed = PowerAssumptions()
        // 100 turns in 60 hours less the burn-in, and 280 before; usage is alike.
        assumed.turnsPerHour = 100 / 57
        assumed.referenceHours = 280 / assumed.turnsPerHour
        assumed.usageSpread = 0
        let foreseen = try #require(
            Power(parameters, assumed).blindSpot(
                result.rule, treated: 60, control: 300, hours: 60, isPaired: isPaired))
        #expect(abs(log(foreseen) / log(seen) - 1) < 0.25, "foreseen x\(foreseen), seen x\(seen)")
    }

    @Test func `says after how many hours a worsening would show`() throws {
        let power = Power(GateParameters())
        let rule = try #require(MetricRule.defaults.first)
        let hours = try #require(power.hours(toSee: 1.3, rule, treated: 20, control: 400))
        #expect((12...60).contains(hours))
        #expect(power.hours(toSee: 1.01, rule, treated: 20, control: 400) == nil)
        #expect(power.blindSpot(rule, treated: 2, control: 400, hours: 24) == nil)
        #expect(power.blindSpot(rule, treated: 20, control: 400, hours: 2) == nil)
    }

    @Test func `takes the first turns after a swap off what a stage can see`() throws {
        let rule = try #require(MetricRule.defaults.first)
        let errors = try #require(MetricRule.defaults.first { $0.metric == .errors })
        func spot(_ turns: Int, _ rule: MetricRule, new: Double = 1) -> Double? {
            var parameters = GateParameters()
            parameters.burnInTurns = turns
            var arrival = Arrival()
            arrival.newShare = new
            return Power(parameters).blindSpot(
                rule, treated: 100, control: 400, hours: 72, arrival: arrival)
        }
        for rule in [rule, errors] {
            let none = try #require(spot(0, rule))
            let some = try #require(spot(60, rule))
            #expect(none < some)
            #expect(spot(1_000_000, rule) == nil)
            // Devices that have had the candidate for long left them out before.
            #expect(spot(1_000_000, rule, new: 0) == none)
            let half = try #require(spot(1_000_000, rule, new: 0.5))
            #expect(half > none)
        }
        var parameters = GateParameters()
        parameters.burnInTurns = 1_000_000
        #expect(Power(parameters).countingShare(hours: 72) == 0)
        var arrival = Arrival()
        (arrival.newShare, arrival.formerHours) = (0, 24)
        #expect(Power(parameters).countingShare(hours: 72, arrival: arrival) == 0)
        arrival.formerHours = 1e7
        #expect(Power(parameters).countingShare(hours: 72, arrival: arrival) > 0.99)
        parameters.burnInTurns = 10
        #expect((0.8...1).contains(Power(parameters).countingShare(hours: 72)))
    }

    @Test func `takes the wait in a ramp off what a stage can see`() throws {
        let rule = try #require(MetricRule.defaults.first)
        let errors = try #require(MetricRule.defaults.first { $0.metric == .errors })
        let power = Power(GateParameters())
        func ramp(_ hours: Double, new: Double = 1) -> Arrival {
            var arrival = Arrival()
            (arrival.rampHours, arrival.newShare) = (hours, new)
            return arrival
        }
        for (rule, ratio) in [(rule, 1.2), (errors, 3.0)] {
            func spot(_ arrival: Arrival) -> Double? {
                power.blindSpot(rule, treated: 100, control: 400, hours: 24, arrival: arrival)
            }
            func hours(_ arrival: Arrival) -> Int? {
                power.hours(toSee: ratio, rule, treated: 100, control: 400, arrival: arrival)
            }
            #expect(try #require(spot(ramp(0))) < #require(spot(ramp(24))))
            #expect(try #require(spot(ramp(24, new: 0.5))) < #require(spot(ramp(24))))
            #expect(try #require(hours(ramp(0))) + 3 < #require(hours(ramp(24))))
        }
    }

    func sides(_ treated: Int64, _ control: Int64) -> [DeviceSample] {
        (0..<80).map { index in
            var sample = GateFixtures.sample(
                index, index < 40 ? .treated : .control, turns: 400, lnP95: 6, reference: 6)
            sample.counters.escalations = index < 40 ? treated : control
            return sample
        }
    }

    func verdict(_ direction: MetricDirection, _ treated: Int64, _ control: Int64) -> Verdict {
        GateDecisionTests.judge(sides(treated, control)) {
            $0.rules = [MetricRule(.escalations, limit: 1.2, direction: direction)]
        }.verdict
    }

    @Test func `knows which way is worse`() {
        #expect(verdict(.higherIsWorse, 80, 40) == .rollback)
        #expect(GateDecisionTests.severity(verdict(.higherIsWorse, 40, 80)) < 3)
        #expect(verdict(.lowerIsWorse, 40, 80) == .rollback)
        #expect(GateDecisionTests.severity(verdict(.lowerIsWorse, 80, 40)) < 3)
        #expect(verdict(.watch, 80, 40) == .pause)
        #expect(verdict(.watch, 40, 80) == .pause)
        #expect(GateDecisionTests.severity(verdict(.watch, 60, 60)) < 3)
    }

    @Test func `keeps the range of a ratio around it`() throws {
        let samples = sides(60, 40)
        let results = HealthGate(GateParameters()).results(GateFixtures.evidence(samples))
        for result in results {
            guard case .estimate(let estimate) = result.measurement else { continue }
            let range = estimate.range(at: result.level)
            #expect(range.lower <= estimate.ratio && estimate.ratio <= range.upper)
            #expect((range.lower > 1) == estimate.fires(at: result.level), "\(result.rule.metric)")
        }
    }

    @Test func `scores a candidate for people to see`() throws {
        let same = try #require(GateDecisionTests.judge(sides(40, 40)).score)
        #expect(same.latency == 100)
        #expect(same.total == 100)
        let slower = GateDecisionTests.judge(
            GateDecisionTests.fleet(seed: 1, treated: 40, control: 40) { sample, _ in
                GateCohortTests.slow(&sample, 1.14)
            })
        #expect((30...70).contains(try #require(slower.score?.latency)))
        #expect(GateDecisionTests.judge([]).score == nil)
    }

    @Test func `judges a device that jumped once, and by its own figures`() throws {
        let samples = GateDecisionTests.fleet(seed: 2, treated: 60, control: 60) {
            sample, generator in
            if Int.random(in: 0..<5, using: &generator) == 0 { GateCohortTests.slow(&sample, 3) }
        }
        func count(_ samples: [DeviceSample]) throws -> CountEvidence {
            let results = HealthGate(GateParameters()).results(GateFixtures.evidence(samples))
            let jumped = try #require(results.first { $0.rule.metric == .jumped })
            guard case .count(let evidence) = jumped.measurement else {
                throw TestFailure.noData
            }
            return evidence
        }
        let fresh = try count(samples)
        #expect(fresh.bad > 5)
        #expect(fresh.devices == 60)
        var latched = samples
        for index in latched.indices { latched[index].jumped = false }
        #expect(try count(latched).bad == 0)
    }

    enum TestFailure: Error {
        case noData
    }
}
