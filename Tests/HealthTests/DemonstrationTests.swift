import Glibc
import Health
import Primitives
import Telemetry
import TestSupport
import Testing

/// Twice and more of the processor time falls on the device, a fifth more falls to the gate.
///
/// Parameters as `docs/gate.md` recommends for demonstrations.
@Suite struct DemonstrationTests {
    static func policy() -> ProbationPolicy {
        var policy = ProbationPolicy()
        policy.clock = .cpu
        policy.turns = 50
        policy.leastTurns = 40
        policy.midShare = 0.60
        return policy
    }

    static func parameters() -> GateParameters {
        var parameters = GateParameters()
        parameters.judge(by: .cpu)
        for index in parameters.rules.indices where parameters.rules[index].metric == .latencyP95 {
            parameters.rules[index].limit = 1.15
        }
        parameters.rules.removeAll { $0.metric == .cpuPerTurn }
        return parameters
    }

    /// Turns of one device with 10% noise a turn and 3% drift since its reference.
    static func turns(
        _ count: Int, _ ratio: Double, level: Double, drift: Double,
        _ generator: inout SeededGenerator
    ) -> [TurnRecord] {
        (0..<count).map { _ in
            let milliseconds = ratio * exp(level + drift + generator.normal(sd: 0.10))
            return TurnRecord(
                latencyMicroseconds: Int64(milliseconds * 1_100),
                cpuMicroseconds: Int64(milliseconds * 1_000))
        }
    }

    struct Device {
        let sample: DeviceSample
        let wentBackAt: Int?
    }

    static func device(_ number: Int, _ arm: Arm, ratio: Double, seed: UInt64) throws -> Device {
        var generator = SeededGenerator(seed: seed &* 1_000 &+ UInt64(number))
        let level = log(15) + generator.normal(sd: 0.2)
        var before = TurnTally()
        for turn in turns(60, 1, level: level, drift: 0, &generator) { before.record(turn) }
        let version = try #require(SemanticVersion("1.4.0"))
        let reference = try #require(Reference(version: version, tally: before, leastTurns: 30))
        let drift = generator.normal(sd: 0.03)
        var watch = ProbationWatch(
            policy: policy(), reference: reference, startedAt: GateFixtures.began)
        var after = TurnTally()
        var wentBackAt: Int?
        let own = arm == .treated ? ratio : 1
        for turn in turns(50, own, level: level, drift: drift, &generator) where wentBackAt == nil {
            after.record(turn)
            guard arm == .treated else { continue }
            if case .rollBack = watch.record(turn, at: GateFixtures.began) {
                wentBackAt = watch.turns
            }
        }
        let cohort = GateCohortTests.cohorts[number % 6]
        var sample = GateFixtures.sample(number, arm, cohort: cohort)
        sample.counters = after.counters
        sample.lnP95[.cpu] = after.cpu.logQuantile(0.95)
        sample.reference = ReferenceSample(turns: Int(reference.turns))
        sample.reference?.lnP95[.cpu] = reference.lnP95(.cpu)
        sample.wentBack = wentBackAt != nil
        return Device(sample: sample, wentBackAt: wentBackAt)
    }

    static func fleet(ratio: Double, seed: UInt64) throws -> [Device] {
        try (0..<28).map { number in
            try device(number, number < 18 ? .treated : .control, ratio: ratio, seed: seed)
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `leaves 2.7 times the processor time to the devices`(seed: UInt64) throws {
        let treated = try Self.fleet(ratio: 2.7, seed: seed).filter { $0.sample.arm == .treated }
        #expect(treated.allSatisfy { ($0.wentBackAt ?? .max) <= 20 })
    }

    @Test(arguments: [1.20, 1.25], 0..<20 as Range<UInt64>)
    func `leaves a fifth to a quarter more to the gate`(ratio: Double, seed: UInt64) throws {
        let fleet = try Self.fleet(ratio: ratio, seed: seed)
        #expect(fleet.count { $0.wentBackAt != nil } <= 1)
        let evidence = GateFixtures.evidence(fleet.map(\.sample))
        let judgement = HealthGate(Self.parameters()).judge(evidence)
        #expect(judgement.verdict == .rollback)
        #expect(judgement.text.contains("p95 processor time on"))
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `finds nothing wrong with the same processor time`(seed: UInt64) throws {
        let fleet = try Self.fleet(ratio: 1, seed: seed)
        #expect(fleet.allSatisfy { $0.wentBackAt == nil })
        let judgement = HealthGate(Self.parameters()).judge(
            GateFixtures.evidence(fleet.map(\.sample)))
        #expect(GateDecisionTests.severity(judgement.verdict) < 3)
    }
}
