import AgentCore
import Glibc
import Primitives
import Rollouts
import Speech
import TestSupport
import Testing

/// What goes wrong on a device or on its way to the registry, and is not the bundle's fault.
@Suite struct TroubleTests {
    private func begin(_ device: TestDevice, _ new: BundleReference, over old: BundleReference) {
        device.registry.touch(device.now)
        device.registry.plan(new, over: old, stages: [device.now])
        device.pass(120)
    }

    private func blobs(_ device: TestDevice) -> Int {
        device.registry.requests.count { $0.hasPrefix("blobs") }
    }

    @Test func `a download that comes a byte a connection comes to its end`() throws {
        let registry = MemoryRegistry(now: UpdateTests.start)
        let old = try registry.publish(
            "1.0.0", policy: UpdateTests.everybody, now: UpdateTests.start)
        registry.plan(
            old, over: nil, state: .completed,
            stages: [UpdateTests.start + -20 * 86_400, UpdateTests.start + -10 * 86_400])
        registry.breakBlobs(after: 1)
        let device = try TestDevice(registry, at: UpdateTests.start)
        device.pass(3_600)
        #expect(blobs(device) > device.driver.machine.rules.mostTries)
        #expect(device.active == "1.0.0")
        #expect(device.driver.machine.memory.trials.trials.allSatisfy { $0.troubles == 0 })
    }

    @Test func `a device without a runtime takes the bundle once the runtime is there`() throws {
        let (device, old, new) = try UpdateTests().device()
        for _ in 0..<3 {
            device.probing.then(
                .failed(SmokeFailure(reason: .exit(3), isLasting: false), nil))
        }
        begin(device, new, over: old)
        for _ in 0..<12 {
            device.registry.touch(device.now)
            device.pass(7_200)
        }
        #expect(device.driver.machine.memory.trials[new]?.attempts == 4)
        #expect(device.active == "1.1.0")
    }

    @Test func `what came of a download that the plan took back is given back`() throws {
        let (device, old, new) = try UpdateTests().device()
        device.registry.holdBlobs(true)
        begin(device, new, over: old)
        #expect(device.state == "downloading")
        guard case .partial = try device.slots.survey().contents.b else {
            Issue.record("expected a bundle on its way")
            return
        }
        device.registry.plan(old, over: nil, state: .completed, stages: [device.now])
        device.registry.touch(device.now)
        device.pass(120)
        #expect(device.state == "withdrawn")
        #expect(try device.slots.survey().contents.b == .empty)
        #expect(try device.slots.survey().contents.a.wholeBundle == old)
    }

    @Test func `a device at rest starts on a full disk, and writes nothing`() throws {
        let (device, _, _) = try UpdateTests().device()
        device.pass(120)
        device.journal.failure = .full
        try device.restart()
        #expect(device.driver.journalError == nil)
        #expect(device.active == "1.0.0")
        #expect(device.log.contains { $0.contains("started in state") })
    }

    @Test
    func `a device cut off in an update starts on a full disk, and goes on when there is room`()
        throws
    {
        let (device, old, new) = try UpdateTests().device()
        device.registry.holdBlobs(true)
        begin(device, new, over: old)
        #expect(device.state == "downloading")
        device.journal.failure = .full
        try device.restart()
        #expect(device.driver.journalError == .full)
        #expect(try device.slots.survey().active == .a)
        device.registry.holdBlobs(false)
        device.pass(600)
        #expect(device.state == "downloading", "nothing moves that cannot be remembered")
        device.journal.failure = nil
        device.pass(600)
        #expect(device.active == "1.1.0")
    }

    @Test func `a slot that cannot be read is hashed again, in pauses that grow`() throws {
        let (device, _, _) = try UpdateTests().device()
        func failures() -> Int { device.log.count { $0.contains("cannot verify slot a") } }
        device.slots.makeUnreadable(.a)
        for _ in 0..<4_000 where failures() == 0 { device.pass(1) }
        #expect(failures() == 1)
        for (seconds, count) in [(599, 1), (1, 2), (1_199, 2), (1, 3), (2_399, 3), (1, 4)] {
            device.pass(Int64(seconds))
            #expect(failures() == count)
        }
        #expect(device.active == "1.0.0")
        device.slots.makeUnreadable(.a, false)
        let verified = device.log.count { $0.contains("slot a verifies") }
        device.pass(3_600)
        #expect(failures() == 4)
        #expect(device.log.count { $0.contains("slot a verifies") } == verified + 1)
    }

