import Glibc
import Primitives
import Telemetry
import TestSupport
import Testing

@testable import Health

/// The fleet's estimate over cohorts, and what cohorts and segments may do by themselves.
@Suite struct GateCohortTests {
    static let cohorts = ["eu/hub", "eu/tv", "us/hub", "us/tv", "in/hub", "in/tv"].map {
        GateFixtures.cohort($0)
    }

    static func estimate(
        _ metric: GateMetric, _ samples: [DeviceSample], _ parameters: GateParameters
    ) -> Estimate? {
        let results = HealthGate(parameters).results(GateFixtures.evidence(samples))
        guard
            case .estimate(let estimate) = results.first(where: { $0.rule.metric == metric })?
                .measurement
        else { return nil }
        return estimate
    }

    static func slow(_ sample: inout DeviceSample, _ ratio: Double) {
        sample.lnP95[.latency] = sample.lnP95[.latency].map { $0 + log(ratio) }
    }

    /// Cohorts of one size, where `ratio` slows the treated devices that `isHit` names.
    static func fleet(
        seed: UInt64, each: Int = 40, ratio: Double = 1,
        isHit: (DeviceSample) -> Bool = { _ in true }
    ) -> [DeviceSample] {
        GateDecisionTests.fleet(
            seed: seed, treated: each * cohorts.count, control: each * cohorts.count,
            cohorts: cohorts
        ) { sample, _ in
            if isHit(sample) { slow(&sample, ratio) }
        }
    }

    @Test func `is not deceived by cohorts whose devices are slower anyway`() throws {
        var samples: [DeviceSample] = []
        for (cohort, level, treated) in [(0, 6.0, 90), (1, 7.0, 10)] {
            for index in 0..<100 {
                var generator = SeededGenerator(seed: UInt64(cohort * 1_000 + index))
                samples.append(
                    GateFixtures.sample(
                        cohort * 1_000 + index, index < treated ? .control : .treated,
                        cohort: Self.cohorts[cohort], lnP95: level + generator.normal(sd: 0.1)))
            }
        }
        let estimate = try #require(Self.estimate(.latencyP95, samples, GateParameters()))
        #expect(!estimate.isPaired)
        #expect(abs(log(estimate.ratio)) < 0.05)
    }

    @Test func `takes nothing from a cohort without both arms`() throws {
        let samples = Self.fleet(seed: 1)
        let stray = (0..<3).map { index in
            GateFixtures.sample(
                9_000 + index, .treated, cohort: GateFixtures.cohort("jp/hub"), lnP95: 9,
                reference: 6)
        }
        let without = try #require(Self.estimate(.latencyP95, samples, GateParameters()))
        let with = try #require(Self.estimate(.latencyP95, samples + stray, GateParameters()))
        #expect(with.treatedDevices == without.treatedDevices)
        #expect(abs(with.effect - without.effect) < 0.01)
    }

