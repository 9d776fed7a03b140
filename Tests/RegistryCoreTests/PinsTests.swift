import Primitives
import RegistryCore
import RegistryTestSupport
import Rollouts
import TestSupport
import Testing

/// Pins with owner and reason at the registry, and as hashes in the plan.
struct PinsTests {
    private let registry = TestRegistry()
    private let now = UTCTime(clamping: 1_764_000_000)

    /// A rollout of 1.0.0 that runs, under a policy that lets `early` devices be pinned before its time.
    private func started(early: Int64 = 1) throws {
        try registry.found(at: now)
        try registry.release("1.0.0", replaces: [], policy: ["max_pins": .integer(early)], at: now)
        try registry.createFirst("1.0.0", at: now)
        _ = try registry.desk.order(
            .start, registry.model, .main, reason: "", by: registry.admin, at: now)
    }

    private func device(_ name: String) throws -> TestDevice {
        let device = TestDevice(name, model: registry.model)
        try registry.enrol(device, at: now)
        return device
    }

    @discardableResult
    private func pin(
        _ device: DeviceID, _ version: String = "1.0.0", seconds: Int64 = 3_600,
        owner: String = "anna", reason: String = "a demo", at time: UTCTime? = nil,
        by actor: Principal? = nil
    ) throws -> PinRecord {
        try registry.pins.pin(
            device,
            PinRequest(
                version: #require(SemanticVersion(version)), expires: (time ?? now) + seconds,
                owner: owner, reason: reason),
            registry.model, .main, by: actor ?? registry.admin, at: time ?? now)
    }

    private func planned() throws -> [PinGroup] { try registry.publishedPlan().0?.pins ?? [] }

