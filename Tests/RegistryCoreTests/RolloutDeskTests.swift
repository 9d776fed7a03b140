import Cryptography
import ModelBundle
import Primitives
import RegistryCore
import RegistryTestSupport
import Rollouts
import TUF
import TestSupport
import Testing

struct RolloutDeskTests {
    private let registry = TestRegistry()
    private let now = UTCTime(clamping: 1_764_000_000)

    private func create(
        _ version: String = "1.0.0", policy: String = "standard", initial: Bool = true,
        by actor: Principal? = nil
    ) throws -> RolloutStatus {
        try registry.desk.create(
            RolloutRequest(
                model: registry.model, channel: .main,
                candidate: #require(SemanticVersion(version)),
                policy: #require(AttributeName(policy)), isInitial: initial),
            by: actor ?? registry.admin, at: now)
    }

    /// The first release, which has nothing before it.
    private func startAndWithdraw() throws {
        for instruction in [
            RolloutInstruction(.start), RolloutInstruction(.rollback, leavesNoModel: true),
        ] {
            _ = try registry.desk.order(
                instruction, registry.model, .main, by: registry.admin, at: now)
        }
    }

    private func problems(_ body: () throws -> RolloutStatus) throws -> [String] {
        let before = try registry.auditRecords()
        let error = #expect(throws: RegistryError.self) { try body() }
        #expect(try registry.auditRecords() == before)
        guard case .refusedByPolicy(let problems) = error else {
            Issue.record("\(String(describing: error))")
            return []
        }
        return problems
    }

    @Test func `a request is read strictly`() throws {
        let json: JSON = [
            "model": "commands-en", "candidate": "1.0.0", "policy": "standard", "initial": true,
        ]
        let request = try RolloutRequest(json)
        #expect(request.channel == .main)
        #expect(request.isInitial)
        var fields = try #require(json.object)
        fields["share"] = 5_000
        #expect(throws: FieldError.self) { try RolloutRequest(.object(fields)) }
        fields = ["model": "*", "candidate": "1.0.0", "policy": "standard"]
        #expect(throws: FieldError.self) { try RolloutRequest(.object(fields)) }
    }

    @Test func `a rollout that was created does nothing before it is started`() throws {
        try registry.found(at: now)
        try registry.release("1.0.0", replaces: [], at: now)
        let status = try create()
        #expect(status.json["state"]?.string == "created")
        #expect(try registry.publishedPlan().0 == nil)
        #expect(try registry.controller.tick(at: now + 9_999).looks == 0)
        #expect(try registry.publishedPlan().0 == nil)
        #expect(try registry.events().last == "rollout.created")
        #expect(throws: RegistryError.self) {
            try registry.desk.order(
                .rollback, registry.model, .main, reason: "", by: registry.admin, at: now)
        }
        // Another one takes its place as long as it has not started.
        #expect(try create().json["state"]?.string == "created")
    }

