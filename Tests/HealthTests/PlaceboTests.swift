import Primitives
import Telemetry
import TestSupport
import Testing

@testable import Health

/// The gate on devices in which nothing has changed, and what follows where it cries wolf.
@Suite struct PlaceboTests {
    private let now = GateFixtures.began + 100_000

    /// Devices that all run one version.
    private func cohort(_ count: Int, seed: UInt64) -> [DeviceSample] {
        GateDecisionTests.fleet(seed: seed, treated: 0, control: count)
    }

    @Test(arguments: [20, 60, 400])
    func `a cohort like those of the simulations is trusted`(devices: Int) {
        let trial = PlaceboTrial(GateParameters(), cohort(devices, seed: 7), at: now)
        #expect(trial.isPossible)
        var random = SeededGenerator(seed: 3)
        let fired = trial.fired(using: &random)
        #expect(PlaceboTrial.isTrusted(fired: fired, runs: PlaceboTrial.runs), "\(fired)")
    }

    @Test func `where the numbers do not fit the cohort, it fires too often`() {
        // Half of twelve devices drift a lot, and the policy lends no variance to the four that are taken.
        var parameters = GateParameters()
        parameters.pseudoDevices = 0
        parameters.alpha = 0.2
        var samples = cohort(12, seed: 7)
        for index in samples.indices where index.isMultiple(of: 2) {
            samples[index].lnP95[.latency] = samples[index].lnP95[.latency].map { $0 + 1.2 }
        }
        var random = SeededGenerator(seed: 3)
        let fired = PlaceboTrial(parameters, samples, at: now).fired(using: &random)
        #expect(!PlaceboTrial.isTrusted(fired: fired, runs: PlaceboTrial.runs), "\(fired)")
        var careful = SeededGenerator(seed: 3)
        let sound = PlaceboTrial(GateParameters(), samples, at: now).fired(using: &careful)
        #expect(PlaceboTrial.isTrusted(fired: sound, runs: PlaceboTrial.runs), "\(sound)")
    }

    @Test func `a cohort that is too small for a comparison is not tried`() {
        let trial = PlaceboTrial(GateParameters(), cohort(7, seed: 1), at: now)
        #expect(!trial.isPossible)
        var random = SeededGenerator(seed: 1)
        #expect(trial.fired(using: &random) == 0)
        #expect(PlaceboTrial(GateParameters(), cohort(8, seed: 1), at: now).isPossible)
    }

    // MARK: What follows

    private func judge(
        _ samples: [DeviceSample], untrusted: Set<Cohort>,
        _ change: (inout GateParameters) -> Void = { _ in }
    ) -> Judgement {
        var parameters = GateParameters()
        change(&parameters)
        var evidence = GateFixtures.evidence(samples)
        evidence.untrusted = untrusted
        return HealthGate(parameters).judge(evidence)
    }

    @Test func `a release that is bad in an untrusted cohort alone is paused, and says why`() {
        let samples = GateCohortTests.fleet(seed: 6, ratio: 2) {
            $0.cohort == GateCohortTests.cohorts[0]
        }
        let bad = GateCohortTests.cohorts[0]
        #expect(judge(samples, untrusted: []).verdict != .promote)
        let judgement = judge(samples, untrusted: [bad])
        #expect(judgement.verdict == .pause || judgement.findings.contains { $0.action == .pause })
        #expect(judgement.verdict != .rollback)
        #expect(!judgement.findings.contains { $0.action == .exclude })
    }

    @Test func `a release that is bad everywhere is rolled back for the sake of the trusted`() {
        let samples = GateCohortTests.fleet(seed: 6, ratio: 2)
        #expect(judge(samples, untrusted: [GateCohortTests.cohorts[0]]).verdict == .rollback)
        let none = judge(samples, untrusted: Set(GateCohortTests.cohorts))
        #expect(none.verdict == .pause)
        #expect(
            none.text.contains("it is not rolled back by itself: the placebo fires too often in"))
        #expect(none.reason.facts != nil)
    }

    @Test func `an untrusted cohort is not left out by itself`() {
        let bad = GateCohortTests.cohorts[0]
        let samples = GateCohortTests.fleet(seed: 6, ratio: 2) { $0.cohort == bad }
        let trusting = judge(samples, untrusted: []) { $0.excludable = [.cohort] }
        #expect(trusting.findings.map(\.action) == [.exclude])
        let careful = judge(samples, untrusted: [bad]) { $0.excludable = [.cohort] }
        #expect(careful.findings.contains { $0.segment == .cohort(bad) && $0.action == .pause })
        #expect(!careful.findings.contains { $0.action == .exclude })
    }
}
