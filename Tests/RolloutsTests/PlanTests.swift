import Primitives
import TestSupport
import Testing

@testable import Rollouts

struct PlanTests {
    @Test func `reads back what it wrote, and writes the same bytes`() throws {
        let bytes = SchemaTests.plan.canonicalBytes
        let plan = try Plan(parsing: bytes)
        #expect(plan.json.canonicalBytes == bytes)
        #expect(try Plan(parsing: plan.json.canonicalBytes) == plan)
        #expect(plan.currentStage == 1)
    }

    @Test func `the example in manifests is what the schema says, and is read strictly`() throws {
        let bytes = try projectFile("manifests/plan.json")
        let json = try JSON(parsing: bytes, limit: Plan.longest)
        let schema = try JSON(
            parsing: projectFile("manifests/schemas/plan.schema.json"), limit: 1 << 20)
        let validator = SchemaValidator(root: schema)
        #expect(validator.problems(json) == [])
        let plan = try Plan(parsing: bytes)
        #expect(plan.json == json)
        let full = Set(SchemaTests.plan.object?.keys.sorted() ?? [])
        #expect(Set(json.object?.keys.sorted() ?? []) == full, "it shows every field")
        var fields = try #require(json.object)
        fields["share"] = 1
        #expect(validator.problems(.object(fields)) == [".share: additionalProperties"])
        #expect(throws: DocumentError.self) {
            try Plan(parsing: JSON.object(fields).canonicalBytes)
        }
    }

    @Test func `a first release's plan has no baseline`() throws {
        var plan = World().plan
        plan.baseline = nil
        #expect(plan.json["baseline"] == nil)
        #expect(try Plan(parsing: plan.json.canonicalBytes) == plan)
    }

    @Test func `a rolled back plan must withdraw its candidate`() throws {
        var plan = World().plan
        plan.state = .rolledBack
        #expect(
            throws: DocumentError.wrong(
                FieldError(
                    path: "withdrawn", expected: "the candidate, which is rolled back",
                    found: "others only"))
        ) { try Plan(parsing: plan.json.canonicalBytes) }
    }

    @Test func `refuses shares that are none and cohorts that are none`() throws {
        guard case .object(let fields) = World().plan.json else { return }
        for shares: JSON in [["eu": 1], ["eu/hub/x": 1], ["eu/hub": 10_001], ["eu/hub": "1"]] {
            var changed = fields
            changed["hold_back"] = shares
            let bytes = JSON.object(changed).canonicalBytes
            #expect(throws: DocumentError.self) { try Plan(parsing: bytes) }
        }
    }

    @Test func `refuses segments that name nothing or too much`() throws {
        for json: JSON in [
            [:], ["region": "eu", "locale": "en-GB"], ["region": "e u"], ["town": "Bath"],
            ["locale": "en-GB", "device_class": "hub"],
        ] {
            #expect(throws: FieldError.self) { try Segment(reading: json, at: "excluded[0]") }
        }
        let segments: [Segment] = [
            .region(name("eu")), .deviceClass(name("hub")), .locale(name("en-GB")),
            .cohort(made(Cohort("eu/hub"))),
        ]
        for segment in segments {
            #expect(try Segment(reading: segment.json, at: "") == segment)
        }
        #expect(segments.map(\.kind) == [.region, .deviceClass, .locale, .cohort])
        #expect(
            segments.map(\.description) == [
                "region eu", "device class hub", "locale en-GB", "region eu, device class hub",
            ])
    }

    @Test func `refuses pins that are not hashes in order`() throws {
        let group = PinGroup(
            bundle: bundle("1.3.0"), expires: World.start,
            devices: [DeviceHash(value: 2), DeviceHash(value: 1)])
        #expect(group.devices.map(\.value) == [1, 2])
        guard case .object(let fields) = group.json else { return }
        let wrong = [
            "", "AAAA", "!!!!",
            Base64.encode(DeviceHash(value: 2).bytes + DeviceHash(value: 1).bytes),
            Base64.encode(DeviceHash(value: 2).bytes + DeviceHash(value: 2).bytes),
        ]
        for text in wrong {
            var changed = fields
            changed["devices"] = .string(text)
            #expect(throws: FieldError.self) {
                try PinGroup(reading: .object(changed), at: "pins[0]")
            }
        }
        #expect(try PinGroup(reading: group.json, at: "") == group)
    }

    @Test func `a freeze window knows its minutes, over Sunday midnight too`() throws {
        let monday = World.start
        let weekend = try #require(FreezeWindow(from: 4 * 1_440 + 960, until: 420))
        #expect(weekend.description == "Fri 16:00 to Mon 07:00 UTC")
        #expect(weekend.contains(monday + 7 * hour + -1))
        #expect(!weekend.contains(monday + 7 * hour))
        #expect(!weekend.contains(monday + 4 * day + 16 * hour + -1))
        #expect(weekend.contains(monday + 4 * day + 16 * hour))
        #expect(weekend.contains(monday + 6 * day + 23 * hour))
        #expect(weekend.end(after: monday + 5 * day + 59) == monday + 7 * day + 7 * hour)
        #expect(weekend.end(after: monday) == monday + 7 * hour)
        let noon = try #require(FreezeWindow(from: 690, until: 750))
        #expect(noon.contains(monday + 12 * hour) && !noon.contains(monday + 13 * hour))
        #expect(noon < weekend)
        #expect(FreezeWindow(from: 5, until: 5) == nil)
        #expect(FreezeWindow(from: -1, until: 5) == nil)
        #expect(FreezeWindow(from: 0, until: 10_080) == nil)
        #expect(throws: FieldError.self) {
            try FreezeWindow(reading: ["from": 3, "until": 3], at: "")
        }
    }

    /// The ramp takes the new devices of a stage one after the other, and those of the last at once.
    @Test func `a ramp starts devices by their buckets`() throws {
        var world = World()
        world.policy.stages[1].ramp = 1_000
        world.plan.stages[1].began = World.start + day
        func start(_ bucket: Int) throws -> UTCTime? {
            world.device.id = World.id(World.number(in: bucket..<(bucket + 1)))
            return Exposure(of: world.device, in: world.plan, under: world.policy).starts
        }
        #expect(try start(50) == World.start)
        #expect(try start(100) == World.start + day)
        #expect(try start(550) == World.start + day + 500)
        #expect(try start(999) == World.start + day + 998)
        #expect(try start(1_000) == nil)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `random plans read back as they were`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var plan = World().plan
        plan.state =
            Plan.State.allCases.filter { $0 != .rolledBack }
            .randomElement(using: &generator) ?? .running
        for _ in 0..<Int.random(in: 0...20, using: &generator) {
            let cohort = made(Cohort("r\(Int.random(in: 0...9, using: &generator))/c"))
            plan.holdBack[cohort] = basisPoints(Int.random(in: 0...10_000, using: &generator))
        }
        plan.pins = (0..<Int.random(in: 0...5, using: &generator)).map { index in
            PinGroup(
                bundle: bundle("1.\(index).0"), expires: World.start + Int64(index),
                devices: (0..<Int.random(in: 1...20, using: &generator)).map { _ in
                    DeviceHash(value: generator.next())
                })
        }
        plan.withdrawn = (0..<Int.random(in: 0...5, using: &generator)).map {
            Withdrawal(
                version: version("0.\($0).0"), sha256: bundle("0.\($0).0").sha256, at: World.start)
        }
        #expect(try Plan(parsing: plan.json.canonicalBytes) == plan)
    }
}
