import AgentCore
import Primitives
import Rollouts
import Speech
import TestSupport
import Testing

/// What must hold whatever happens, in whatever order.
@Suite struct MachinePropertyTests {
    private static func event(
        _ random: inout SeededGenerator, _ world: inout World
    ) -> AgentEvent {
        let releases = [Fixture.old, Fixture.new, Fixture.other]
        let bundle = releases[Int.random(in: 0..<3, using: &random)]
        let beacon = Bool.random(using: &random)
        let isBack = world.machine.memory.committed.contains(bundle) && Bool.random(using: &random)
        switch Int.random(in: 0..<22, using: &random) {
        case 0, 1: return .pollDue
        case 2, 3, 4:
            return Fixture.polled(
                .run(Fixture.release(bundle, isBack ? .back : .forward, beacon: beacon)),
                isQuiet: Bool.random(using: &random))
        case 5: return Fixture.polled(.stay)
        case 6: return .pollFailed
        case 7, 8:
            world.completeStaging()
            if case .downloading = world.machine.state { return .staged }
            return .pollFailed
        case 9: return Fixture.broken()
        case 10: return .stagingFailed(.final(.insufficientStorage))
        case 11, 12: return .proceed
        case 13, 14: return .probed(.passed(Fixture.measurement))
        case 15: return Fixture.failed(.wordErrorRate, isLasting: Bool.random(using: &random))
        case 16: return .beaconAcknowledged
        case 17: return .judged(Bool.random(using: &random) ? .commit : .fall(.tail))
        case 18: return .ordered(LocalOrder.allCases[Int.random(in: 0..<3, using: &random)])
        case 19: return .deadlinePassed
        case 20: return .stopping
        default: return .beaconAcknowledged
        }
    }

