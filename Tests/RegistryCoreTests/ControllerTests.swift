import FleetSimulation
import Primitives
import RegistryCore
import RegistryTestSupport
import Rollouts
import TUF
import TestSupport
import Testing

/// Whole rollouts: the real decisions, reports, gate, controller and metadata; only turns are made up.
struct ControllerTests {
    private static let start = UTCTime(clamping: 1_764_000_000)
    private static let tick: Int64 = 600

    /// Two stages of an hour at least and four at most, on a small fleet.
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

    /// A registry with a completed first release 1.0.0 on the fleet, and a rollout of 1.1.0 under way.
    final class Scene {
        let registry: TestRegistry
        let fleet: ReportingFleet
        let old: SemanticVersion
        let new: SemanticVersion
        var now = ControllerTests.start
        var failures: [Controller.Failure] = []

        init(
            _ registry: TestRegistry = TestRegistry(), devices: Int = 40,
            regions: [String] = ["eu"], policy: JSON = ControllerTests.policy
        ) throws {
            self.registry = registry
            old = try #require(SemanticVersion("1.0.0"))
            new = try #require(SemanticVersion("1.1.0"))
            fleet = ReportingFleet(registry, count: devices, regions: regions)
            try registry.found(releases: .two, at: now)
            let first = try registry.release(
                "1.0.0", replaces: [], policy: Self.initial(policy), at: now)
            try fleet.enrol(at: now)
            fleet.install(first.reference)
            try complete(first)
            try registry.release(
                "1.1.0", replaces: ["1.0.0"], policy: policy, at: now)
        }

        /// One stage, no control.
        private static func initial(_ policy: JSON) -> JSON {
            var fields = policy.object ?? [:]
            fields["hold_back"] = nil
            fields["stages"] = [
                [
                    "name": "all", "share": 10_000, "least_devices": 0, "cap": 10_000,
                    "least_soak_s": 1_800, "most_soak_s": 7_200, "required_blind_spot": [:],
                ]
            ]
            return .object(fields)
        }

        /// Takes the first release to its end, which an operator may do without the gate's proof.
        private func complete(_ bundle: SampleBundle) throws {
            try create("1.0.0", isInitial: true)
            _ = try order(.start)
            for _ in 0..<4 {
                now = now + ControllerTests.tick
                try fleet.step(at: now)
                try tick()
            }
            let (plan, _) = try registry.publishedPlan()
            guard plan?.state != .completed else { return }
            _ = try order(.advance)
        }

        func create(_ version: String, isInitial: Bool = false) throws {
            _ = try registry.desk.create(
                RolloutRequest(
                    model: registry.model, channel: .main,
                    candidate: #require(SemanticVersion(version)),
                    policy: #require(AttributeName("standard")), isInitial: isInitial,
                    acknowledges: true),
                by: registry.admin, at: now)
        }

        @discardableResult
        func order(_ order: RolloutOrder, reason: String = "test") throws -> RolloutStatus {
            try registry.desk.order(
                order, registry.model, .main, reason: reason, by: registry.admin, at: now)
        }

        /// The same on a registry that is another process over the same store.
        func order(_ order: RolloutOrder, on registry: TestRegistry) throws {
            _ = try registry.desk.order(
                order, registry.model, .main, reason: "test", by: registry.admin, at: now)
        }

        func tick() throws {
            failures += try registry.controller.tick(at: now).failures
        }

        /// Lets time pass, and everybody do what they do.
        func run(hours: Double) throws {
            for _ in 0..<Int(hours * 3_600 / Double(ControllerTests.tick)) {
                now = now + ControllerTests.tick
                _ = try registry.roles.renew(at: now)
                try fleet.step(at: now)
                try tick()
            }
        }

        func startNew() throws {
            try create("1.1.0")
            try order(.start)
        }