    @Test func `a link without room is made with what the journal has reserved`() throws {
        let (device, old, new) = try UpdateTests().device()
        device.journal.hasReserve = true
        device.slots.failNextActivation(
            .system(operation: "symlink", path: "current", errno: ENOSPC))
        begin(device, new, over: old)
        #expect(device.active == "1.1.0")
        #expect(!device.journal.hasReserve)
        #expect(device.driver.machine.memory.trials[new]?.troubles ?? 0 == 0)
    }

    @Test func `a lost journal takes no rejection, hold, withdrawal or floor with it`() throws {
        let (device, old, new) = try UpdateTests().device()
        device.probing.then(.failed(SmokeFailure(reason: .wordErrorRate, isLasting: true), nil))
        begin(device, new, over: old)
        device.driver.handle(.ordered(.hold), at: device.time)
        #expect(device.driver.machine.memory.trials[new]?.rejection != nil)
        let trust = device.driver.trust
        device.journal.lose()
        try device.restart()
        #expect(device.driver.machine.memory.trials[new]?.rejection != nil)
        #expect(device.driver.machine.memory.isHeld)
        #expect(device.driver.trust == trust)
        device.driver.handle(.ordered(.unhold), at: device.time)
        let blobs = blobs(device)
        device.pass(1_200)
        #expect(device.active == "1.0.0")
        #expect(blobs == self.blobs(device), "it is not taken again")
    }

