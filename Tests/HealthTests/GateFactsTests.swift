import Glibc
import Health
import Primitives
import Telemetry
import Testing

/// The five facts of every reason (docs/gate.md), above all the devices that it names.
@Suite struct GateFactsTests {
    /// 40 treated and 200 control devices that are alike, all heard of.
    private func fleet(_ change: (Int, inout DeviceSample) -> Void) -> [DeviceSample] {
        (1...240).map { number in
            var sample = GateFixtures.sample(
                number, number <= 40 ? .treated : .control, turns: 100,
                lnP95: 6 + Double(number % 7) * 0.01, reference: 6)
            sample.counters.errors = 1
            sample.counters.falsePositives = 2
            sample.counters.escalations = 10
            sample.counters.abandoned = 5
            if number <= 40 { change(number, &sample) }
            return sample
        }
    }

    private func text(
        _ metric: GateMetric, _ samples: [DeviceSample], direction: MetricDirection = .higherIsWorse
    ) -> String {
        GateDecisionTests.judge(samples) { parameters in
            parameters.rules = parameters.rules.filter { $0.metric == metric }
            for index in parameters.rules.indices { parameters.rules[index].direction = direction }
        }.text
    }

    @Test(arguments: [
        (GateMetric.errors, \TurnCounters.errors), (.falsePositives, \.falsePositives),
        (.escalations, \.escalations), (.abandonment, \.abandoned),
    ])
    func `names the devices that add most to a rate`(
        metric: GateMetric, counter: any WritableKeyPath<TurnCounters, Int64> & Sendable
    ) {
        let samples = fleet { number, sample in
            sample.counters[keyPath: counter] += 20
            if number == 7 { sample.counters[keyPath: counter] = 50 }
            if number == 9 { sample.counters[keyPath: counter] = 49 }
            // Every turn of it, and it has one: that says little.
            if number == 11 {
                sample.counters = TurnCounters()
                sample.counters.turns = 1
                sample.counters[keyPath: counter] = 1
            }
        }
        let text = text(metric, samples)
        #expect(text.hasPrefix("rolled back because "))
        #expect(
            text.contains(
                "; devices that moved it most: 00000007 50 of 100 turns, 00000009 49 of 100 turns, "
            ),
            "\(text)")
    }

    @Test func `names the devices on which a rate fell most, where less is worse`() {
        let samples = fleet { number, sample in
            sample.counters.escalations = number == 3 ? 0 : 2
        }
        let text = text(.escalations, samples, direction: .lowerIsWorse)
        #expect(
            text.contains("; devices that moved it most: 00000003 0 of 100 turns, "), "\(text)")
    }

    @Test func `names no device on which a rate is what it is for others`() {
        let text = text(.errors, fleet { _, sample in sample.counters.errors = 0 })
        #expect(text.contains("; devices that moved it most: none; exposed so far: "), "\(text)")
    }

    @Test func `names the devices that are silent, those exposed longest first`() {
        let samples = fleet { number, sample in
            guard number <= 20 else { return }
            sample.lastHeard = nil
            if number == 5 { sample.exposedAt = GateFixtures.began + -60 }
        }
        let text = text(.silent, samples)
        #expect(text.hasPrefix("rolled back because 20 of 40 updated devices fell silent"))
        #expect(
            text.contains(
                "; devices that fell silent after the swap: 00000005, 00000001, 00000002; exposed so far: "
            ), "\(text)")
    }

    @Test func `names the devices that went back or failed the attempt`() {
        let back = text(.localRollbacks, fleet { $1.wentBack = $0 > 10 && $0 <= 30 })
        #expect(
            back.contains("; devices that went back by themselves: 0000000b, 0000000c, 0000000d; "),
            "\(back)")
        let failed = text(
            .attemptsFailed, fleet { $1.attempt = $0 > 20 ? .failed : .passed })
        #expect(
            failed.contains("; devices that failed the attempt: 00000015, 00000016, 00000017; "),
            "\(failed)")
        let none = text(.attemptsFailed, fleet { $1.attempt = .passed })
        #expect(none.contains("; devices that failed the attempt: none; "), "\(none)")
    }

    @Test func `names the devices that jumped, by the duration that is judged`() {
        let samples = fleet { number, sample in
            guard number > 25 else { return }
            sample.lnP95[.latency] = 6 + log(number == 30 ? 3 : 2)
            sample.wordErrorRate = 0.5
        }
        let text = text(.jumped, samples)
        #expect(
            text.contains(
                "; devices that became much slower than they were: 0000001e x3.00, 0000001a x2.00, "
                    + "0000001b x2.00; "), "\(text)")
    }

    @Test func `names the devices that became faster, where less is worse`() {
        let samples = fleet { number, sample in
            sample.lnP95[.latency] = 6 - log(number == 8 ? 4 : 2)
        }
        let text = text(.latencyP95, samples, direction: .lowerIsWorse)
        #expect(text.contains("; devices that moved most: 00000008 x0.25, "), "\(text)")
    }

    @Test func `says each fact also where no test has data`() {
        for (hours, word) in [(1, "waiting"), (24, "paused")] as [(Int64, String)] {
            let text = GateDecisionTests.judge([], hours: hours).text
            #expect(text.hasPrefix("\(word) because "))
            #expect(
                text.hasSuffix(
                    "; no test has data: no figure to show, nothing to compare with, no chance to state, "
                        + "no device to name; exposed so far: 0 devices, 0 turns"), "\(text)")
        }
    }

    @Test func `names the devices that break an absolute limit, and its chance`() {
        func text(_ change: (Int, inout DeviceSample) -> Void) -> String {
            var parameters = GateParameters()
            parameters.absolute.p95Milliseconds = 900
            let treated = fleet(change).filter { $0.arm == .treated }
            var evidence = GateFixtures.evidence(treated)
            evidence.control = .none
            return HealthGate(parameters).judge(evidence).text
        }
        let slow = text { number, sample in
            sample.lnP95[.latency] = log(2_000) + (number == 12 ? log(2) : 0)
        }
        #expect(
            slow.contains(
                "allowed 900.00 ms); within the limit, fewer than 1 rollout in 100 would show this at any "
                    + "time; highest on 0000000c 4000.00 ms, 00000001 2000.00 ms, 00000002 2000.00 ms; "
            ),
            "\(slow)")
        let failing = text { number, sample in
            sample.counters.errors = number == 13 ? 60 : 30
        }
        #expect(failing.contains("; highest on 0000000d 60 of 100 turns, "), "\(failing)")
    }
}