        func plan() throws -> Plan { try #require(try registry.publishedPlan().0) }

        func status() throws -> RolloutStatus {
            try registry.desk.status(registry.model, .main, by: registry.admin, at: now)
        }

        /// The decisions on the new release, in the words of the audit log.
        func decisions() throws -> [String] {
            let events = try registry.events().filter { $0.hasPrefix("rollout.") }
            let last = events.lastIndex(of: "rollout.created") ?? 0
            return events[(last + 1)...].map { String($0.dropFirst(8)) }
        }
    }

    // MARK: Good and bad releases

    @Test func `a good release goes through both stages to everyone`() throws {
        let scene = try Scene()
        try scene.startNew()
        try scene.run(hours: 10)
        #expect(try scene.decisions() == ["started", "advanced", "completed"])
        #expect(try scene.plan().state == .completed)
        #expect(scene.fleet.versions == [scene.new: 40])
        #expect(scene.failures == [])
        _ = try AuditLog(store: scene.registry.store).verify()
    }

    @Test func `a slow release is rolled back in its first stage, and the five facts are kept`()
        throws
    {
        let scene = try Scene()
        var slow = VersionBehaviour()
        slow.effect.latency = 1.6
        scene.fleet.behaviours[scene.new] = slow
        try scene.startNew()
        try scene.run(hours: 5)
        #expect(try scene.decisions().first == "started")
        #expect(try scene.decisions().last == "rolled_back")
        #expect(try !scene.decisions().contains("advanced"))
        #expect(scene.fleet.versions == [scene.old: 40])
        let plan = try scene.plan()
        #expect(plan.state == .rolledBack)
        #expect(plan.withdrawn.map(\.version) == [scene.new])
        let record = try #require(
            try scene.registry.auditRecords().last {
                $0.json?["event"]?.string == "rollout.rolled_back"
            }?.json)
        let evidence = try #require(record["facts"]?["evidence"]?.string)
        for fact in ["updated devices", "on the old release", "exposed so far"] {
            #expect(evidence.contains(fact), "\(evidence)")
        }
        #expect(evidence.contains("p95 latency") || evidence.contains("processor time"))
        #expect(record["facts"]?["look"]?["arms"]?["treated"]?["devices"]?.integer ?? 0 >= 10)
        // A turn that takes longer is longer on the processor too.
        let metric = try #require(record["facts"]?["metric"]?.string)
        #expect(["latency_p95", "cpu_per_turn"].contains(metric))
    }

