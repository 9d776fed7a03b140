import FleetSimulation
import Primitives
import RegistryCore
import RegistryTestSupport
import Rollouts
import TestSupport
import Testing

/// Whole rollouts under a policy, played in memory.
struct PolicyReplayTests {
    private static let cohorts = ["eu/hub", "us/hub"].compactMap { Cohort($0) }

    private func policy(_ change: (inout JSONObject) -> Void = { _ in }) throws -> Policy {
        let version = try #require(SemanticVersion("1.1.0"))
        let model = try #require(ModelName("commands-en"))
        let bundle = try SampleBundle(model, version)
        var draft: JSONObject = [
            "model": "commands-en", "candidate": "1.1.0", "replaces": ["1.0.0"],
            "on_insufficient_evidence": "promote_unproven",
        ]
        change(&draft)
        return try PolicyDraft.complete(
            .object(draft), candidate: bundle.reference, now: UTCTime(clamping: 1_764_000_000))
    }

    private func fleet(_ change: (inout CandidateEffect) -> Void = { _ in }) -> [SimulatedCohort] {
        Self.cohorts.map { cohort in
            var made = SimulatedCohort(cohort, devices: 150)
            change(&made.effect)
            return made
        }
    }

    private func ends(
        _ policy: Policy, _ cohorts: [SimulatedCohort], runs: Int = 4
    ) throws -> [PolicyReplay.Outcome] {
        try (0..<runs).map { try PolicyReplay(policy, cohorts).run(seed: UInt64($0)) }
    }

    @Test func `a sound candidate completes, over all stages and nearly all devices`() throws {
        let outcomes = try ends(try policy(), fleet())
        #expect(outcomes.map(\.end) == Array(repeating: .completed, count: 4))
        #expect(outcomes.allSatisfy { $0.exposed > 200 && $0.exposed < 300 && $0.hours >= 72 })
        #expect(outcomes.allSatisfy { $0.turns > 1_000 && !$0.hasHalted })
    }

    @Test func `a bad one is rolled back in its first stage, and says why`() throws {
        let outcomes = try ends(try policy(), fleet { $0.latency = 3 })
        #expect(outcomes.map(\.end) == Array(repeating: .rolledBack, count: 4))
        #expect(outcomes.allSatisfy { $0.exposed <= 60 && $0.hours <= 48 })
        #expect(outcomes.allSatisfy { $0.evidence.contains("exposed so far") })
        // The ids that evidence names tell the devices apart.
        for outcome in outcomes {
            let moved = outcome.evidence.matches(of: /([0-9a-f]{8}) x/).map(\.1)
            #expect(moved.count > 1 && Set(moved).count == moved.count, "\(outcome.evidence)")
        }
    }

    @Test func `plays the turns that new devices leave out`() throws {
        let policy = try policy { $0["burn_in"] = ["seconds": 10_800, "turns": 5_000] }
        let outcomes = try ends(policy, fleet { $0.latency = 3 })
        #expect(outcomes.map(\.end) == Array(repeating: .paused, count: 4))
        #expect(outcomes.allSatisfy { $0.exposed <= 60 && $0.hours >= 72 })
    }

    @Test func `plays the ramp, so that fewer devices meet a bad candidate before it halts`() throws
    {
        let slow = try policy { draft in
            draft["stages"] = .array(
                ["beta", "canary", "stable"].map { ["name": .string($0), "ramp_s": 86_400] })
        }
        let bad = fleet { $0.failedAttempts = 1 }
        let plain = try ends(try policy(), bad)
        let ramped = try ends(slow, bad)
        #expect(plain.allSatisfy { $0.hasHalted } && ramped.allSatisfy { $0.hasHalted })
        for (one, other) in zip(plain, ramped) {
            #expect(other.exposed < one.exposed && other.exposed > 0)
        }
        let sound = try ends(slow, fleet())
        #expect(sound.map(\.end) == Array(repeating: .completed, count: 4))
        #expect(sound.allSatisfy { $0.exposed > 200 && $0.exposed < 300 })
    }

    @Test func `one that is bad in a cohort that may be left out goes on elsewhere`() throws {
        let policy = try policy { $0["excludable"] = ["cohort"] }
        var cohorts = fleet()
        cohorts[0].effect.latency = 3
        let ends = Set(try ends(policy, cohorts).map(\.end))
        #expect(!ends.contains(.completed))
    }

    @Test func `the same seed plays the same rollout`() throws {
        let replay = PolicyReplay(try policy(), fleet { $0.errors = 8 })
        #expect(try replay.run(seed: 5) == replay.run(seed: 5))
        #expect(try replay.run(seed: 5) != replay.run(seed: 6))
    }

    @Test func `a recorded fleet is taken from what devices list prints`() throws {
        let scene = try ControllerTests.Scene(devices: 40, regions: ["eu", "us"])
        try scene.run(hours: 12)
        let details = try scene.registry.devices.list(
            after: nil, limit: 100, by: scene.registry.admin)
        let recorded = try details.compactMap {
            try RecordedDevice(reading: $0.json(at: scene.now), model: scene.registry.model)
        }
        #expect(recorded.count == 40)
        let cohorts = SimulatedCohort.recorded(recorded)
        #expect(cohorts.map(\.cohort.description) == ["eu/hub", "us/hub"])
        #expect(cohorts.map(\.devices) == [20, 20])
        let outcomes = try ends(
            try policy(),
            cohorts.map { cohort in
                var cohort = cohort
                cohort.effect.latency = 3
                return cohort
            })
        #expect(outcomes.allSatisfy { $0.hasHalted })
        let other = try #require(ModelName("commands-de"))
        let json = try #require(details.first).json(at: scene.now)
        #expect(try RecordedDevice(reading: json, model: other) == nil)
        #expect(throws: FieldError.self) {
            try RecordedDevice(reading: ["models": []], model: scene.registry.model)
        }
    }
}