    @Test func `what is not live cannot be rolled out`() throws {
        try registry.found(at: now)
        try registry.release("1.0.0", replaces: [], at: now)
        #expect(
            try problems { try create("2.0.0") } == [
                "policy 'policies/commands-en/2.0.0.standard.json': "
                    + "expected one that is live, got none",
                "candidate: expected a bundle that is live, got none of version 2.0.0",
            ])
        #expect(try problems { try create(policy: "hasty") }.count == 1)
    }

    @Test func `a first release says so, and a later one has a baseline`() throws {
        try registry.found(at: now)
        try registry.release("1.0.0", replaces: [], at: now)
        let first = try problems { try create(initial: false) }
        #expect(first.count == 1)
        #expect(first[0].hasPrefix("baseline: expected a completed release in channel 'main'"))
        try registry.release("1.1.0", replaces: ["1.0.0"], at: now)
        #expect(try !problems { try create("1.1.0", initial: true) }.isEmpty)
    }

    @Test func `only one rollout of a channel is under way`() throws {
        try registry.found(at: now)
        try registry.release("1.0.0", replaces: [], at: now)
        _ = try create()
        _ = try registry.desk.order(
            .start, registry.model, .main, reason: "", by: registry.admin, at: now)
        #expect(
            throws: RegistryError.rolloutExists(registry.model, .main, state: "running")
        ) { try create() }
        #expect(try registry.publishedPlan().0?.state == .running)
        let seen = try registry.clientView(of: .plans(registry.model), at: now)
        #expect(seen.content.targets.count == 1)
    }

    @Test func `a policy for regions that no device has is refused, with every problem`() throws {
        try registry.found(at: now)
        try registry.enrol(TestDevice("one", model: registry.model, region: "eu"), at: now)
        let stages: JSON = [
            [
                "name": "all", "share": 10_000, "cap": 10_000, "least_devices": 0,
                "where": ["regions": ["atlantis", "mu"], "device_classes": [], "labels": []],
            ]
        ]
        try registry.release("1.0.0", replaces: [], policy: ["stages": stages], at: now)
        let found = try problems { try create() }
        #expect(found.count == 2)
        #expect(found.allSatisfy { $0.contains("regions") })
    }

    @Test func `a withdrawn candidate cannot be rolled out again`() throws {
        try registry.found(at: now)
        try registry.release("1.0.0", replaces: [], at: now)
        _ = try create()
        try startAndWithdraw()
        #expect(try problems { try create() }.contains { $0.contains("withdrawn") })
        let models = Models(store: registry.store, blobs: registry.blobs)
        let model = try models.model(registry.model, by: registry.admin)
        #expect(model.versions.map(\.state) == [.withdrawn])
    }

    @Test
    func `a withdrawn candidate can be rolled out again once the release keys have lifted that`()
        throws
    {
        try registry.found(at: now)
        let bundle = try registry.release("1.0.0", replaces: [], at: now)
        _ = try create()
        try startAndWithdraw()
        try registry.lift(bundle.reference, until: now, at: now)
        let status = try create()
        #expect(status.json["state"]?.string == "created")
        #expect(
            try registry.store.read { (records) throws(RegistryError) in
                try records.rollout(registry.model, .main)
            }?.state.plan.withdrawn == [])
    }

    @Test func `a freeze holds for every channel of the model, and its end too`() throws {
        try registry.found(at: now)
        try registry.release("1.0.0", replaces: [], at: now)
        let night = try #require(ChannelName("night"))
        func order(_ order: RolloutOrder, _ channel: ChannelName) throws -> String? {
            try registry.desk.order(
                order, registry.model, channel, reason: "fair", by: registry.admin, at: now
            ).json["state"]?.string
        }
        func state(_ channel: ChannelName) throws -> String? {
            try registry.desk.status(registry.model, channel, by: registry.admin, at: now)
                .json["state"]?.string
        }
        let late = try #require(ChannelName("late"))
        for channel in [ChannelName.main, night, late] {
            _ = try registry.desk.create(
                RolloutRequest(
                    model: registry.model, channel: channel,
                    candidate: #require(SemanticVersion("1.0.0")),
                    policy: #require(AttributeName("standard")), isInitial: true),
                by: registry.admin, at: now)
        }
        for channel in [ChannelName.main, night] {
            #expect(try order(.start, channel) == "running")
        }
        #expect(try order(.freeze, .main) == "frozen")
        #expect(try state(night) == "frozen")
        #expect(
            throws: RegistryError.stateConflict(
                order: "start", reason: "\(OrderRefusal.modelFrozen)")
        ) { try order(.start, late) }
        #expect(try order(.unfreeze, night) == "running")
        #expect(try state(.main) == "running")
        #expect(try order(.start, late) == "running")
    }

    @Test func `creating needs operate for this model`() throws {
        try registry.found(at: now)
        let publisher = Principal(id: .registry, name: "p", scopes: [Scope(.publish)])
        #expect(throws: RegistryError.forbidden(needs: Scope(.operate, registry.model))) {
            try create(by: publisher)
        }
        let unknown = try #require(ModelName("commands-de"))
        #expect(throws: RegistryError.notFound("rollout", "commands-de/main")) {
            try registry.desk.status(unknown, .main, by: registry.admin, at: now)
        }
    }

    @Test func `a segment is excluded and let in again, a window set and dropped, each once`()
        throws
    {
        try registry.found(at: now)
        try registry.release("1.0.0", replaces: [], at: now)
        _ = try create()
        let segment = try Segment(reading: ["region": "us"], at: "segment")
        let window = try #require(FreezeWindow(from: 6_720, until: 9_660))
        func order(
            _ order: RolloutOrder, _ segment: Segment? = nil, _ window: FreezeWindow? = nil
        ) throws -> JSON {
            try registry.desk.order(
                RolloutInstruction(order, segment: segment, window: window, reason: "why"),
                registry.model, .main, by: registry.admin, at: now
            ).json
        }
        _ = try order(.start)
        #expect(try order(.exclude, segment)["excluded"] == [["region": "us"]])
        #expect(try registry.publishedPlan().0?.excluded == [segment])
        #expect(throws: RegistryError.self) { try order(.exclude, segment) }
        #expect(try order(.include, segment)["excluded"] == [])
        #expect(throws: RegistryError.self) { try order(.resume, segment) }
        #expect(
            try order(.freeze, nil, window)["freeze_windows"] == [["from": 6_720, "until": 9_660]])
        #expect(try registry.publishedPlan().0?.freezeWindows == [window])
        #expect(try registry.publishedPlan().0?.state == .running)
        #expect(throws: RegistryError.self) { try order(.freeze, nil, window) }
        #expect(try order(.unfreeze, nil, window)["freeze_windows"] == [])
        #expect(throws: RegistryError.self) { try order(.unfreeze, nil, window) }
        let events = try registry.events().filter {
            $0.hasPrefix("rollout.") && $0 != "rollout.created" && $0 != "rollout.started"
        }
        #expect(
            events == [
                "rollout.excluded", "rollout.included", "rollout.windows_changed",
                "rollout.windows_changed",
            ])
    }

    @Test func `a segment that neither a device nor the policy knows is not excluded`() throws {
        try registry.found(at: now)
        let stages: JSON = [
            [
                "name": "all", "share": 10_000, "cap": 10_000, "least_devices": 0,
                "where": ["regions": ["eu", "us"], "device_classes": [], "labels": []],
            ]
        ]
        try registry.enrol(TestDevice("one", model: registry.model, region: "eu"), at: now)
        try registry.enrol(TestDevice("two", model: registry.model, region: "us"), at: now)
        try registry.release("1.0.0", replaces: [], policy: ["stages": stages], at: now)
        _ = try create()
        _ = try registry.desk.order(
            .start, registry.model, .main, reason: "", by: registry.admin, at: now)
        try registry.devices.revoke(
            TestDevice("two", model: registry.model).id, reason: "", by: registry.admin, at: now)
        func exclude(_ segment: JSON) throws {
            _ = try registry.desk.order(
                RolloutInstruction(.exclude, segment: Segment(reading: segment, at: "segment")),
                registry.model, .main, by: registry.admin, at: now)
        }
        let records = try registry.auditRecords()
        let wrong: [(JSON, FieldError)] = [
            (
                ["region": "ue"],
                FieldError(path: "segment.region", expected: "one of eu, us", found: "'ue'")
            ),
            (
                ["region": "eu", "device_class": "hubb"],
                FieldError(path: "segment.device_class", expected: "one of hub", found: "'hubb'")
            ),
            (
                ["locale": "en-gb"],
                FieldError(path: "segment.locale", expected: "one of en-GB", found: "'en-gb'")
            ),
        ]
        for (segment, error) in wrong {
            #expect(throws: RegistryError.malformed(error)) { try exclude(segment) }
        }
        #expect(try registry.auditRecords() == records)
        // The policy's word is enough: such devices may come.
        for segment in [["region": "us"], ["region": "eu", "device_class": "hub"]] as [JSON] {
            #expect(throws: Never.self) { try exclude(segment) }
        }
    }

    @Test func `an order that does not go with what it names is malformed`() throws {
        try registry.found(at: now)
        try registry.release("1.0.0", replaces: [], at: now)
        _ = try create()
        let segment = try Segment(reading: ["locale": "de"], at: "segment")
        let window = try #require(FreezeWindow(from: 1, until: 2))
        let wrong: [RolloutInstruction] =
            [.start, .advance, .pause, .rollback, .freeze, .unfreeze].map {
                RolloutInstruction($0, segment: segment)
            }
            + [.start, .advance, .pause, .rollback, .resume, .exclude].map {
                RolloutInstruction($0, window: window)
            } + [RolloutInstruction(.exclude), RolloutInstruction(.include)]
            + RolloutOrder.allCases.filter { $0 != .rollback }.map {
                RolloutInstruction($0, leavesNoModel: true)
            }
        let records = try registry.auditRecords()
        for instruction in wrong {
            let error = #expect(throws: RegistryError.self, "\(instruction)") {
                try registry.desk.order(
                    instruction, registry.model, .main, by: registry.admin, at: now)
            }
            #expect(error?.code == .malformedRequest, "\(instruction)")
        }
        #expect(try registry.auditRecords() == records)
        #expect(throws: FieldError.self) {
            try RolloutInstruction(.exclude, reading: ["segment": ["region": "us"], "share": 1])
        }
        let read = try RolloutInstruction(
            .freeze, reading: ["reason": "fair", "window": ["from": 1, "until": 2]])
        #expect(read == RolloutInstruction(.freeze, window: window, reason: "fair"))
        #expect(
            try RolloutInstruction(.rollback, reading: ["leave_no_model": true])
                == RolloutInstruction(.rollback, leavesNoModel: true))
    }

    @Test(arguments: RolloutOrder.allCases)
    func `an order needs operate for this model`(order: RolloutOrder) throws {
        try registry.found(at: now)
        try registry.release("1.0.0", replaces: [], at: now)
        let created = try create()
        let records = try registry.auditRecords()
        let other = try #require(ModelName("commands-de"))
        for scope in [Scope(.publish), Scope(.sign), Scope(.read), Scope(.operate, other)] {
            let actor = Principal(id: .registry, name: "p", scopes: [scope])
            #expect(throws: RegistryError.forbidden(needs: Scope(.operate, registry.model))) {
                try registry.desk.order(
                    order, registry.model, .main, reason: "", by: actor, at: now)
            }
        }
        #expect(try registry.auditRecords() == records)
        let status = try registry.desk.status(registry.model, .main, by: registry.admin, at: now)
        #expect(status.json == created.json)
    }

    // MARK: Models

    @Test func `models show held and live versions with their policies`() throws {
        try registry.found(at: now)
        try registry.release("1.0.0", replaces: [], at: now)
        let next = try SampleBundle(registry.model, try #require(SemanticVersion("1.1.0")))
        try registry.upload(next)
        try registry.publish(at: now, by: [TestRegistry.releaseKeys[0]]) { targets in
            targets.targets[.manifest(of: registry.model, next.manifest.version)] =
                TargetDescription(of: next.manifest.bytes)
        }
        let models = Models(store: registry.store, blobs: registry.blobs)
        let all = try models.list(by: registry.admin)
        #expect(all.map(\.name) == [registry.model])
        #expect(all[0].versions.map(\.bundle.version.description) == ["1.1.0", "1.0.0"])
        #expect(all[0].versions.map(\.state) == [.held, .live])
        #expect(
            all[0].versions[1].policies.map(\.description) == [
                "policies/commands-en/1.0.0.standard.json"
            ])
        let unknown = try #require(ModelName("commands-de"))
        #expect(throws: RegistryError.notFound("model", "commands-de")) {
            try models.model(unknown, by: registry.admin)
        }
    }

    // MARK: Assignments

    @Test func `an assignment is the device's own decision, with the age of what it rests on`()
        throws
    {
        try registry.found(at: now)
        try registry.release("1.0.0", replaces: [], at: now)
        let fleet = ReportingFleet(registry, count: 30)
        try fleet.enrol(at: now)
        _ = try create()
        _ = try registry.desk.order(
            .start, registry.model, .main, reason: "", by: registry.admin, at: now)
        let later = now + 600
        let assignments = Assignments(store: registry.store, blobs: registry.blobs)
        let plan = try #require(try registry.publishedPlan().0)
        var exposed = 0
        for device in fleet.devices {
            let answer = try assignments.decide(
                for: device.id, registry.model, .main, by: registry.admin, at: later)
            #expect(answer.json["attributes_age_s"]?.integer == 600)
            #expect(answer.json["heard_age_s"] == nil)
            #expect(
                answer.decision.bucket == Bucket(of: device.id, candidate: plan.candidate.sha256))
            if answer.decision.stage != nil { exposed += 1 }
        }
        #expect((1..<30).contains(exposed))
        let stranger = TestDevice("stranger", model: registry.model)
        #expect(throws: RegistryError.notFound("device", stranger.id.description)) {
            try assignments.decide(
                for: stranger.id, registry.model, .main, by: registry.admin, at: later)
        }
    }
}
