import Glibc
import Health
import Primitives
import Telemetry
import TestSupport
import Testing

/// The verdicts of docs/gate.md.
@Suite struct GateDecisionTests {
    /// A fleet with nothing wrong but what `change` does to its treated devices.
    static func fleet(
        seed: UInt64, treated: Int, control: Int, cohorts: [Cohort] = [GateFixtures.hub],
        noise: Double = 0.12,
        change: (inout DeviceSample, inout SeededGenerator) -> Void = { _, _ in }
    ) -> [DeviceSample] {
        var generator = SeededGenerator(seed: seed)
        return (0..<treated + control).map { index in
            let arm: Arm = index < treated ? .treated : .control
            let level = 6 + generator.normal(sd: 0.35)
            var sample = GateFixtures.sample(
                index + 1, arm, cohort: cohorts[index % cohorts.count], turns: 100,
                lnP95: level + generator.normal(sd: noise), reference: level)
            sample.counters.errors = Int64(generator.poisson(1))
            sample.counters.falsePositives = Int64(generator.poisson(2))
            sample.counters.escalations = Int64(generator.poisson(10))
            sample.counters.abandoned = Int64(generator.poisson(5))
            if arm == .treated { change(&sample, &generator) }
            return sample
        }
    }

    static func judge(
        _ samples: [DeviceSample], hours: Int64 = 24, stage: Int = 0, isLast: Bool = false,
        _ change: (inout GateParameters) -> Void = { _ in }
    ) -> Judgement {
        var parameters = GateParameters()
        change(&parameters)
        let evidence = GateFixtures.evidence(samples, hours: hours, stage: stage, isLast: isLast)
        return HealthGate(parameters).judge(evidence)
    }

