import Glibc
import Health
import Primitives
import Telemetry
import TestSupport
import Testing

/// Two and a half times the processor time falls on the device, a fifth more falls to the gate.
///
/// With the values of the policy that `make demo` runs, `scripts/demo/rollout.yaml`.
@Suite struct DemonstrationTests {
    /// The lines of the demonstration's policy that these tests depend on.
    struct DemonstrationPolicy {
        private let lines: [Substring]

        init() throws {
            let bytes = try #require(RepositoryFiles.bytes("scripts/demo/rollout.yaml"))
            lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        }

        /// Whether the policy has exactly this line.
        func has(_ line: String) -> Bool { lines.contains { $0 == line } }

        /// A number in a line such as `probation: { turns: 40, least_turns: 40 }`.
        func number(_ field: String, in object: String) throws -> Int {
            let line = try #require(lines.first { $0.hasPrefix("\(object): {") })
            let pairs = line.dropFirst(object.count + 3).split(separator: ",")
            let found = pairs.compactMap { pair -> Int? in
                let words = pair.split { " :{}".contains($0) }
                return words.first == Substring(field) ? words.last.flatMap { Int($0) } : nil
            }
            return try #require(found.first)
        }
    }

    static func policy() throws -> ProbationPolicy {
        let demonstration = try DemonstrationPolicy()
        var policy = ProbationPolicy()
        policy.clock = .cpu
        policy.turns = try demonstration.number("turns", in: "probation")
        policy.leastTurns = try demonstration.number("least_turns", in: "probation")
        policy.midShare = Double(try demonstration.number("mid_q0", in: "probation")) / 1_000
        return policy
    }

    static func parameters() throws -> GateParameters {
        let demonstration = try DemonstrationPolicy()
        try #require(
            demonstration.has("  - metric: latency_p95") && demonstration.has("    limit: 1.15")
                && demonstration.has("    clock: cpu_ms")
                && demonstration.has("without_gates: [cpu_per_turn]"))
        var parameters = GateParameters()
        parameters.judge(by: .cpu)
        parameters.minTurns = try demonstration.number("min_turns_p95", in: "statistics")
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
        let policy = try Self.policy()
        var watch = ProbationWatch(
            policy: policy, reference: reference, startedAt: GateFixtures.began)
        var after = TurnTally()
        var wentBackAt: Int?
        let own = arm == .treated ? ratio : 1
        for turn in turns(policy.turns, own, level: level, drift: drift, &generator)
        where wentBackAt == nil {
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
    func `leaves two and a half times the processor time to the devices`(seed: UInt64) throws {
        let treated = try Self.fleet(ratio: 2.5, seed: seed).filter { $0.sample.arm == .treated }
        #expect(treated.allSatisfy { ($0.wentBackAt ?? .max) <= 20 })
    }

    @Test(arguments: [1.20, 1.25], 0..<20 as Range<UInt64>)
    func `leaves a fifth to a quarter more to the gate`(ratio: Double, seed: UInt64) throws {
        let fleet = try Self.fleet(ratio: ratio, seed: seed)
        #expect(fleet.count { $0.wentBackAt != nil } <= 1)
        let evidence = GateFixtures.evidence(fleet.map(\.sample))
        let judgement = HealthGate(try Self.parameters()).judge(evidence)
        #expect(judgement.verdict == .rollback)
        #expect(judgement.text.contains("p95 processor time on"))
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `finds nothing wrong with the same processor time`(seed: UInt64) throws {
        let fleet = try Self.fleet(ratio: 1, seed: seed)
        #expect(fleet.allSatisfy { $0.wentBackAt == nil })
        let judgement = HealthGate(try Self.parameters()).judge(
            GateFixtures.evidence(fleet.map(\.sample)))
        #expect(GateDecisionTests.severity(judgement.verdict) < 3)
    }
}