    @Test(arguments: 0..<400 as Range<UInt64>)
    func `never loses the last good slot, whatever happens`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var world = World(Fixture.machine(.resting(.committed)))
        for step in 0..<200 {
            world.now = world.now + Int64.random(in: 0...40_000, using: &random)
            if Int.random(in: 0..<12, using: &random) == 0 {
                // Every other time the disk cannot read a slot, which holds what it did.
                let unreadable: [Slot?] = [.a, .b, nil, nil]
                try world.restart(unreadable: unreadable.randomElement(using: &random) ?? nil)
            } else {
                try world.happen(Self.event(&random, &world))
            }
            #expect(world.usable != nil, "step \(step): \(world.machine.state)")
            #expect(world.violations.isEmpty, "step \(step): \(world.violations)")
            checkIntent(world, step)
            checkRoom(world, step)
        }
    }

    /// A device at rest keeps nothing of a bundle on its way, unless it means to go on with it.
    private func checkRoom(_ world: World, _ step: Int) {
        switch world.machine.state {
        case .resting(.failed), .checking(since: .failed, deadline: _): return
        case .resting, .checking: break
        default: return
        }
        for slot in Slot.allCases {
            if case .partial = world.contents[slot] {
                Issue.record("step \(step): \(world.machine.state), slot \(slot) is in the way")
            }
        }
    }

    /// What the machine believes is what the disk holds, and the way back is whole while it may be needed.
    private func checkIntent(_ world: World, _ step: Int) {
        let slots = world.machine.memory.slots
        #expect(slots.active == world.current, "step \(step): active")
        for slot in Slot.allCases {
            guard let bundle = slots.contents[slot] else { continue }
            #expect(world.contents[slot] == .whole(bundle), "step \(step): slot \(slot)")
        }
        guard case .probation(let attempt) = world.machine.state, let back = attempt.previous else {
            return
        }
        #expect(world.contents[back].wholeBundle != nil, "step \(step): no way back")
    }

    @Test func `a lost journal and a slot that cannot be read leave the link as it is`() {
        var machine = AgentMachine()
        let survey = SlotSurvey(active: .a, contents: PerSlot(a: .unreadable, b: .empty))
        let effects = machine.resume(from: survey, at: Fixture.start)
        #expect(machine.memory.slots.active == .a)
        #expect(effects == [.save, .discard(.b)])
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `never takes a rejected bundle again`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var world = World(Fixture.machine(.resting(.committed)))
        try world.happen(Fixture.polled(.run(Fixture.release(Fixture.new))))
        world.completeStaging()
        try world.happen(.staged)
        try world.happen(.proceed)
        try world.happen(Fixture.failed(.wordErrorRate, isLasting: true))
        for _ in 0..<100 {
            world.now = world.now + Int64.random(in: 0...400_000, using: &random)
            let event = Self.event(&random, &world)
            if event == .ordered(.unhold) || event == .ordered(.rollback) { continue }
            try world.happen(event)
            #expect(world.machine.state.attempt?.release.bundle != Fixture.new)
            #expect(world.usable != Fixture.new)
        }
    }

    /// A registry that is often away, and an agent that is stopped and started all the time.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func `restarts outside a smoke test never refuse a bundle for good`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var world = World(Fixture.machine(.resting(.committed)))
        for step in 0..<600 {
            world.now = world.now + Int64.random(in: 0...20_000, using: &random)
            if case .attempting = world.machine.state {
                try world.happen(.probed(.passed(Fixture.measurement)))
            } else if Bool.random(using: &random) {
                try world.restart()
            } else {
                try world.happen(Self.passing(&random, &world))
            }
            checkRefusal(world, step)
        }
    }

    /// Something that happens to a device that takes `new` if it can.
    private static func passing(
        _ random: inout SeededGenerator, _ world: inout World
    ) -> AgentEvent {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return Fixture.broken()
        case 1 where world.isDownloading && Int.random(in: 0..<9, using: &random) == 0:
            world.completeStaging()
            return .staged
        case 2: return .proceed
        case 3: return .deadlinePassed
        default: return Fixture.polled(.run(Fixture.release(Fixture.new)))
        }
    }

    private func checkRefusal(_ world: World, _ step: Int) {
        let refusal = world.machine.memory.trials.refusal(
            of: Fixture.new, at: world.now, isQuiet: true, rules: world.machine.rules)
        switch refusal {
        case nil, .waiting: break
        case .rejected, .failedForGood:
            Issue.record("step \(step): \(String(describing: refusal))")
        }
    }

    /// One smoke test out of memory among any number of troubles that are not the bundle's.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func `troubles of the network or the device never exhaust a bundle`(seed: UInt64) throws {
        let finals: [PassingTrouble] = [.insufficientStorage, .wrongBytes, .refusedByRegistry]
        var random = SeededGenerator(seed: seed)
        var world = World(Fixture.machine(.resting(.committed)))
        var tests = 0
        let ofTheBundle = Int.random(in: 0..<4, using: &random)
        for step in 0..<200 {
            world.now = world.now + 100_000
            try world.happen(Fixture.polled(.run(Fixture.release(Fixture.new))))
            #expect(world.isDownloading, "step \(step): not tried again")
            if Bool.random(using: &random) {
                let trouble = finals[Int.random(in: 0..<3, using: &random)]
                try world.happen(.stagingFailed(.final(trouble)))
            } else {
                world.completeStaging()
                try world.happen(.staged)
                try world.happen(.proceed)
                let failures: [AgentEvent] = [
                    .probeFailed, Fixture.failed(.exit(3), isLasting: false),
                ]
                let failure = failures[Int.random(in: 0..<2, using: &random)]
                let isItsOwn = tests == ofTheBundle
                try world.happen(isItsOwn ? Fixture.failed(.memory, isLasting: false) : failure)
                tests += 1
            }
            checkRefusal(world, step)
        }
        #expect(tests > ofTheBundle)
    }

    /// One whole update, a fall in probation, and an update that the fleet takes back.
    private enum Chapter: Sendable {
        case event(AgentEvent)
        /// The download ends.
        case staged
    }

    private static let story: [Chapter] = [
        .event(.pollDue),
        .event(Fixture.polled(.run(Fixture.release(Fixture.new)))),
        .staged,
        .event(.proceed),
        .event(.probed(.passed(Fixture.measurement))),
        .event(.beaconAcknowledged),
        .event(.judged(.fall(.mid))),
        .event(Fixture.polled(.run(Fixture.release(Fixture.other, beacon: false)))),
        .staged,
        .event(.proceed),
        .event(.probed(.passed(Fixture.measurement))),
        .event(.judged(.commit)),
        .event(Fixture.polled(.run(Fixture.release(Fixture.old, .back)))),
    ]

    private static func tell(_ world: inout World) throws(World.PowerCut) {
        for chapter in story {
            switch chapter {
            case .event(let event): try world.happen(event)
            case .staged:
                world.completeStaging()
                try world.happen(.staged)
            }
        }
    }

    @Test func `the story without a cut ends where it began, with 1.1.0 rejected`() throws {
        var world = World(Fixture.machine(.resting(.committed)))
        try Self.tell(&world)
        #expect(world.usable == Fixture.old)
        #expect(world.machine.state == .resting(.withdrawn))
        #expect(world.machine.memory.trials[Fixture.new]?.rejection == .probation(.mid))
        #expect(world.machine.memory.committed == [Fixture.old, Fixture.other])
        #expect(world.performed > 40)
    }

    /// Cuts the power before effect k, for every k; the agent then starts and must come to rest by itself.
    @Test func `a cut after any effect leaves one bootable slot, and no loop`() throws {
        var whole = World(Fixture.machine(.resting(.committed)))
        try Self.tell(&whole)
        var cuts = 0
        for cut in 0..<whole.performed {
            var world = World(Fixture.machine(.resting(.committed)))
            world.cut = cut
            #expect(throws: World.PowerCut.self) { try Self.tell(&world) }
            world.cut = nil
            cuts += 1
            #expect(world.usable != nil, "cut \(cut): nothing to serve before the start")
            try world.restart()
            #expect(world.usable != nil, "cut \(cut): nothing to serve after the start")
            for _ in 0..<8 { world.settle() }
            guard case .resting = world.machine.state else {
                Issue.record("cut \(cut): still \(world.machine.state)")
                continue
            }
            #expect(world.usable != nil && world.violations.isEmpty, "cut \(cut)")
        }
        #expect(cuts == whole.performed)
    }

    /// A bundle that takes the agent down in every smoke test is tried twice, then rejected.
    @Test func `a bundle that kills the agent in its smoke test is rejected after two attempts`()
        throws
    {
        var world = World(Fixture.machine(.resting(.committed)))
        var starts = 0
        for _ in 0..<20 {
            world.now = world.now + 100_000
            try world.happen(Fixture.polled(.run(Fixture.release(Fixture.new))))
            world.completeStaging()
            if case .downloading = world.machine.state { try world.happen(.staged) }
            guard case .verified = world.machine.state else { continue }
            try world.happen(.proceed)
            starts += 1
            try world.restart()
        }
        #expect(starts == 2)
        #expect(world.machine.memory.trials[Fixture.new]?.rejection == .crashedTwice)
        #expect(world.usable == Fixture.old)
    }

    @Test func `a download that the agent never survives ends as failed`() throws {
        var world = World(Fixture.machine(.resting(.committed)))
        try world.happen(Fixture.polled(.run(Fixture.release(Fixture.new))))
        var restarts = 0
        while case .downloading = world.machine.state, restarts < 100 {
            try world.restart()
            restarts += 1
        }
        #expect(restarts == world.machine.rules.mostTries)
        #expect(world.machine.state == .resting(.failed))
    }

    @Test func `a download of which more is there at each start goes on`() throws {
        var world = World(Fixture.machine(.resting(.committed)))
        try world.happen(Fixture.polled(.run(Fixture.release(Fixture.new))))
        for held in 1...100 as ClosedRange<Int64> {
            world.contents.b = .partial(Fixture.new, held: held)
            try world.restart()
            try world.happen(Fixture.broken(holding: held))
        }
        guard case .downloading(let attempt) = world.machine.state else {
            Issue.record("expected a download, got \(world.machine.state)")
            return
        }
        #expect(attempt.held == 100 && attempt.tries == 2)
        // The same bytes again are no progress.
        for _ in 0..<world.machine.rules.mostTries { try world.restart() }
        #expect(world.machine.state == .resting(.failed))
    }

    @Test func `a passing trouble of the bundle is tried once more when quiet, then no more`()
        throws
    {
        var world = World(Fixture.machine(.resting(.committed)))
        var tests = 0
        for _ in 0..<20 {
            world.now = world.now + 700
            for isQuiet in [false, true] {
                try world.happen(
                    Fixture.polled(.run(Fixture.release(Fixture.new)), isQuiet: isQuiet))
                guard case .downloading = world.machine.state else { continue }
                world.completeStaging()
                try world.happen(.staged)
                try world.happen(.proceed)
                tests += 1
                #expect(isQuiet || tests == 1)
                try world.happen(Fixture.failed(.memory, isLasting: false))
            }
        }
        #expect(tests == 2)
        #expect(world.machine.state == .resting(.failed))
    }
}

extension World {
    /// Lets what is under way succeed, as a healthy device would.
    fileprivate mutating func settle() {
        now = now + 1
        do {
            switch machine.state {
            case .resting: break
            case .checking: try happen(.pollFailed)
            case .downloading:
                completeStaging()
                try happen(.staged)
            case .verified: try happen(.proceed)
            case .attempting: try happen(.probed(.passed(Fixture.measurement)))
            case .announcing: try happen(.beaconAcknowledged)
            case .swapping, .rollingBack: try happen(.deadlinePassed)
            case .probation: try happen(.judged(.commit))
            }
        } catch { Issue.record("no cut was asked for") }
    }
}
