import AgentCore
import Primitives
import Rollouts
import TUF
import TestSupport
import Testing

/// Devices whose clock is wrong, or that a thief of the timestamp key has made believe in another year.
@Suite struct WrongTimeTests {
    static let start = UpdateTests.start
    static let day = UpdateTests.day

    private func registry() throws -> (MemoryRegistry, BundleReference) {
        let registry = MemoryRegistry(now: Self.start)
        let old = try registry.publish("1.0.0", policy: UpdateTests.everybody, now: Self.start)
        registry.plan(
            old, over: nil, state: .completed,
            stages: [Self.start + -20 * Self.day, Self.start + -10 * Self.day])
        return (registry, old)
    }

    /// Polls that a device makes in so many seconds.
    private func polls(_ device: TestDevice, in seconds: Int64) -> Int {
        let before = device.polls
        device.pass(seconds)
        return device.polls - before
    }

    @Test func `a device that boots in 1970 goes by what it has seen signed`() throws {
        let (registry, old) = try registry()
        let device = try TestDevice(registry, at: UTCTime(clamping: 100))
        device.pass(60)
        #expect(device.active == "1.0.0")
        #expect(device.time - Self.start < 120, "and not before the start")
        device.speak(250)
        #expect(device.state == "committed")
        #expect(polls(device, in: 600) >= 8, "it polls every minute")

        let new = try registry.publish("1.1.0", policy: UpdateTests.everybody, now: Self.start)
        registry.touch(device.time)
        registry.plan(new, over: old, stages: [device.time])
        device.pass(180)
        device.speak(250)
        #expect(device.state == "committed" && device.active == "1.1.0")
    }

    @Test func `a device that is set from 1970 to today keeps its appointments`() throws {
        let (registry, _) = try registry()
        let device = try TestDevice(registry, at: UTCTime(clamping: 100))
        device.pass(60)
        #expect(device.state == "probation")
        device.now = Self.start + 100 * Self.day
        registry.touch(device.now)
        #expect(polls(device, in: 600) >= 8)
        #expect(device.state == "probation", "its end is as far away as it was")
    }

    @Test func `what has ended by what was seen signed has ended, whatever the clock says`() throws
    {
        let (registry, _) = try registry()
        let device = try TestDevice(registry, at: UTCTime(clamping: 100))
        device.pass(60)
        #expect(device.driver.pollError == nil)
        device.pass(2 * Self.day)
        guard case .refused(.expired(.timestamp, _, _)) = device.driver.pollError else {
            Issue.record(
                "expected an expired timestamp, got \(String(describing: device.driver.pollError))")
            return
        }
    }

    @Test func `a clock that was years ahead leaves nothing to wait for`() throws {
        let (registry, old) = try registry()
        let device = try TestDevice(registry, at: Self.start + 5)
        device.pass(60)
        device.speak(250)
        device.now = Self.start + 20_000 * Self.day
        device.pass(60)
        device.now = Self.start + 3_600
        registry.touch(device.now)
        #expect(polls(device, in: 600) >= 8)
        let new = try registry.publish("1.1.0", policy: UpdateTests.everybody, now: Self.start)
        registry.plan(new, over: old, stages: [device.now])
        device.pass(180)
        device.speak(250)
        #expect(device.state == "committed" && device.active == "1.1.0")
    }

    /// The worst that all online keys can sign: the highest versions, signed in 2099, all withdrawn.
    private func mislead(_ device: TestDevice, _ old: BundleReference) throws {
        let far = try #require(UTCTime(iso8601: "2099-06-01T00:00:00Z"))
        let last = try #require(MetadataVersion(.max))
        device.registry.plan(
            old, over: nil, state: .completed,
            stages: [Self.start + -20 * Self.day, Self.start + -10 * Self.day],
            withdrawn: [Withdrawal(version: old.version, sha256: old.sha256, at: device.now)])
        device.registry.simulator.edit {
            $0.roles[.plans(MemoryRegistry.model)]?.version = last
            $0.roles[.plans(MemoryRegistry.model)]?.expires = far + Self.day
            $0.publish(.plans(MemoryRegistry.model))
            $0.snapshot.version = last
            $0.snapshot.expires = far + Self.day
            $0.timestamp.version = last
            $0.timestamp.signedAt = far
            $0.timestamp.expires = far + Self.day
            $0.publishSnapshot()
        }
        device.pass(120)
        #expect(device.time - far >= 0, "it believes in the thief's year")
        #expect(device.driver.trust.withdrawn.map(\.version) == [old.version])
    }

    private func rotate(
        _ registry: MemoryRegistry, _ honest: SimulatedRepository, _ now: UTCTime
    ) throws {
        let pattern = try #require(PathPattern("rollouts/commands-en/*"))
        let plans = TestKeys.key("plans, new")
        registry.simulator.edit {
            $0 = honest
            $0.rotateKey(of: .timestamp, to: TestKeys.key("timestamp, new"))
            $0.rotateKey(of: .snapshot, to: TestKeys.key("snapshot, new"))
            $0.delegate(
                from: .targets, to: .plans(MemoryRegistry.model), paths: .patterns([pattern]),
                isTerminating: true, key: plans)
            $0.signers[.plans(MemoryRegistry.model)] = [plans]
            $0.update(.plans(MemoryRegistry.model))
        }
        registry.touch(now)
    }

    @Test(arguments: [false, true])
    func `a device follows the registry again from the thief's year`(restarts: Bool) throws {
        let (registry, old) = try registry()
        let device = try TestDevice(registry, at: Self.start + 5)
        device.pass(60)
        device.speak(250)
        let honest = registry.simulator.repository
        try mislead(device, old)
        #expect(device.active == "1.0.0", "there is nothing else to run")
        if restarts { try device.restart() }
        #expect(polls(device, in: 600) >= 8, "it still polls")

        try rotate(registry, honest, device.now)
        device.pass(120)
        #expect(device.driver.pollError == nil)
        #expect(device.time == device.now, "the thief's year is forgotten")
        let new = try registry.publish("1.1.0", policy: UpdateTests.everybody, now: Self.start)
        registry.plan(new, over: old, stages: [device.now])
        device.pass(180)
        device.speak(250)
        #expect(device.state == "committed" && device.active == "1.1.0")
        device.registry.forgetReports()
        device.pass(3 * 3_600)
        let made = device.registry.reports(of: "periodic").compactMap { $0["made_at"]?.integer }
        #expect(made.count >= 2)
        let exposed = device.registry.reports.compactMap { $0["exposed_at"]?.integer }
        #expect((made + exposed).allSatisfy { $0 <= device.now.seconds })
    }
}
