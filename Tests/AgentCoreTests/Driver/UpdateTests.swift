import AgentCore
import Health
import Primitives
import Rollouts
import Speech
import TUF
import TestSupport
import Testing

/// The agent's whole way over memory ports: poll, verify, stage, test, announce, swap, watch.
@Suite struct UpdateTests {
    static let start = UTCTime(clamping: 1_800_000_000)
    static let day: Int64 = 86_400

    /// A policy that lets every device into its only stage at once.
    static let everybody: JSON = [
        "not_before": .integer(start.seconds - 30 * day),
        "not_after": .integer(start.seconds + 300 * day),
        "stages": [
            [
                "name": "beta", "share": 10_000, "cap": 10_000, "least_devices": 1,
                "least_soak_s": 86_400, "most_soak_s": 172_800, "required_blind_spot": [:],
            ],
            [
                "name": "stable", "share": 10_000, "cap": 10_000, "least_devices": 1,
                "least_soak_s": 86_400, "most_soak_s": 172_800, "required_blind_spot": [:],
            ],
        ],
        "hold_back": ["share": 0, "cap": 0, "least_devices": 0],
        "burn_in": ["seconds": 0, "turns": 0],
        "min_dwell_s": 0,
    ]

    /// A device that runs 1.0.0, committed, and a registry that has published 1.1.0 with no plan for it.
    func device() throws -> (TestDevice, old: BundleReference, new: BundleReference) {
        let registry = MemoryRegistry(now: Self.start)
        let old = try registry.publish("1.0.0", policy: Self.everybody, now: Self.start)
        registry.plan(
            old, over: nil, state: .completed,
            stages: [Self.start + -20 * Self.day, Self.start + -10 * Self.day])
        let device = try TestDevice(registry, at: Self.start)
        device.pass(60)
        #expect(device.active == "1.0.0" && device.state == "probation")
        device.speak(250)
        #expect(device.state == "committed")
        let new = try registry.publish("1.1.0", policy: Self.everybody, now: Self.start)
        return (device, old, new)
    }

    private func begin(_ device: TestDevice, _ new: BundleReference, over old: BundleReference) {
        device.registry.touch(device.now)
        device.registry.plan(new, over: old, stages: [device.now])
        device.pass(120)
    }

    @Test func `installs the finished release on a device without a model, and commits it`() throws
    {
        let (device, old, _) = try device()
        #expect(device.driver.machine.memory.committed == [old])
        #expect(device.announced == [old.version])
        #expect(device.registry.reports(of: "attempt").count == 1)
        #expect(device.registry.reports(of: "smoke").count == 1)
        #expect(device.registry.reports(of: "swap_beacon").count == 1, "exposure begins with it")
    }

    @Test func `swaps forward only after its beacon was acknowledged`() throws {
        let (device, old, new) = try device()
        device.registry.refuseReports(true)
        begin(device, new, over: old)
        #expect(device.state == "announcing" && device.active == "1.0.0")
        device.registry.refuseReports(false)
        device.pass(600)
        #expect(device.state == "probation" && device.active == "1.1.0")
        #expect(device.registry.reports(of: "swap_beacon").count == 2)
    }

    @Test func `sends its beacon in the last stage too, and does not wait for an answer`() throws {
        let (device, old, new) = try device()
        device.registry.refuseReports(true)
        device.registry.touch(device.now)
        device.registry.plan(
            new, over: old, stages: [device.now + -2 * Self.day, device.now + -Self.day])
        device.pass(120)
        #expect(device.state == "probation" && device.active == "1.1.0")
        device.registry.refuseReports(false)
        device.pass(3_600)
        #expect(device.registry.reports(of: "swap_beacon").count == 2)
    }

