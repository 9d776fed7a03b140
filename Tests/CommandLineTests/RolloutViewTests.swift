import Foundation
import Primitives
import ProgramTestSupport
import RegistryCore
import RegistryDatabase
import Testing

/// What `rollout status`, `plan` and `simulate` say of figures that need care.
@Suite struct RolloutViewTests {
    /// A registry with a first release whose only stage lasts less than a minute, created and started.
    private func started() throws -> RegistryUnderTest {
        let registry = try RegistryUnderTest.running()
        try registry.writeBundle()
        let policy = registry.folder.appendingPathComponent("rollout.yaml")
        let quick = """

            stages: [{name: all, least_soak: 30s, most_soak: 90s, required_blind_spot: {}}]
            burn_in: {seconds: 5, turns: 0}
            check_in_deadline: 20s
            report_interval: 5s

            """
        try (String(contentsOf: policy, encoding: .utf8) + quick)
            .write(to: policy, atomically: true, encoding: .utf8)
        try registry.good("bundle", "build", "bundle", "--out", "build")
        try registry.good("publish", "build", "--key", "keys/ci.json", "--policy", "rollout.yaml")
        try registry.good("repo", "sign", "model.commands-en", "--key", "keys/anna.json", "--yes")
        try registry.good("rollout", "create", "commands-en", "1.0.0", "--initial")
        try registry.good("rollout", "start", "commands-en")
        return registry
    }

    private static let look: JSON = [
        "tests": [
            [
                "metric": "errors", "state": "estimate", "ratio": 2_000, "limit": 1_500,
                "treated_devices": 40, "control_devices": 50, "worse_rate": 40, "better_rate": 20,
                "range": ["low": 500, "high": .null],
            ],
            [
                "metric": "latency_p95", "state": "estimate", "ratio": 1_100, "limit": 1_300,
                "treated_devices": 4, "control_devices": 5,
                "range": ["low": 900, "high": 9_000_000_000_000_000],
            ],
            ["metric": "wer_proxy", "state": "no_data", "shortage": "too few turns"],
        ],
        "blind_spots": [
            ["metric": "errors", "required": 50, "seen": 125, "small_enough": false],
            ["metric": "latency_p95", "required": 1_300, "seen": 1_250, "small_enough": true],
            ["metric": "memory_per_turn", "required": 1_500, "small_enough": false],
        ],
    ]

    @Test func `rates are shown as shares, and what has no end as that`() throws {
        let registry = try started()
        registry.stop()
        let store = try SQLiteStore(
            path: registry.folder.appendingPathComponent("data/registry.sqlite").path)
        try store.write { (records) throws(RegistryError) in
            guard let model = ModelName("commands-en"),
                var rollout = try records.rollout(model, .main)
            else { return }
            rollout.look = Self.look
            // So the next look is far off.
            rollout.lastLook = UTCTime(clamping: Int64(Date().timeIntervalSince1970))
            try records.setRollout(rollout)
        }
        try registry.start("--controller-interval", "3600")
        let lines = try registry.good("rollout", "status", "commands-en").output
            .split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        for line in [
            "errors 40 50 x2.000, 4.0% against 2.0% x0.500 to unbounded x1.500",
            "latency_p95 4 5 x1.100 x0.900 to over x1,000 x1.300",
            "wer_proxy - - too few turns", "errors 12.5% 5.0% not yet",
            "latency_p95 x1.250 x1.300 enough", "memory_per_turn nothing x1.500 not yet",
        ] {
            #expect(lines.contains(line), "\(line) in \(lines)")
        }
    }

    @Test func `spans under a minute are said in seconds, and are too short to be played`() throws {
        let registry = try started()
        let plan = try registry.good("rollout", "plan", "commands-en").output
        #expect(plan.contains("SEES AFTER 30 S  AFTER 90 S"), "\(plan)")
        let outcome = try registry.good(
            "rollout", "simulate", "rollout.yaml", "--synthetic", "--devices", "60", "--cohorts",
            "1", "--replays", "1")
        #expect(
            outcome.errors
                == "warning: stage 'all': expected a least soak of 3 h at least, the step of the replay, got 30 s: "
                + "devices report, and the gate looks, after whole steps only\n")
    }
}