    @Test func `a pin is published as a hash, and told with owner and reason`() throws {
        try started()
        let one = try device("one")
        let record = try pin(one.id)
        #expect(record.owner == "anna")
        let group = PinGroup(
            bundle: record.bundle, expires: now + 3_600,
            devices: [DeviceHash(of: one.id, model: registry.model)])
        #expect(try planned() == [group])
        let listed = try registry.pins.list(registry.model, .main, by: registry.admin, at: now)
        #expect(listed == [record])
        #expect(
            try registry.events().suffix(3) == [
                "rollout.pins_changed", "device.pinned", "plans.published",
            ])
        let facts = try registry.auditRecords().last {
            $0.json?["event"]?.string == "device.pinned"
        }?.json?["facts"]
        #expect(facts?["owner"]?.string == "anna")
        #expect(facts?["reason"]?.string == "a demo")
        #expect(facts?["device"]?.string == one.id.description)
        _ = try AuditLog(store: registry.store).verify()
    }

    @Test func `a pin ends with its day, and within a day with its hour, so that plans stay short`()
        throws
    {
        try started(early: 200)
        #expect(PinRecord.end(of: now + 1, at: now) == now + 3_600)
        #expect(PinRecord.end(of: now + 3_600, at: now) == now + 3_600)
        #expect(PinRecord.end(of: now + 86_400, at: now) == UTCTime(seconds: 20_418 * 86_400))
        #expect(PinRecord.end(of: now + 100_000, at: now) == UTCTime(seconds: 20_418 * 86_400))
        let bare = try #require(try registry.publishedPlan().0).json.canonicalBytes.count
        // A working day of pins for a fortnight, each made at a moment of its own.
        for number in 0..<120 {
            try pin(
                device("pinned-\(number)").id, seconds: 14 * 86_400,
                at: now + Int64(number) * 211)
        }
        let plan = try #require(try registry.publishedPlan().0)
        #expect(plan.pins.map(\.devices.count).reduce(0, +) == 120)
        #expect(plan.pins.count <= 2)
        #expect(plan.json.canonicalBytes.count - bare <= 120 * 11 + 2 * 200)
        #expect(
            try registry.pins.list(registry.model, .main, by: registry.admin, at: now).count == 120)
    }

    @Test func `an assignment knows what a pinned version asks of a device`() throws {
        try started(early: 3)
        try registry.release("0.9.0", replaces: [], policy: ["max_pins": 3], at: now)
        let one = try device("one")
        try pin(one.id, "0.9.0")
        let answer = try Assignments(store: registry.store, blobs: registry.blobs).decide(
            for: one.id, registry.model, .main, by: registry.admin, at: now)
        #expect(answer.decision.isPinned)
        #expect(!answer.decision.refusals.contains(.requirementsUnknown))
        #expect(answer.decision.target?.version.description == "0.9.0")
    }

    @Test func `a pin can be changed, dropped once, and goes with its device or its time`() throws {
        try started(early: 3)
        let one = try device("one")
        let two = try device("two")
        try pin(one.id)
        try pin(one.id, seconds: 7_200)
        #expect(try planned().map(\.expires) == [now + 7_200])
        try registry.pins.unpin(
            one.id, registry.model, .main, reason: "over", by: registry.admin, at: now)
        #expect(try planned() == [])
        #expect(throws: RegistryError.notFound("pin", one.id.description)) {
            try registry.pins.unpin(
                one.id, registry.model, .main, reason: "", by: registry.admin, at: now)
        }
        try pin(one.id)
        try pin(two.id, seconds: 10_800)
        try registry.devices.revoke(one.id, reason: "", by: registry.admin, at: now)
        let later = now + 4_000
        #expect(
            try registry.pins.list(registry.model, .main, by: registry.admin, at: later)
                .map(\.device) == [two.id])
        try pin(two.id, at: later)
        #expect(try planned().flatMap(\.devices) == [DeviceHash(of: two.id, model: registry.model)])
    }

    @Test func `what devices would refuse is refused here`() throws {
        try started(early: 1)
        let one = try device("one")
        let two = try device("two")
        func problems(_ body: () throws -> PinRecord) throws -> [String] {
            let plan = try registry.publishedPlan().1
            let records = try registry.auditRecords()
            let error = #expect(throws: RegistryError.self) { try body() }
            #expect(try registry.publishedPlan().1 == plan)
            #expect(try registry.auditRecords() == records)
            guard case .refusedByPolicy(let problems) = error else { return [] }
            return problems
        }
        #expect(try problems { try pin(one.id, "9.9.9", seconds: 0) }.count == 2)
        #expect(try problems { try pin(one.id, seconds: Pins.longest + 1) }.count == 1)
        try pin(one.id)
        let many = try problems { try pin(two.id) }
        #expect(many.count == 1)
        #expect(many.first?.contains("max_pins") == true)
        let stranger = TestDevice("stranger", model: registry.model)
        #expect(throws: RegistryError.notFound("device", stranger.id.description)) {
            try pin(stranger.id)
        }
        // Once its least soak times are over, any number.
        let ripe = now + 90 * 86_400
        _ = try registry.roles.renew(at: ripe)
        try pin(one.id, at: ripe)
        try pin(two.id, at: ripe)
        #expect(try planned().flatMap(\.devices).count == 2)
        _ = try registry.desk.order(
            RolloutInstruction(.rollback, leavesNoModel: true), registry.model, .main,
            by: registry.admin, at: ripe)
        #expect(try problems { try pin(two.id, at: ripe) }.first?.contains("withdrawn") == true)
    }

    @Test func `pinning needs operate for this model, and words that are words`() throws {
        try started()
        let one = try device("one")
        let reader = Principal(id: .registry, name: "r", scopes: [Scope(.read)])
        #expect(throws: RegistryError.forbidden(needs: Scope(.operate, registry.model))) {
            try pin(one.id, by: reader)
        }
        #expect(throws: RegistryError.forbidden(needs: Scope(.operate, registry.model))) {
            try registry.pins.unpin(
                one.id, registry.model, .main, reason: "", by: reader, at: now)
        }
        for text in ["a\u{1B}[2J", String(repeating: "x", count: 201)] {
            #expect(throws: RegistryError.self) { try pin(one.id, owner: text) }
            #expect(throws: RegistryError.self) { try pin(one.id, reason: text) }
        }
        let nobody = FieldError(
            path: "owner", expected: "who answers for the pin", found: "nothing")
        for owner in ["", "  "] {
            #expect(throws: RegistryError.malformed(nobody)) { try pin(one.id, owner: owner) }
        }
        #expect(try planned() == [])
        #expect(throws: FieldError.self) { try PinRequest(["version": "1.0.0"]) }
    }
}
