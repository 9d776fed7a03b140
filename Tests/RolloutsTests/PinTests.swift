import Primitives
import TestSupport
import Testing

@testable import Rollouts

struct PinTests {
    @Test func `a pin to the candidate takes it early, for as many devices as the policy allows`()
        throws
    {
        var world = World()
        world.device.id = World.id(World.number(in: 5_000..<6_000))
        world.pin("1.4.0", also: 9)
        let decision = world.decision()
        #expect(decision.action == .forward(bundle("1.4.0")))
        #expect(decision.role == .pin)
        #expect(decision.isPinned)
        #expect(decision.arm == nil)
        world.pin("1.4.0", also: 10)
        #expect(world.decision().refusals == [.pinNotYetAllowed])
        world.move(to: world.policy.matures)
        world.pin("1.4.0", also: 10)
        #expect(world.decision().action == .forward(bundle("1.4.0")))
    }

    @Test func `a pin holds a device where it is`() throws {
        var world = World()
        world.pin("1.3.0")
        #expect(world.decision().action == .stay)
        #expect(world.decision().refusals == [])
    }

    @Test func `a pin to an older committed version goes back`() throws {
        var world = World()
        world.pin("1.2.0")
        world.device.isHeld = true
        #expect(world.decision().action == .back(bundle("1.2.0")))
    }

    @Test func `an expired pin is none`() throws {
        var world = World()
        world.pin("1.3.0")
        world.plan.pins = [
            PinGroup(
                bundle: bundle("1.3.0"), expires: world.now, devices: world.plan.pins[0].devices)
        ]
        #expect(world.decision().action == .forward(bundle("1.4.0")))
        #expect(!world.decision().isPinned)
    }

    @Test func `a pin outlives an exclusion, and not a withdrawal`() throws {
        var world = DecisionTests.onCandidate()
        world.pin("1.4.0")
        world.plan.excluded = [.region(name("eu"))]
        #expect(world.decision().action == .stay)
        world.rollBack()
        #expect(world.decision().action == .back(bundle("1.3.0")))
    }

    @Test func `a pin to a withdrawn version is void`() throws {
        var world = World()
        world.pin("1.2.0")
        world.device.withdrawn = [
            Withdrawal(version: version("1.2.0"), sha256: bundle("1.2.0").sha256, at: world.now)
        ]
        #expect(world.decision().action == .forward(bundle("1.4.0")))
    }

    @Test func `ten thousand pins cost at most twelve bytes each`() throws {
        var world = World()
        world.plan.pins = []
        let without = world.plan.json.canonicalBytes.count
        var generator = SeededGenerator(seed: 1)
        let devices = (0..<10_000).map { _ in DeviceHash(value: generator.next()) }
        world.plan.pins = [
            PinGroup(bundle: bundle("1.3.0"), expires: world.now + day, devices: devices)
        ]
        let bytes = world.plan.json.canonicalBytes
        #expect(bytes.count - without <= 12 * 10_000)
        let read = try Plan(parsing: bytes)
        #expect(read == world.plan)
        for device in devices { #expect(read.pins[0].contains(device)) }
        for _ in 0..<1_000 {
            #expect(!read.pins[0].contains(DeviceHash(value: generator.next())))
        }
    }

    @Test func `a plan with more pins, or one device in two groups, is refused`() throws {
        var world = World()
        let many = (0...10_000).map { DeviceHash(value: UInt64($0)) }
        world.plan.pins = [
            PinGroup(bundle: bundle("1.3.0"), expires: world.now, devices: Array(many[..<5_001])),
            PinGroup(bundle: bundle("1.2.0"), expires: world.now, devices: Array(many[5_001...])),
        ]
        #expect(throws: DocumentError.self) { try Plan(parsing: world.plan.json.canonicalBytes) }
        world.plan.pins = [
            PinGroup(bundle: bundle("1.3.0"), expires: world.now, devices: [many[1], many[2]]),
            PinGroup(bundle: bundle("1.2.0"), expires: world.now, devices: [many[2]]),
        ]
        #expect(
            throws: DocumentError.wrong(
                FieldError(path: "pins", expected: "each device once", found: "one twice"))
        ) { try Plan(parsing: world.plan.json.canonicalBytes) }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `base 64 reads back what it wrote, and nothing else`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let bytes = (0..<Int(seed)).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let text = Base64.encode(bytes)
        #expect(Base64.decode(text) == bytes)
        #expect(Base64.decode(text + "=") == nil)
        #expect(Base64.decode(text + " ") == nil)
    }

    @Test func `base 64 agrees with RFC 4648 and has one spelling`() throws {
        let vectors = ["": "", "f": "Zg", "fo": "Zm8", "foo": "Zm9v", "foobar": "Zm9vYmFy"]
        for (text, expected) in vectors { #expect(Base64.encode(Array(text.utf8)) == expected) }
        #expect(Base64.encode([0xFB, 0xFF]) == "-_8")
        #expect(Base64.decode("Zh") == nil)
        #expect(Base64.decode("Z") == nil)
        #expect(Base64.decode("Zm9vY") == nil)
    }
}