    @Test(arguments: [false, true])
    func `an attempt goes on where the active slot rots beside it`(isSeenAtStart: Bool) throws {
        let (device, old, new) = try UpdateTests().device()
        device.registry.holdBlobs(true)
        begin(device, new, over: old)
        #expect(device.state == "downloading")
        device.slots.rot(.a, "model.onnx")
        #expect(throws: SlotError.notWhole(.a)) {
            try device.slots.verify(.a, holds: old, until: Interrupt())
        }
        if isSeenAtStart {
            try device.restart()
        } else {
            device.driver.handle(.damaged(.a), at: device.time)
        }
        #expect(device.active == nil)
        device.pass(300)
        #expect(device.state == "downloading", "it still replaces what has rotted")
        #expect(device.driver.judgement?.decision.target == new)
        device.registry.holdBlobs(false)
        device.pass(1_800)
        #expect(device.active == "1.1.0")
        #expect(try device.slots.survey().active == .b)
    }

    @Test func `a link that could not be made at the start is made later`() throws {
        let (device, old, _) = try UpdateTests().device()
        device.slots.loseLink()
        device.slots.failActivations(.system(operation: "rename", path: "current", errno: ENOSPC))
        try device.restart()
        device.pass(600)
        #expect(try device.slots.survey().active == nil)
        let told = device.announced.count
        device.slots.failActivations(nil)
        device.pass(60)
        #expect(try device.slots.survey().active == .a)
        #expect(device.announced.dropFirst(told) == [old.version])
    }

    @Test(arguments: [false, true])
    func `a way back that the disk refuses is gone when it does so no more`(
        isRestarted: Bool
    ) throws {
        let (device, old, new) = try UpdateTests().device()
        begin(device, new, over: old)
        #expect(device.active == "1.1.0")
        device.registry.fail(.unreachable("no route"))
        device.slots.failActivations(.system(operation: "rename", path: "current", errno: EIO))
        device.speak(60, milliseconds: 1_200)
        device.pass(120)
        if isRestarted { try device.restart() }
        #expect(device.active == "1.1.0" && device.state == "rolling_back")
        device.slots.failActivations(nil)
        device.pass(15)
        #expect(device.active == "1.0.0" && device.state == "rejected")
    }

    @Test func `a bundle that nobody has tested is not made active where the journal is lost`()
        throws
    {
        let registry = MemoryRegistry(now: UpdateTests.start)
        let bundle = try registry.publish(
            "1.0.0", policy: UpdateTests.everybody, now: UpdateTests.start)
        registry.plan(
            bundle, over: nil, state: .completed,
            stages: [UpdateTests.start + -20 * UpdateTests.day, UpdateTests.start])
        let device = try TestDevice(registry, at: UpdateTests.start) { slots, _ in
            let target = try MemoryBundle("1.0.0").target
            _ = try slots.stage(
                target, into: .a, from: [registry], atMost: nil, until: Interrupt())
            registry.fail(.unreachable("no route"))
        }
        device.pass(60)
        #expect(device.active == nil, "it holds one, and has not run it")
        registry.fail(nil)
        registry.forgetRequests()
        device.pass(1_200)
        #expect(device.active == "1.0.0")
        #expect(registry.reports(of: "smoke").count == 1)
        #expect(registry.requests.count { $0.hasPrefix("blobs/") } == 0, "all of it was there")
    }

    @Test func `a way back that is not whole is given up at once`() throws {
        let (device, old, new) = try UpdateTests().device()
        begin(device, new, over: old)
        device.registry.fail(.unreachable("no route"))
        device.slots.lose(.a, "model.onnx")
        device.speak(60, milliseconds: 1_200)
        #expect(device.active == "1.1.0" && device.state == "rejected")
    }

    @Test func `knows before the smoke test whether there is a way back`() throws {
        let (device, old, new) = try UpdateTests().device()
        device.slots.rot(.a, "model.onnx")
        device.registry.refuseReports(true)
        begin(device, new, over: old)
        #expect(device.driver.machine.memory.slots.active == .a, "nothing has swapped yet")
        #expect(device.driver.machine.memory.slots.contents.a == nil)
    }

    @Test func `looks at what it has gone back to, and repairs it`() throws {
        let (device, old, new) = try UpdateTests().device()
        begin(device, new, over: old)
        #expect(device.state == "probation")
        device.slots.rot(.a, "model.onnx")
        device.speak(60, milliseconds: 1_200)
        #expect(device.state == "rejected" && device.driver.machine.memory.slots.active == .a)
        #expect(device.driver.machine.memory.slots.contents.a == nil)
        device.pass(600)
        #expect(device.active == "1.0.0" && device.driver.machine.memory.slots.active == .b)
    }

    @Test func `the smoke test's report has its utterances and their wall times`() throws {
        let (device, _, _) = try UpdateTests().device()
        let figures = try #require(device.registry.reports(of: "smoke").last?["smoke"])
        #expect(figures["utterances"] == 2)
        #expect(figures["p50_us"] == 30_000 && figures["p95_us"] == 32_000)
    }

    @Test func `waits with a download as long as the registry asks`() throws {
        let (device, old, new) = try UpdateTests().device()
        device.registry.forgetRequests()
        device.registry.failBlobs(.busy(status: 503, retryAfter: 900))
        begin(device, new, over: old)
        #expect(blobs(device) == 1)
        device.registry.failBlobs(nil)
        device.pass(700)
        #expect(blobs(device) == 1 && device.active == "1.0.0")
        device.pass(1_800)
        #expect(device.active == "1.1.0")
    }

    /// Many devices that get power again together come apart, whatever they were doing.
    @Test(arguments: ["downloading", "announcing", "committed"])
    func `asks for nothing at the moment of a start`(state: String) throws {
        let (device, old, new) = try UpdateTests().device()
        device.registry.refuseReports(state == "announcing")
        device.registry.holdBlobs(state == "downloading")
        if state != "committed" { begin(device, new, over: old) }
        #expect(device.state == state)
        device.settings.pollInterval = 900
        device.registry.forgetRequests()
        try device.restart()
        #expect(device.registry.requests == [])
        device.registry.refuseReports(false)
        device.registry.holdBlobs(false)
        device.pass(90)
        #expect(!device.registry.requests.isEmpty)
        device.pass(1_200)
        #expect(device.active == (state == "committed" ? "1.0.0" : "1.1.0"))
    }

    @Test func `a device without a model asks at once`() throws {
        let registry = MemoryRegistry(now: UpdateTests.start)
        let device = try TestDevice(registry, at: UpdateTests.start)
        #expect(!device.registry.requests.isEmpty)
        device.settings.pollInterval = 900
        device.registry.forgetRequests()
        try device.restart()
        #expect(!device.registry.requests.isEmpty)
    }
}