    @Test func `a release that fails its smoke test is stopped by failed attempts`() throws {
        let scene = try Scene()
        var broken = VersionBehaviour()
        broken.effect.failedAttempts = 1
        scene.fleet.behaviours[scene.new] = broken
        try scene.startNew()
        try scene.run(hours: 2)
        #expect(try scene.decisions().last == "rolled_back")
        let record = try #require(
            try scene.registry.auditRecords().last {
                $0.json?["event"]?.string == "rollout.rolled_back"
            }?.json)
        #expect(record["facts"]?["metric"]?.string == "attempts_failed")
        #expect(scene.fleet.versions == [scene.old: 40])
    }

    @Test func `devices that went back by themselves count against the release`() throws {
        let scene = try Scene()
        var felt = VersionBehaviour()
        felt.effect.localRollbacks = 0.6
        scene.fleet.behaviours[scene.new] = felt
        try scene.startNew()
        try scene.run(hours: 2)
        #expect(try scene.decisions().last == "rolled_back")
        let record = try #require(
            try scene.registry.auditRecords().last {
                $0.json?["event"]?.string == "rollout.rolled_back"
            }?.json)
        #expect(record["facts"]?["metric"]?.string == "local_rollbacks")
    }

    @Test func `devices that fall silent after their beacon stop the release`() throws {
        let scene = try Scene()
        var bricking = VersionBehaviour()
        bricking.effect.bricked = 1
        scene.fleet.behaviours[scene.new] = bricking
        try scene.startNew()
        try scene.run(hours: 3)
        let decisions = try scene.decisions()
        #expect(decisions.contains("rolled_back"))
        let record = try #require(
            try scene.registry.auditRecords().last {
                $0.json?["event"]?.string == "rollout.rolled_back"
            }?.json)
        #expect(record["facts"]?["metric"]?.string == "silent")
    }

    @Test func `a fleet that says nothing is never promoted`() throws {
        let scene = try Scene()
        try scene.startNew()
        scene.fleet.isOnline = false
        try scene.run(hours: 12)
        #expect(try !scene.decisions().contains("advanced"))
        #expect(try !scene.decisions().contains("completed"))
        #expect(try scene.plan().state == .paused)
    }

    /// Fails in one region, class or locale, and only there.
    @Test func `a release that is bad in one region is taken back there, and goes on elsewhere`()
        throws
    {
        let scene = try Scene(devices: 80, regions: ["eu", "us"])
        var slow = VersionBehaviour()
        slow.effect.latency = 1.8
        slow.region = AttributeName("us")
        scene.fleet.behaviours[scene.new] = slow
        try scene.startNew()
        try scene.run(hours: 10)
        #expect(try scene.decisions().filter { $0 == "excluded" }.count == 1)
        #expect(try scene.decisions().last == "completed")
        let plan = try scene.plan()
        #expect(plan.state == .completed)
        #expect(plan.excluded.count == 1)
        #expect(scene.fleet.versions(in: "us") == [scene.old])
        #expect(scene.fleet.versions(in: "eu") == [scene.new])
        let record = try #require(
            try scene.registry.auditRecords().last {
                $0.json?["event"]?.string == "rollout.excluded"
            }?.json)
        #expect(record["facts"]?["segment"]?["region"]?.string == "us")
        #expect(record["facts"]?["metric"]?.string != nil)
    }

    // MARK: Orders

    @Test func `an order goes to the plan, to devices and to the audit log with its reason`() throws
    {
        let scene = try Scene()
        try scene.startNew()
        try scene.run(hours: 0.5)
        try scene.order(.pause, reason: "a strange smell")
        #expect(try scene.plan().state == .paused)
        let exposed = scene.fleet.versions[scene.new]
        try scene.run(hours: 1)
        #expect(scene.fleet.versions[scene.new] == exposed)
        let status = try scene.order(.rollback, reason: "it was the smell")
        #expect(status.json["state"]?.string == "rolled_back")
        try scene.run(hours: 0.5)
        #expect(scene.fleet.versions == [scene.old: 40])
        let reasons = status.timeline.compactMap { $0.json?["facts"]?["evidence"]?.string }
        #expect(reasons.contains("it was the smell"))
        let actors = status.timeline.compactMap { $0.json?["actor"]?["name"]?.string }
        #expect(actors.contains("admin"))
    }

    @Test func `an order that the rollout cannot follow changes nothing`() throws {
        let scene = try Scene()
        try scene.create("1.1.0")
        let before = try scene.registry.auditRecords().count
        for order in [RolloutOrder.pause, .resume, .advance, .unfreeze] {
            let error = #expect(throws: RegistryError.self) { try scene.order(order) }
            #expect(error?.code == .stateConflict)
        }
        #expect(try scene.registry.auditRecords().count == before)
        #expect(throws: RegistryError.self) {
            try scene.order(.start, reason: String(repeating: "x", count: 201))
        }
        let reader = Principal(id: .registry, name: "r", scopes: [Scope(.read)])
        #expect(
            throws: RegistryError.forbidden(needs: Scope(.operate, scene.registry.model))
        ) {
            try scene.registry.desk.order(
                .start, scene.registry.model, .main, reason: "", by: reader, at: scene.now)
        }
    }

    @Test func `what is in force is frozen also when the next rollout is prepared`() throws {
        let scene = try Scene()
        try scene.create("1.1.0")
        #expect(try scene.status().json["in_force"]?["state"] == "completed")
        let status = try scene.order(.freeze, reason: "holidays").json
        #expect(status["state"] == "created")
        #expect(status["in_force"]?["state"] == "frozen")
        #expect(status["in_force"]?["candidate"]?["version"] == "1.0.0")
        #expect(try scene.plan().state == .frozen)
        #expect(try scene.plan().candidate.version == scene.old)
        #expect(throws: RegistryError.self) { try scene.order(.start) }
        try scene.run(hours: 0.5)
        #expect(try scene.plan().state == .frozen)
        try scene.order(.unfreeze)
        #expect(try scene.plan().state == .completed)
        #expect(try scene.order(.start).json["in_force"] == nil)
        #expect(try scene.plan().candidate.version == scene.new)
        #expect(scene.failures == [])
    }

    @Test func `what is in force can be rolled back also when the next rollout is prepared`() throws
    {
        let scene = try Scene()
        try scene.startNew()
        try scene.run(hours: 10)
        #expect(try scene.plan().state == .completed)
        try scene.registry.release("1.2.0", replaces: ["1.1.0"], policy: Self.policy, at: scene.now)
        try scene.create("1.2.0")
        #expect(throws: RegistryError.self) { try scene.order(.pause) }
        try scene.order(.rollback, reason: "the last one was bad after all")
        #expect(try scene.plan().state == .rolledBack)
        #expect(try scene.plan().withdrawn.map(\.version) == [scene.new])
        try scene.run(hours: 0.5)
        #expect(scene.fleet.versions == [scene.old: 40])
        let events = try scene.registry.events()
        #expect(events.suffix(3) == ["rollout.dropped", "rollout.rolled_back", "plans.published"])
    }

    @Test func `a first release in force is withdrawn by a person only who insists`() throws {
        let scene = try Scene()
        try scene.create("1.1.0")
        let before = try scene.registry.auditRecords()
        let error = #expect(throws: RegistryError.self) { try scene.order(.rollback) }
        #expect(error?.code == .stateConflict)
        #expect("\(String(describing: error))".contains("1.0.0 is a first release"))
        #expect(try scene.registry.auditRecords() == before)
        #expect(try scene.plan().state == .completed)
        #expect(try scene.status().json["state"] == "created", "what is prepared stays")
        let status = try scene.registry.desk.order(
            RolloutInstruction(.rollback, leavesNoModel: true), scene.registry.model, .main,
            by: scene.registry.admin, at: scene.now)
        #expect(status.json["candidate"]?["version"] == "1.0.0")
        #expect(try scene.plan().state == .rolledBack)
        // What the CLI says was dropped: the record before the last.
        let dropped = status.json["timeline"]?.array?.suffix(2).first
        #expect(dropped?["event"] == "rollout.dropped")
        #expect(dropped?["facts"]?["candidate"]?["version"] == "1.1.0")
        #expect(
            try scene.registry.events().suffix(3) == [
                "rollout.dropped", "rollout.rolled_back", "plans.published",
            ])
    }

    @Test func `the least soak cannot be shortened by an order`() throws {
        let scene = try Scene()
        try scene.startNew()
        let error = #expect(throws: RegistryError.self) { try scene.order(.advance) }
        #expect(error?.code == .stateConflict)
        #expect(try scene.plan().stages.count == 1)
    }

    // MARK: Restarts

    private func facts(_ registry: TestRegistry) throws -> [String] {
        try registry.auditRecords().compactMap { record in
            guard var fields = record.json?.object else { return nil }
            for chained in ["number", "previous", "hash"] { fields[chained] = nil }
            return String(decoding: JSON.object(fields).canonicalBytes, as: UTF8.self)
        }
    }

    /// Rollouts that end in different ways.
    enum Course: String, CaseIterable, Sendable {
        case healthy
        case slow
        case badRegion
        case failing

        var behaviour: VersionBehaviour {
            var behaviour = VersionBehaviour()
            switch self {
            case .healthy: break
            case .slow: behaviour.effect.latency = 1.8
            case .badRegion:
                behaviour.effect.latency = 1.8
                behaviour.region = AttributeName("us")
            case .failing: behaviour.effect.failedAttempts = 1
            }
            return behaviour
        }

        /// What its decisions must have among them, so that each course is what it is called.
        var decision: String {
            switch self {
            case .healthy: "advanced"
            case .slow, .failing: "rolled_back"
            case .badRegion: "excluded"
            }
        }

        func scene() throws -> Scene {
            let isSplit = self == .badRegion
            let scene = try Scene(
                devices: isSplit ? 60 : 24, regions: isSplit ? ["eu", "us"] : ["eu"])
            scene.fleet.behaviours[scene.new] = behaviour
            try scene.startNew()
            return scene
        }
    }

    /// Killed at each commit of a run, before or after it, and started again at once.
    @Test(arguments: CutStore.Moment.allCases, Course.allCases)
    func `killed at any commit of a run, the audit log is the same`(
        moment: CutStore.Moment, course: Course
    ) throws {
        let whole = try course.scene()
        try whole.run(hours: 4)
        let expected = try facts(whole.registry)
        #expect(try whole.decisions().contains(course.decision))

        for commits in 0..<3 {
            let scene = try course.scene()
            for _ in 0..<Int(4 * 3_600 / Self.tick) {
                scene.now = scene.now + Self.tick
                _ = try scene.registry.roles.renew(at: scene.now)
                try scene.fleet.step(at: scene.now)
                let cut = CutStore(scene.registry.store, after: commits, moment)
                _ = try? scene.registry.restarted(with: cut).controller.tick(at: scene.now)
                try scene.tick()
            }
            #expect(try facts(scene.registry) == expected)
            #expect(scene.failures == [])
        }
    }

    /// What people order in a run, by the tick at which they do.
    private static let orders:
        [(tick: Int, order: @Sendable (TestRegistry, Scene) throws -> Void)] = [
            (3, { try $1.order(.freeze, on: $0) }), (5, { try $1.order(.unfreeze, on: $0) }),
            (6, { try $1.order(.pause, on: $0) }), (8, { try $1.order(.resume, on: $0) }),
            (
                9,
                { registry, scene in
                    _ = try registry.pins.pin(
                        #require(scene.fleet.devices.first).id,
                        PinRequest(
                            version: scene.old, expires: scene.now + 86_400, owner: "anna",
                            reason: "a demo"),
                        registry.model, .main, by: registry.admin, at: scene.now)
                }
            ),
            (14, { try $1.order(.rollback, on: $0) }),
        ]

    /// Killed in each order, at each of its commits; whoever ordered it looks whether it is in force, and orders it again where it is not.
    @Test func `killed at any commit of an order, the audit log has the same decisions`() throws {
        func run(
            _ give: (Scene, (TestRegistry, Scene) throws -> Void) throws -> Void
        ) throws -> [String] {
            let scene = try Course.healthy.scene()
            for tick in 1...15 {
                scene.now = scene.now + Self.tick
                _ = try scene.registry.roles.renew(at: scene.now)
                try scene.fleet.step(at: scene.now)
                for order in Self.orders where order.tick == tick { try give(scene, order.order) }
                try scene.tick()
            }
            #expect(scene.failures == [])
            #expect(try scene.plan().state == .rolledBack)
            // What was not published yet is published with the next decision.
            return try facts(scene.registry).filter { !$0.contains("\"plans.published\"") }
        }
        let expected = try run { scene, order in try order(scene.registry, scene) }
        for (moment, commits) in [
            (CutStore.Moment.before, 0), (.after, 0), (.before, 1), (.after, 1),
        ] {
            var cuts = 0
            let found = try run { scene, order in
                let before = try scene.registry.auditRecords().count
                let cut = CutStore(scene.registry.store, after: commits, moment)
                #expect(throws: CutStore.dead) {
                    try order(scene.registry.restarted(with: cut), scene)
                }
                cuts += 1
                guard try scene.registry.auditRecords().count == before else { return }
                try order(scene.registry, scene)
            }
            #expect(found == expected, "\(moment) commit \(commits)")
            #expect(cuts == Self.orders.count)
        }
    }

    @Test func `a decision that was not published before a crash is published at the next tick`()
        throws
    {
        let scene = try Scene()
        try scene.startNew()
        let cut = CutStore(scene.registry.store, after: 0, .after)
        let dying = scene.registry.restarted(with: cut)
        #expect(throws: CutStore.dead) {
            try dying.desk.order(
                .rollback, scene.registry.model, .main, reason: "now", by: scene.registry.admin,
                at: scene.now)
        }
        #expect(try scene.plan().state == .running)
        #expect(try scene.status().json["state"]?.string == "rolled_back")
        try scene.tick()
        #expect(try scene.plan().state == .rolledBack)
        let events = try scene.registry.events().suffix(2)
        #expect(events == ["rollout.rolled_back", "plans.published"])
    }

    @Test func `without its key the controller decides, says what fails, and publishes later`()
        throws
    {
        let scene = try Scene()
        try scene.startNew()
        try scene.run(hours: 0.5)
        let keyless = Controller(
            store: scene.registry.store, blobs: scene.registry.blobs, keys: OnlineKeys([:]))
        var broken = VersionBehaviour()
        broken.effect.localRollbacks = 1
        scene.fleet.behaviours[scene.new] = broken
        _ = try scene.registry.store.write { (records) throws(RegistryError) in
            guard var rollout = try records.rollout(scene.registry.model, .main) else { return }
            rollout.lastLook = nil
            try records.setRollout(rollout)
        }
        _ = try? RolloutDesk(
            store: scene.registry.store, blobs: scene.registry.blobs, keys: OnlineKeys([:])
        ).order(
            .rollback, scene.registry.model, .main, reason: "", by: scene.registry.admin,
            at: scene.now)
        let report = try keyless.tick(at: scene.now)
        #expect(report.failures.map(\.error) == [.keyMissing(.plans(scene.registry.model))])
        #expect(try scene.plan().state == .running)
        try scene.tick()
        #expect(try scene.plan().state == .rolledBack)
    }

    // MARK: Looking

    @Test func `the gate looks once in its interval, and again at once in a new stage`() throws {
        let scene = try Scene()
        try scene.startNew()
        var looks: [Int64] = []
        for second in stride(from: Int64(0), to: 3_000, by: 100) {
            let time = scene.now + second
            if try scene.registry.controller.tick(at: time).looks > 0 { looks.append(second) }
        }
        #expect(looks == [0, 600, 1_200, 1_800, 2_400])
    }

    @Test func `an idle tick changes nothing in the store`() throws {
        let scene = try Scene()
        try scene.startNew()
        try scene.run(hours: 1)
        let records = try scene.registry.auditRecords()
        for second in 1..<200 as Range<Int64> {
            _ = try scene.registry.controller.tick(at: scene.now + second)
        }
        #expect(try scene.registry.auditRecords() == records)
    }

    @Test func `the status shows arms, tests against limits, and the timeline`() throws {
        let scene = try Scene(regions: ["eu", "us"])
        try scene.startNew()
        try scene.run(hours: 0.9)
        let json = try scene.status().json
        #expect(json["state"]?.string == "running")
        #expect(json["stage_name"]?.string == "canary")
        let arms = try #require(json["look"]?["arms"])
        #expect(arms["treated"]?["turns"]?.integer ?? 0 > 100)
        #expect(arms["control"]?["devices"]?.integer ?? 0 >= 8)
        let tests = try #require(json["look"]?["tests"]?.array)
        let latency = try #require(tests.first { $0["metric"]?.string == "latency_p95" })
        #expect(latency["limit"]?.integer == 1_300)
        #expect(latency["paired"]?.bool == true)
        let low = try #require(latency["range"]?["low"]?.integer)
        let high = try #require(latency["range"]?["high"]?.integer)
        let ratio = try #require(latency["ratio"]?.integer)
        #expect(low <= ratio && ratio <= high)
        let exposure = try #require(json["exposure"]?.object)
        #expect(exposure.keys.sorted() == ["eu/hub", "us/hub"])
        #expect(exposure["eu/hub"]?["devices"]?.integer == 20)
        #expect(exposure["eu/hub"]?["exposed"]?.integer ?? 0 >= 5)
        let timeline = try #require(json["timeline"]?.array)
        #expect(timeline.last?["event"]?.string == "rollout.started")
    }
}
