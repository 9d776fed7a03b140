import Primitives
import RegistryCore
import RegistryTestSupport
import Rollouts
import Telemetry
import TestSupport
import Testing

/// What a rollout's stages can prove, foreseen from the policy and from who follows the channel.
struct StageForecastTests {
    private func forecast(
        devices: Int, turnsPerDay: Int64 = 40, policy: JSON = ControllerTests.policy
    ) throws -> JSON {
        let scene = try ControllerTests.Scene(devices: devices, policy: policy)
        try scene.create("1.1.0")
        return try scene.registry.desk.forecast(
            scene.registry.model, .main, turnsPerDay: turnsPerDay, by: scene.registry.admin
        ).json
    }

    private func metric(_ name: String, _ stage: Int, of json: JSON) throws -> JSON {
        let metrics = try #require(json["stages"]?.array?[stage]["metrics"]?.array)
        return try #require(metrics.first { $0["metric"]?.string == name })
    }

    @Test func `foresees arms, and less blindness with more devices, hours and turns`() throws {
        let small = try forecast(devices: 40)
        let large = try forecast(devices: 120)
        let arms = try #require(large["stages"]?.array)
        #expect(arms.map { $0["name"]?.string } == ["canary", "stable"])
        for stage in arms {
            let treated = try #require(stage["treated"]?.integer)
            let control = try #require(stage["control"]?.integer)
            #expect(treated + control == 120)
            #expect(treated >= 10 && control >= 10)
        }
        #expect(arms[1]["treated"]?.integer ?? 0 > arms[0]["treated"]?.integer ?? 0)
        func seen(_ json: JSON, _ stage: Int, _ key: String) throws -> Int64 {
            try #require(try metric("latency_p95", stage, of: json)[key]?.integer)
        }
        let busy = try forecast(devices: 120, turnsPerDay: 4_000)
        #expect(try seen(busy, 0, "after_least_soak") > 1_000)
        let few = try forecast(devices: 40, turnsPerDay: 4_000)
        #expect(try seen(busy, 0, "after_least_soak") < seen(few, 0, "after_least_soak"))
        #expect(try seen(busy, 0, "after_most_soak") < seen(busy, 0, "after_least_soak"))
        #expect(try metric("latency_p95", 0, of: busy)["limit"]?.integer == 1_300)
        // With 40 turns a day nobody has 20 turns within the hour.
        #expect(try metric("latency_p95", 0, of: large)["after_least_soak"] == .null)
        let silent = try [small, large].map {
            try #require(try metric("silent", 0, of: $0)["bad_devices"]?.integer)
        }
        #expect(silent[0] >= 3 && silent[1] >= silent[0])
    }

    @Test(arguments: [(30, "reports", 1_728), (10, "assumed", 40)] as [(Int, String, Int64)])
    func `takes usage from reports where enough devices have counted for long enough`(
        devices: Int, source: String, turns: Int64
    ) throws {
        let scene = try ControllerTests.Scene(devices: devices)
        try scene.create("1.1.0")
        func forecast(_ turnsPerDay: Int64? = nil) throws -> JSON {
            try scene.registry.desk.forecast(
                scene.registry.model, .main, turnsPerDay: turnsPerDay, by: scene.registry.admin
            ).json
        }
        #expect(try forecast()["turns_per_day_from"] == "assumed")
        try scene.run(hours: 7)
        let json = try forecast()
        #expect(json["turns_per_day_from"]?.string == source)
        // 12 turns in each 600 seconds; the first 12 come before the clock has moved.
        let found = try #require(json["turns_per_day"]?.integer)
        #expect((turns...turns + turns / 20).contains(found), "\(found)")
        let given = try forecast(77)
        #expect(given["turns_per_day"] == 77)
        #expect(given["turns_per_day_from"] == "given")
    }

