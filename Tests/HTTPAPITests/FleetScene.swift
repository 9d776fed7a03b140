import FleetSimulation
import Primitives
import RegistryCore
import RegistryTestSupport
import Rollouts
import Testing

/// A fleet of simulated devices on release 1.0.0, with a rollout of 1.1.0 under way.
struct FleetScene {
    static let tick: Int64 = 600

    let api: TestAPI
    let fleet: ReportingFleet

    static let policy: JSON = [
        "stages": [
            [
                "name": "canary", "share": 3_000, "least_devices": 10, "cap": 5_000,
                "least_soak_s": 3_600, "most_soak_s": 14_400,
                "required_blind_spot": ["latency_p95": 2_000],
            ],
            [
                "name": "stable", "share": 10_000, "least_devices": 0, "cap": 10_000,
                "least_soak_s": 3_600, "most_soak_s": 14_400,
                "required_blind_spot": ["latency_p95": 1_600],
            ],
        ],
        "hold_back": ["share": 2_500, "least_devices": 10, "cap": 5_000],
        "burn_in": ["seconds": 600, "turns": 0], "check_in_deadline_s": 1_800,
        "report_interval_s": 600, "gate_interval_s": 600, "min_dwell_s": 0,
        "on_insufficient_evidence": "pause",
    ]

    init(
        _ api: TestAPI, devices: Int = 40, regions: [String] = ["eu", "us"],
        slowdown: Double = 1, reason: String = "as planned", policy: JSON = FleetScene.policy,
        starts: Bool = true
    ) throws {
        self.api = api
        let registry = api.registry
        fleet = ReportingFleet(registry, count: devices, regions: regions)
        try registry.found(at: api.now)
        var initial = Self.policy.object ?? [:]
        initial["hold_back"] = nil
        initial["stages"] = [
            [
                "name": "all", "share": 10_000, "least_devices": 0, "cap": 10_000,
                "least_soak_s": 1_800, "most_soak_s": 7_200, "required_blind_spot": [:],
            ]
        ]
        let first = try registry.release(
            "1.0.0", replaces: [], policy: .object(initial), at: api.now)
        try fleet.enrol(at: api.now)
        fleet.install(first.reference)
        try create("1.0.0", isInitial: true)
        try order(.start, reason: "first release")
        try pass(ticks: 4)
        if try registry.publishedPlan().0?.state != .completed {
            try order(.advance, reason: "the factory has tested it")
        }
        try registry.release("1.1.0", replaces: ["1.0.0"], policy: policy, at: api.now)
        var behaviour = VersionBehaviour()
        behaviour.effect.latency = slowdown
        fleet.behaviours[try #require(SemanticVersion("1.1.0"))] = behaviour
        try create("1.1.0")
        if starts { try order(.start, reason: reason) }
    }

    private func create(_ version: String, isInitial: Bool = false) throws {
        _ = try api.registry.desk.create(
            RolloutRequest(
                model: api.registry.model, channel: .main,
                candidate: #require(SemanticVersion(version)),
                policy: #require(AttributeName("standard")), isInitial: isInitial,
                acknowledges: true),
            by: api.registry.admin, at: api.now)
    }

    func order(_ order: RolloutOrder, reason: String) throws {
        _ = try api.registry.desk.order(
            order, api.registry.model, .main, reason: reason, by: api.registry.admin, at: api.now)
    }

    /// Lets time pass, and everybody do what they do.
    func pass(ticks: Int) throws {
        for _ in 0..<ticks {
            api.now = api.now + Self.tick
            try fleet.step(at: api.now)
            _ = try api.registry.controller.tick(at: api.now)
        }
    }
}