    @Test func `finishes a probation before it takes the version after`() throws {
        let (device, old, new) = try device()
        begin(device, new, over: old)
        device.speak(39)
        let next = try device.registry.publish("1.2.0", policy: Self.everybody, now: Self.start)
        begin(device, next, over: new)
        device.pass(3_600)
        #expect(device.state == "probation" && device.active == "1.1.0", "39 turns are too few")
        device.speak(1)
        device.pass(3_600)
        #expect(device.state == "probation" && device.active == "1.2.0")
        #expect(device.driver.machine.memory.committed == [old, new])
        #expect(
            device.announced.map { $0?.description } == ["1.0.0", "1.1.0", "1.2.0"],
            "never back to 1.0.0")
    }

    @Test func `reports the attempt before the smoke test, and all under one trace`() throws {
        let (device, old, new) = try device()
        begin(device, new, over: old)
        let about = device.registry.reports.filter { $0["candidate"]?.string == "1.1.0" }
        let kinds = about.compactMap { $0["kind"]?.string }
        #expect(
            kinds == ["transition", "attempt", "smoke", "swap_beacon", "transition"])
        let traces = Set(about.compactMap { $0["attempt"]?["trace"]?.string })
        #expect(traces.count == 1)
        let sequences = device.registry.reports.compactMap { $0["sequence"]?.integer }
        #expect(sequences == sequences.sorted() && Set(sequences).count == sequences.count)
    }

    @Test func `commits after its turns, and keeps the old version to go back to`() throws {
        let (device, old, new) = try device()
        begin(device, new, over: old)
        device.speak(240)
        #expect(device.state == "committed" && device.active == "1.1.0")
        #expect(device.driver.machine.memory.slots.idleBundle == old)
        #expect(device.driver.machine.memory.committed == [old, new])
    }

    @Test func `goes back by itself, offline, when the new version is three times as slow`() throws
    {
        let (device, old, new) = try device()
        begin(device, new, over: old)
        device.registry.fail(.unreachable("no network"))
        device.registry.forgetRequests()
        var turns = 0
        while device.active == "1.1.0", turns < 240 {
            device.speak(1, milliseconds: 1_200)
            turns += 1
        }
        #expect((11...40).contains(turns))
        #expect(device.active == "1.0.0" && device.state == "rejected")
        #expect(device.driver.machine.memory.slots.activeBundle == old)
        #expect(!device.registry.requests.contains { $0.hasPrefix("blobs") })
        #expect(device.driver.machine.memory.trials[new]?.rejection == .probation(.tail))
        device.registry.fail(nil)
        device.pass(3_600)
        let rollback = try #require(device.registry.reports(of: "local_rollback").first)
        #expect(rollback["candidate"] == "1.1.0" && rollback["reasons"] == ["tail_slow"])
        #expect(rollback["probation"]?["turns"]?.integer == Int64(turns - 10))
        #expect(device.active == "1.0.0", "the same plan offers it again, and it is not taken")
    }

    @Test
    func `takes a bundle that it had rejected when the release keys lift that, and not before`()
        throws
    {
        let (device, old, new) = try device()
        begin(device, new, over: old)
        while device.active == "1.1.0" { device.speak(1, milliseconds: 1_200) }
        let rejected = device.now
        #expect(device.driver.machine.memory.trials[new]?.rejection == .probation(.tail))
        // One of the time before it is about an earlier refusal.
        for until in [rejected + -3_600, rejected + 3_600] {
            begin(device, new, over: old)
            device.pass(7_200)
            #expect(device.active == "1.0.0" && device.state == "rejected")
            device.registry.touch(device.now)
            device.registry.lift(new, until: until)
            device.pass(7_200)
        }
        #expect(device.active == "1.1.0")
        #expect(device.driver.machine.memory.trials[new]?.rejection == nil)
    }

    @Test
    func `goes back without a download when the fleet takes the version back, also after commit`()
        throws
    {
        let (device, old, new) = try device()
        begin(device, new, over: old)
        device.speak(240)
        device.registry.forgetRequests()
        device.registry.touch(device.now)
        device.registry.plan(
            new, over: old, state: .rolledBack, stages: [device.now],
            withdrawn: [Withdrawal(version: new.version, sha256: new.sha256, at: device.now)])
        device.pass(120)
        #expect(device.active == "1.0.0" && device.state == "withdrawn")
        #expect(!device.registry.requests.contains { $0.hasPrefix("blobs") })
        #expect(device.driver.trust.withdrawn.map(\.version) == [new.version])
        // A later plan that forgets the withdrawal changes nothing.
        begin(device, new, over: old)
        #expect(device.active == "1.0.0")
    }

    @Test func `refuses a bundle with wrong words, and tells why`() throws {
        let (device, old, new) = try device()
        device.probing.then(
            .failed(SmokeFailure(reason: .wordErrorRate, isLasting: true), Fixture.measurement))
        begin(device, new, over: old)
        device.pass(3_600)
        #expect(device.active == "1.0.0" && device.state == "rejected")
        #expect(device.registry.reports(of: "attempt").count == 2)
        let smoke = try #require(device.registry.reports(of: "smoke").last)
        #expect(smoke["smoke"]?["outcome"] == "wrong_words")
        #expect(device.slots.activations.compactMap { $0 }.allSatisfy { $0 == .a })
    }

    @Test func `refuses a tampered blob, and says so`() throws {
        let (device, old, new) = try device()
        device.slots.fail(
            .wrongBytes(
                path: try #require(TargetPath("model.onnx")), expected: new.sha256,
                found: old.sha256))
        device.registry.touch(device.now)
        device.registry.plan(new, over: old, stages: [device.now])
        device.pass(120)
        #expect(device.driver.machine.memory.trials[new]?.lastTrouble == .wrongBytes)
        device.slots.fail(nil)
        device.pass(7_200)
        #expect(device.active == "1.1.0", "a passing trouble is tried again when quiet")
    }

    @Test func `takes nothing from an unsigned or tampered plan`() throws {
        let (device, old, new) = try device()
        device.registry.touch(device.now)
        device.registry.plan(new, over: old, stages: [device.now])
        device.registry.tamper(with: .plan(of: MemoryRegistry.model, .main))
        device.pass(120)
        #expect(device.active == "1.0.0" && device.state == "committed")
        guard case .wrongTarget = device.driver.pollError else {
            Issue.record(
                "expected a wrong target, got \(String(describing: device.driver.pollError))")
            return
        }
    }

    @Test func `an order on the device survives the next poll, and is lifted by hand`() throws {
        let (device, old, new) = try device()
        begin(device, new, over: old)
        device.speak(240)
        device.driver.handle(.ordered(.rollback), at: device.now)
        device.work()
        #expect(device.active == "1.0.0")
        device.pass(600)
        #expect(device.active == "1.0.0")
        device.driver.handle(.ordered(.unhold), at: device.now)
        device.pass(600)
        #expect(device.active == "1.1.0")
    }

    @Test func `a hold keeps it where it is, and does not keep it from going back`() throws {
        let (device, old, new) = try device()
        device.driver.handle(.ordered(.hold), at: device.now)
        begin(device, new, over: old)
        #expect(device.active == "1.0.0" && device.state == "committed")
        device.driver.handle(.ordered(.unhold), at: device.now)
        device.pass(600)
        #expect(device.active == "1.1.0")
        device.driver.handle(.ordered(.hold), at: device.now)
        device.registry.touch(device.now)
        device.registry.plan(
            new, over: old, state: .rolledBack, stages: [device.now],
            withdrawn: [Withdrawal(version: new.version, sha256: new.sha256, at: device.now)])
        device.pass(120)
        #expect(device.active == "1.0.0")
    }

    @Test func `says in every periodic report what keeps it where it is`() throws {
        let (device, old, _) = try device()
        func reasons() throws -> [String] {
            device.registry.forgetReports()
            device.pass(4_200)
            let last = try #require(device.registry.reports(of: "periodic").last)
            return last["reasons"]?.array?.compactMap(\.string) ?? []
        }
        #expect(try reasons() == [])
        device.driver.handle(.ordered(.hold), at: device.now)
        #expect(try reasons() == ["held_on_device"])
        device.driver.handle(.ordered(.unhold), at: device.now)

        // A plan that claims the last stage on the day of the first.
        var policy = Self.everybody.object ?? [:]
        policy["not_before"] = .integer(device.now.seconds)
        let hurried = try device.registry.publish(
            "1.2.0", policy: .object(policy), now: device.now)
        device.registry.touch(device.now)
        device.registry.plan(hurried, over: old, stages: [device.now, device.now])
        #expect(try reasons() == ["plan_refused"])
        #expect(device.active == "1.0.0")

        // The newest timestamp has expired, and nobody signs another.
        device.now = device.now + 2 * SimulatedRepository.day
        #expect(try reasons() == ["metadata_expired", "plan_refused"])
        #expect(device.active == "1.0.0")
    }

    @Test func `a restart in any state leads on`() throws {
        let (device, old, new) = try device()
        device.registry.refuseReports(true)
        begin(device, new, over: old)
        #expect(device.state == "announcing")
        try device.restart()
        #expect(device.state == "announcing" && device.active == "1.0.0")
        device.registry.refuseReports(false)
        device.pass(600)
        #expect(device.active == "1.1.0")
        device.speak(30)
        device.pass(120)
        try device.restart()
        #expect(device.state == "probation")
        #expect(device.driver.observation.watch?.turns == 30)
    }

    @Test func `goes on serving while the registry is away, and keeps its reports`() throws {
        let (device, _, _) = try device()
        device.registry.fail(.unreachable("no route"))
        let before = device.registry.reports.count
        device.pass(6 * 3_600)
        #expect(device.active == "1.0.0" && device.registry.reports.count == before)
        device.registry.touch(device.now)
        device.registry.fail(nil)
        device.pass(3_600)
        let periodic = device.registry.reports(of: "periodic")
        #expect(!periodic.isEmpty)
        #expect(periodic.last?["counters"]?["turns"] == 250)
    }

    @Test func `what cannot be journaled is not done, and done later`() throws {
        let (device, old, new) = try device()
        begin(device, new, over: old)
        device.journal.failure = .full
        device.speak(60, milliseconds: 1_200)
        #expect(device.active == "1.1.0")
        #expect(device.driver.journalError == .full)
        device.journal.failure = nil
        device.pass(60)
        #expect(device.active == "1.0.0" && device.driver.journalError == nil)
    }

    @Test func `reports that cannot be forgotten are not posted over and over`() throws {
        let (device, _, _) = try device()
        device.pass(60)
        device.registry.forgetRequests()
        device.driver.handle(.ordered(.hold), at: device.now)
        device.journal.failure = .full
        device.pass(1)
        #expect(device.registry.requests.count { $0 == "reports" } == 1)
    }

    @Test func `leaves a slot that has rotted, and repairs it`() throws {
        let (device, old, new) = try device()
        begin(device, new, over: old)
        device.speak(240)
        device.slots.rot(.b, "model.onnx")
        device.pass(3_700)
        #expect(device.active == "1.0.0")
        device.registry.touch(device.now)
        device.pass(3_600)
        #expect(device.active == "1.1.0" && device.driver.machine.memory.slots.active == .b)
    }
}