    @Test func `sees in six cohorts of six devices what none of them could`() throws {
        let samples = GateDecisionTests.fleet(
            seed: 4, treated: 24, control: 12, cohorts: Self.cohorts, noise: 0.05
        ) { sample, _ in
            Self.slow(&sample, 1.4)
        }
        let judgement = GateDecisionTests.judge(samples)
        #expect(judgement.verdict == .rollback)
        let estimate = try #require(Self.estimate(.latencyP95, samples, GateParameters()))
        #expect(estimate.treatedDevices == 24)
        #expect(estimate.controlDevices == 12)
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `agrees on large cohorts with the mean of their differences by 1/se^2`(
        seed: UInt64
    ) throws {
        let samples = Self.fleet(seed: seed, each: 200)
        let fleet = try #require(Self.estimate(.escalations, samples, GateParameters()))
        var information = 0.0
        var effects = 0.0
        for cohort in Self.cohorts {
            let own = samples.filter { $0.cohort == cohort }
            let estimate = try #require(Self.estimate(.escalations, own, GateParameters()))
            information += 1 / (estimate.standardError * estimate.standardError)
            effects += estimate.effect / (estimate.standardError * estimate.standardError)
        }
        #expect(abs(fleet.effect - effects / information) < 0.1 * fleet.standardError)
        #expect(abs(fleet.standardError * information.squareRoot() - 1) < 0.05)
    }

    @Test func `leaves out the one device class that fails, where the policy allows it`() throws {
        let samples = Self.fleet(seed: 6, ratio: 2) { $0.cohort.deviceClass.description == "tv" }
        #expect(GateDecisionTests.judge(samples).verdict == .rollback)
        let judgement = GateDecisionTests.judge(samples) { $0.excludable = [.deviceClass] }
        #expect(judgement.verdict == .promote)
        let tv = try #require(AttributeName("tv"))
        #expect(judgement.findings.map(\.segment) == [.deviceClass(tv)])
        #expect(judgement.findings.map(\.action) == [.exclude])
        #expect(judgement.findings[0].reason.text.contains("in device class tv"))
    }

    @Test func `rolls back the whole where the rest fails too`() {
        let samples = Self.fleet(seed: 6, ratio: 2) { $0.cohort.region.description != "in" }
        let judgement = GateDecisionTests.judge(samples) {
            $0.excludable = Set(SegmentKind.allCases)
        }
        #expect(judgement.verdict == .rollback)
    }

    @Test func `leaves out no segment while the rest of the fleet is worse as well`() {
        let samples = GateDecisionTests.fleet(
            seed: 10, treated: 48, control: 48, cohorts: Self.cohorts
        ) { sample, _ in
            Self.slow(&sample, sample.cohort == Self.cohorts[0] ? 2 : 1.16)
        }
        let judgement = GateDecisionTests.judge(samples) {
            $0.excludable = Set(SegmentKind.allCases)
        }
        #expect(judgement.verdict == .rollback)
        #expect(judgement.findings.isEmpty)
    }

    @Test func `pauses everywhere when a cohort fails that may not be left out`() {
        let samples = GateDecisionTests.fleet(
            seed: 8, treated: 600, control: 600, cohorts: Self.cohorts, noise: 0.3
        ) { sample, _ in
            if sample.cohort == Self.cohorts[0] { Self.slow(&sample, 1.8) }
        }
        func judge(_ kinds: Set<SegmentKind>) -> Judgement {
            GateDecisionTests.judge(samples) {
                $0.excludable = kinds
                for index in $0.rules.indices where $0.rules[index].metric == .latencyP95 {
                    $0.rules[index].limit = 1.6
                }
                $0.rules = $0.rules.filter { $0.metric != .jumped }
            }
        }
        let paused = judge([])
        #expect(paused.verdict == .pause)
        #expect(
            paused.text.hasPrefix(
                "paused because cohort eu/hub, region eu fail by themselves: p95 latency"))
        let excluded = judge([.cohort])
        #expect(excluded.findings.contains { $0.action == .exclude })
        #expect(Self.isMilder(excluded.verdict))
    }

    static func isMilder(_ verdict: Verdict) -> Bool {
        GateDecisionTests.severity(verdict) < GateDecisionTests.severity(.pause)
    }

    @Test func `shares half of alpha among the segments`() throws {
        let results = HealthGate(GateParameters()).results(
            GateFixtures.evidence(Self.fleet(seed: 1)))
        let level = try #require(results.first?.level)
        #expect(abs(level / (0.005 / 36) - 1) < 1e-9)
        let one = HealthGate(GateParameters()).results(
            GateFixtures.evidence(GateDecisionTests.fleet(seed: 1, treated: 9, control: 9)))
        #expect(abs(try #require(one.first?.level) / (0.01 / 36) - 1) < 1e-9)
    }

    @Test func `shares alpha by the segments there are, whoever was heard`() throws {
        let segments = FleetSegment.all(cohorts: Set(Self.cohorts), locales: [])
        #expect(segments.count == 6 + 3 + 2)
        func levels(_ samples: [DeviceSample]) -> Set<Double> {
            var evidence = GateFixtures.evidence(samples)
            evidence.segments = segments
            return Set(HealthGate(GateParameters()).results(evidence).map(\.level))
        }
        let all = levels(Self.fleet(seed: 1))
        let few = levels(Self.fleet(seed: 1).filter { $0.cohort == Self.cohorts[0] })
        #expect(all == few)
        #expect(all.count == 1)
        #expect(abs(try #require(all.first) / (0.005 / 36) - 1) < 1e-9)
    }

    @Test func `gives durations of a segment a wider error, and the fleet's none`() throws {
        let evidence = GateFixtures.evidence(Self.fleet(seed: 1, each: 8))
        let look = GateLook(parameters: GateParameters(), evidence: evidence)
        let segment = FleetSegment.cohort(Self.cohorts[0])
        let rows = look.rows(in: segment)
        func error(_ segment: FleetSegment?) throws -> Double {
            let result = try #require(
                look.results(rows, segment: segment).first { $0.rule.metric == .latencyP95 })
            guard case .estimate(let estimate) = result.measurement else { return .nan }
            return estimate.standardError
        }
        // Sixteen devices, eight in each arm.
        let wider = Boundary.inflation(degrees: 14)
        #expect(wider > 1.4)
        #expect(abs(try error(segment) / error(nil) - wider) < 1e-9)
    }

    @Test(arguments: 0..<25 as Range<UInt64>)
    func `rolls back no sound release over six uneven cohorts`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed &+ 900)
        let samples = Self.fleet(seed: seed, each: 60).filter { sample in
            let place = Self.cohorts.firstIndex(of: sample.cohort) ?? 0
            return Int.random(in: 0..<6, using: &generator) <= place
        }
        let verdict = GateDecisionTests.judge(samples).verdict
        #expect(verdict != .rollback && verdict != .pause)
    }
}