    @Test func `one device that claims a million turns does not speak for the others`() throws {
        let scene = try ControllerTests.Scene(devices: 30)
        try scene.create("1.1.0")
        try scene.run(hours: 7)
        func turnsPerDay() throws -> Int64 {
            try #require(
                try scene.registry.desk.forecast(
                    scene.registry.model, .main, by: scene.registry.admin
                ).json["turns_per_day"]?.integer)
        }
        let before = try turnsPerDay()
        var liar = scene.fleet.devices[0]
        liar.epoch += 1
        let report = liar.report(at: scene.now) { report in
            report.version = scene.old
            report.countingSince = scene.now + -7 * 3_600
            report.tally.counters.turns = 1_000_000
        }
        #expect(try scene.registry.send(liar, report, at: scene.now).accepted.count == 1)
        // At most ten times the median: nine more of thirty.
        let after = try turnsPerDay()
        #expect(after > before && after < before * 14 / 10, "\(before), \(after)")
    }

    @Test func `a warning says shares in percent and all else as a ratio`() throws {
        var policy = try #require(ControllerTests.policy.object)
        policy["stages"] = .array(
            (policy["stages"]?.array ?? []).map { stage in
                var fields = stage.object ?? [:]
                fields["required_blind_spot"] = ["wer_proxy": 1_001, "errors": 1]
                return .object(fields)
            })
        let warnings = try #require(
            try forecast(devices: 40, turnsPerDay: 100_000, policy: .object(policy))["warnings"]?
                .array?.compactMap(\.string))
        #expect(warnings.contains { $0.contains("wer_proxy of x1.00") })
        #expect(warnings.contains { $0.contains("errors of 0.10%") })
    }

    @Test func `warns of stages that can never show what is asked of them`() throws {
        let warnings = try #require(try forecast(devices: 40)["warnings"]?.array)
        #expect(warnings.count == 2)
        let first = warnings.first?.string ?? ""
        #expect(first.hasPrefix("stage 'canary': expected to see latency_p95 of x2.00, got "))
        #expect(try forecast(devices: 120, turnsPerDay: 4_000)["warnings"] == [])
    }

    private func warnings(_ policy: JSONObject) throws -> [String] {
        try #require(
            try forecast(devices: 120, turnsPerDay: 4_000, policy: .object(policy))["warnings"]?
                .array?.compactMap(\.string))
    }

    @Test func `warns of stages in which no device gets beyond its burn-in`() throws {
        var policy = try #require(ControllerTests.policy.object)
        policy["burn_in"] = ["seconds": 600, "turns": 60]
        #expect(try warnings(policy) == [])
        policy["burn_in"] = ["seconds": 600, "turns": 8_000]
        let found = try warnings(policy)
        #expect(
            found.first
                == "stage 'canary': expected turns that count, got none within its most soak: each new device "
                + "leaves out 600 seconds and 8000 turns (burn_in), and a device has 4000 turns a day"
        )
        #expect(found.contains { $0.contains("expected to see latency_p95 of x2.00, got nothing") })
    }

    @Test func `a ramp puts off what a stage sees`() throws {
        var policy = try #require(ControllerTests.policy.object)
        func hours(_ policy: JSONObject) throws -> [Int64] {
            let json = try forecast(devices: 120, turnsPerDay: 4_000, policy: .object(policy))
            return try (0..<2).map {
                try #require(try metric("latency_p95", $0, of: json)["hours_to_limit"]?.integer)
            }
        }
        let stages = policy["stages"]?.array ?? []
        func ramped(_ seconds: Int64) throws -> [Int64] {
            policy["stages"] = .array(
                stages.map { stage in
                    var fields = stage.object ?? [:]
                    fields["least_soak_s"] = 86_400
                    fields["most_soak_s"] = 86_400
                    fields["ramp_s"] = .integer(seconds)
                    return .object(fields)
                })
            return try hours(policy)
        }
        let (before, after) = (try ramped(0), try ramped(86_400))
        // In the second stage those of the first, who wait for no ramp, are enough to see it.
        #expect(after[0] > before[0] && after[1] >= before[1], "\(before), \(after)")
    }

    /// Buckets are random, so that the cap of a small cohort's hold-back is no number of devices.
    @Test(arguments: [(12, true), (120, false)])
    func `warns where a stage has fewer control devices than the gate needs`(
        devices: Int, warns: Bool
    ) throws {
        var policy = try #require(ControllerTests.policy.object)
        policy["hold_back"] = ["share": 500, "least_devices": 5, "cap": 2_500]
        policy["statistics"] = ["min_devices_control": 4]
        let json = try forecast(devices: devices, turnsPerDay: 4_000, policy: .object(policy))
        let control = try #require(json["stages"]?.array?.last?["control"]?.integer)
        #expect((control < 4) == warns)
        let warnings = json["warnings"]?.array?.compactMap(\.string) ?? []
        #expect(
            warnings.filter { $0.contains("min_devices_control") }
                == (warns
                    ? [
                        "stage 'stable': expected 4 control devices at least (min_devices_control), "
                            + "got \(control): the gate will pause it"
                    ] : []))
    }

    @Test func `is for those who may read, of a rollout that there is`() throws {
        let registry = TestRegistry()
        #expect(throws: RegistryError.notFound("rollout", "\(registry.model)/main")) {
            try registry.desk.forecast(registry.model, .main, turnsPerDay: 40, by: registry.admin)
        }
        let publisher = Principal(id: .registry, name: "p", scopes: [Scope(.publish)])
        #expect(throws: RegistryError.forbidden(needs: Scope(.read, registry.model))) {
            try registry.desk.forecast(registry.model, .main, turnsPerDay: 40, by: publisher)
        }
    }
}