    static func severity(_ verdict: Verdict) -> Int {
        switch verdict {
        case .promote: 0
        case .promoteUnproven: 1
        case .wait: 2
        case .pause: 3
        case .rollback: 4
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `promotes a sound release after its soak, never before`(seed: UInt64) {
        let samples = Self.fleet(seed: seed, treated: 200, control: 200)
        #expect(Self.judge(samples, hours: 23).verdict == .wait)
        #expect(Self.judge(samples, hours: 24).verdict == .promote)
    }

    @Test(arguments: [1, 2, 3, 5, 10, 40])
    func `never promotes a stage whose devices all fell silent`(treated: Int) {
        let samples = Self.fleet(seed: 3, treated: treated, control: 40) { sample, _ in
            sample.lastHeard = nil
            sample.counters = TurnCounters()
            sample.lnP95 = [:]
        }
        for hours in [1, 11, 12, 24, 72, 1_000] as [Int64] {
            for word in InsufficientEvidence.allCases {
                let verdict = Self.judge(samples, hours: hours, isLast: true) {
                    $0.onInsufficientEvidence = word
                }.verdict
                #expect(Self.severity(verdict) >= 2, "\(treated) devices, \(hours) h")
            }
        }
    }

    @Test func `rolls back when three of three devices fell silent, given a history`() {
        let samples = Self.fleet(seed: 3, treated: 3, control: 40) { sample, _ in
            sample.lastHeard = nil
        }
        var evidence = GateFixtures.evidence(samples, hours: 12)
        evidence.history = [GateFixtures.hub: SilenceHistory(silent: 50, windows: 5_000)]
        let judgement = HealthGate(GateFixtures.asInGate()).judge(evidence)
        #expect(judgement.verdict == .rollback)
        #expect(
            judgement.text.hasPrefix(
                "rolled back because 3 of 3 updated devices fell silent after the swap, where "))
        evidence.now = evidence.began + (12 * 3_600 - 1)
        #expect(HealthGate(GateFixtures.asInGate()).judge(evidence).verdict == .wait)
    }

    @Test func `does not believe a history that control contradicts`() {
        var samples = Self.fleet(seed: 3, treated: 40, control: 40)
        for index in samples.indices where index % 2 == 0 { samples[index].lastHeard = nil }
        var evidence = GateFixtures.evidence(samples, hours: 12)
        evidence.history = [GateFixtures.hub: SilenceHistory(silent: 50, windows: 5_000)]
        #expect(HealthGate(GateFixtures.asInGate()).judge(evidence).verdict == .wait)
    }

    @Test func `does not believe a history that control contradicts a little`() {
        var samples = Self.fleet(seed: 3, treated: 40, control: 40)
        for index in Array(0..<8) + Array(40..<45) { samples[index].lastHeard = nil }
        var evidence = GateFixtures.evidence(samples, hours: 12)
        evidence.history = [GateFixtures.hub: SilenceHistory(silent: 50, windows: 5_000)]
        #expect(HealthGate(GateFixtures.asInGate()).judge(evidence).verdict == .wait)
        for index in 41..<45 { evidence.samples[index].lastHeard = evidence.now }
        #expect(HealthGate(GateFixtures.asInGate()).judge(evidence).verdict == .rollback)
    }

    @Test func `measures from what is accepted, not from no change`() throws {
        let samples = Self.fleet(seed: 5, treated: 30, control: 60) { sample, _ in
            sample.lnP95[.latency] = sample.lnP95[.latency].map { $0 + log(1.2) }
        }
        func judge(accepted: Double) throws -> (Estimate, Verdict) {
            var parameters = GateFixtures.asInGate()
            parameters.rules[0].accepted = accepted
            let judgement = HealthGate(parameters).judge(GateFixtures.evidence(samples))
            guard case .estimate(let estimate) = judgement.results[0].measurement else {
                throw GateDetailTests.TestFailure.noData
            }
            return (estimate, judgement.verdict)
        }
        let (plain, stopped) = try judge(accepted: 1)
        let (shifted, kept) = try judge(accepted: 1.1)
        #expect(abs(plain.effect - shifted.effect - log(1.1)) < 1e-9)
        #expect(plain.ratio == shifted.ratio)
        #expect(Self.severity(stopped) >= 3)
        #expect(Self.severity(kept) < 3)
    }

    @Test func `never promotes a stage without exposed devices or without control`() {
        let nobody = Self.fleet(seed: 1, treated: 0, control: 50)
        let unseen = Self.fleet(seed: 1, treated: 50, control: 50) { sample, _ in
            sample.exposedAt = nil
        }
        let alone = Self.fleet(seed: 1, treated: 50, control: 4)
        for samples in [[], nobody, unseen, alone] {
            for hours in [24, 100] as [Int64] {
                let judgement = Self.judge(samples, hours: hours) {
                    $0.onInsufficientEvidence = .promoteUnproven
                }
                #expect(judgement.verdict == .pause || judgement.verdict == .wait)
            }
        }
        let reason = Self.judge(alone).text
        #expect(reason.contains("only 4 control devices report, and a comparison needs 5"))
    }

    @Test func `waits for the evidence that a stage must have, then does as the policy says`() {
        let samples = Self.fleet(seed: 2, treated: 4, control: 8)
        #expect(Self.judge(samples, hours: 24).verdict == .wait)
        #expect(Self.judge(samples, hours: 71).verdict == .wait)
        #expect(Self.judge(samples, hours: 72).verdict == .pause)
        let unproven = Self.judge(samples, hours: 72) {
            $0.onInsufficientEvidence = .promoteUnproven
        }
        #expect(unproven.verdict == .promoteUnproven)
        #expect(unproven.text.contains("required 8.00%"))
        #expect(unproven.text.contains("its time is over"))
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func `never becomes milder as the treated devices become slower`(seed: UInt64) {
        var last = 0
        for step in 0...20 {
            let samples = Self.fleet(seed: seed, treated: 30, control: 60) { sample, _ in
                sample.lnP95[.latency] = sample.lnP95[.latency].map { $0 + 0.03 * Double(step) }
            }
            let now = Self.severity(Self.judge(samples, stage: 1).verdict)
            #expect(now >= last, "step \(step)")
            last = now
        }
        #expect(last == 4)
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func `never becomes milder as more treated devices fail or fall silent`(seed: UInt64) {
        for kind in 0..<3 {
            var last = 0
            for bad in stride(from: 0, through: 30, by: 3) {
                var samples = Self.fleet(seed: seed, treated: 30, control: 200)
                for index in 0..<bad {
                    switch kind {
                    case 0: samples[index].lastHeard = nil
                    case 1: samples[index].wentBack = true
                    default: samples[index].attempt = .failed
                    }
                }
                for index in bad..<30 where kind == 2 { samples[index].attempt = .passed }
                let now = Self.severity(Self.judge(samples, stage: 0).verdict)
                #expect(now >= last, "kind \(kind), \(bad) bad")
                last = now
            }
            #expect(last == 4, "kind \(kind)")
        }
    }

    @Test func `pauses only from a third of the limit, however sure it is`() {
        func verdict(
            _ ratio: Double, _ change: (inout GateParameters) -> Void = { _ in }
        ) -> Verdict {
            let samples = Self.fleet(seed: 5, treated: 3_000, control: 3_000) { sample, _ in
                sample.lnP95[.latency] = sample.lnP95[.latency].map { $0 + log(ratio) }
            }
            return Self.judge(samples, change).verdict
        }
        #expect(verdict(1.05) == .promote)
        #expect(verdict(1.05) { $0.pauseFraction = 0 } == .pause)
        #expect(verdict(1.12) == .pause)
        #expect(verdict(1.22) == .rollback)
        func accepting(_ parameters: inout GateParameters) {
            for index in parameters.rules.indices
            where parameters.rules[index].metric == .latencyP95 {
                parameters.rules[index].accepted = 1.10
            }
        }
        #expect(verdict(1.12, accepting) == .promote)
        #expect(verdict(1.18, accepting) == .pause)
        #expect(verdict(1.25, accepting) == .rollback)
    }

    @Test func `counts failed attempts against a fixed share`() {
        func verdict(_ outcomes: [AttemptOutcome]) -> Verdict {
            var samples = Self.fleet(seed: 7, treated: 0, control: 20)
            for (index, outcome) in outcomes.enumerated() {
                var sample = DeviceSample(
                    device: GateFixtures.device(500 + index), cohort: GateFixtures.hub,
                    arm: .treated)
                sample.attempt = outcome
                sample.attemptAt = GateFixtures.began
                samples.append(sample)
            }
            return Self.judge(samples, hours: 12).verdict
        }
        #expect(verdict([.failed]) == .wait)
        #expect(verdict([.failed, .failed]) == .pause)
        #expect(verdict([.failed, .failed, .failed]) == .rollback)
        #expect(verdict([.started, .started, .started]) == .rollback)
        #expect(verdict([.passed, .passed, .passed]) == .wait)
    }

    @Test func `pauses when updated devices are missing, from two on`() {
        func judgement(_ missing: Int) -> Judgement {
            var samples = Self.fleet(seed: 9, treated: 12, control: 40)
            for index in 0..<missing { samples[index].lastHeard = nil }
            return Self.judge(samples, hours: 12)
        }
        #expect(judgement(1).verdict == .wait)
        #expect(judgement(2).verdict == .pause)
        let text = judgement(2).text
        #expect(
            text.hasPrefix(
                "paused because 2 of 12 updated devices have not reported (control: 0 of 40): 00000001, "
                    + "00000002; nearest to a verdict: p95 latency on 12"
            ))
        #expect(text.hasSuffix("exposed so far: 12 devices, 1200 turns"))
    }

    @Test func `keeps devices that went back out of A and B, and bad in C`() throws {
        let samples = Self.fleet(seed: 11, treated: 40, control: 40) { sample, generator in
            guard Bool.random(using: &generator) else { return }
            sample.wentBack = true
            sample.lnP95[.latency] = 9
            sample.counters.errors = 100
        }
        let results = HealthGate(GateParameters()).results(GateFixtures.evidence(samples))
        for result in results where [.latencyP95, .errors].contains(result.rule.metric) {
            #expect(!result.rollsBack(GateParameters()))
        }
        let back = try #require(results.first { $0.rule.metric == .localRollbacks })
        #expect(back.rollsBack(GateParameters()))
    }

    @Test func `judges a first release by test C and absolute limits alone`() {
        func judge(
            _ samples: [DeviceSample], hours: Int64 = 24, p95: Double? = 900
        ) -> Judgement {
            var parameters = GateParameters()
            parameters.absolute.p95Milliseconds = p95
            var evidence = GateFixtures.evidence(samples, hours: hours)
            evidence.control = .none
            return HealthGate(parameters).judge(evidence)
        }
        func fleet(_ lnP95: Double, errors: Int64 = 1, count: Int = 200) -> [DeviceSample] {
            Self.fleet(seed: 13, treated: count, control: 0) { sample, generator in
                sample.lnP95[.latency] = lnP95 + generator.normal(sd: 0.2)
                sample.counters.errors = errors
            }
        }
        #expect(judge(fleet(6)).verdict == .promote)
        #expect(judge(fleet(6), hours: 23).verdict == .wait)
        #expect(judge(fleet(7.2)).verdict == .rollback)
        #expect(judge(fleet(7.2)).text.contains("allowed 900.00 ms"))
        #expect(judge(fleet(7.2), p95: nil).verdict == .promote)
        #expect(judge(fleet(6, errors: 12)).verdict == .rollback)
        #expect(judge(fleet(6, count: 2)).verdict == .wait)
        #expect(judge(fleet(6, count: 2), hours: 72).verdict == .pause)
        #expect(judge([], hours: 72).verdict == .pause)
    }

    @Test func `without control its own share excuses silence and local rollbacks`() {
        func judge(
            _ control: StageEvidence.Control, attempts: Double, uncontrolled: Double
        ) -> Verdict {
            var parameters = GateParameters()
            parameters.attemptsShare = attempts
            parameters.uncontrolledShare = uncontrolled
            let samples = Self.fleet(seed: 13, treated: 50, control: 0) { sample, _ in
                sample.wentBack = sample.device.bytes[3] < 20
            }
            var evidence = GateFixtures.evidence(samples, hours: 23)
            evidence.control = control
            return HealthGate(parameters).judge(evidence).verdict
        }
        // 20 of 50 went back: too many where 2% are excused, and not where 60% are.
        #expect(judge(.none, attempts: 0.6, uncontrolled: 0.02) == .rollback)
        #expect(judge(.none, attempts: 0.02, uncontrolled: 0.6) == .wait)
        #expect(judge(.concurrent, attempts: 0.02, uncontrolled: 0.6) == .rollback)
    }
}
