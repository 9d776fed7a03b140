import Primitives
import TestSupport
import Testing

@testable import Rollouts

/// What holds for every rollout, whatever the gate and the operators do: one seed, one life.
struct PropertyTests {
    /// A policy with its lengths, shares, ramps and reach drawn at random, without problems.
    static func policy(_ generator: inout SeededGenerator) -> Policy {
        var policy = World.policy(for: "1.4.0", replacing: ["1.0.0..<1.4.0"], from: World.start)
        let beta = Int.random(in: 1...800, using: &generator)
        policy.stages[0].quota.share = basisPoints(beta)
        policy.stages[1].quota.share = basisPoints(
            Int.random(in: (beta + 1)...4_000, using: &generator))
        for index in 0...2 {
            policy.stages[index].quota.leastDevices = Int.random(in: 0...30, using: &generator)
            policy.stages[index].ramp = Int64.random(in: 0...day, using: &generator)
        }
        if Bool.random(using: &generator) {
            policy.stages[0].where = Where(regions: [name("eu")])
            policy.stages[1].where = Where(regions: [name("eu"), name("us")])
        }
        return policy
    }

    static func event(_ generator: inout SeededGenerator) -> ControllerEvent {
        let segments: [Segment] = [
            .region(name("us")), .deviceClass(name("car")), .locale(name("en-US")),
            .cohort(made(Cohort("eu/hub"))), .cohort(made(Cohort("ap/car"))),
        ]
        let calls: [ControllerEvent.Finding.Call] = [.promote, .promoteUnproven, .wait, .pause]
        let orders: [ControllerEvent.Order] = [
            .advance(unproven: true), .advance(unproven: false), .pause, .resume, .resume, .freeze,
            .unfreeze, .unfreeze, .resumeSegment(segments[0]),
        ]
        func finding(_ call: ControllerEvent.Finding.Call) -> ControllerEvent.Finding {
            ControllerEvent.Finding(call, metric: .errors, evidence: "facts")
        }
        switch Int.random(in: 0..<10, using: &generator) {
        case 0...3:
            let call = calls.randomElement(using: &generator) ?? .wait
            return .verdict(ControllerEvent.Verdict(fleet: finding(call)))
        case 4:
            let segment = segments.randomElement(using: &generator) ?? segments[0]
            return .verdict(
                ControllerEvent.Verdict(
                    fleet: finding(.wait),
                    segments: [
                        ControllerEvent.SegmentFinding(segment: segment, finding: finding(.pause))
                    ]))
        case 5...8:
            let order = orders.randomElement(using: &generator) ?? .pause
            return .order(order, by: "ada", reason: "seeded")
        default: return .tick
        }
    }

    /// Without an exclusion or a rollback nobody leaves the candidate, stages nest, a device never
    /// goes there and back, and a plan that is paused or frozen exposes nobody new.
    @Test(arguments: 0..<14 as Range<UInt64>)
    func `exposure never falls as a rollout goes on`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let policy = Self.policy(&generator)
        #expect(policy.problems() == [])
        var harness = try Harness(policy: policy, devices: 120, seed: seed)
        harness.order(.start)
        var reached: Set<Plan.State> = []
        for _ in 0..<40 {
            harness.now = harness.now + Int64.random(in: 600...(20 * hour), using: &generator)
            harness.handle(Self.event(&generator))
            let before = harness.onCandidate
            let decisions = harness.poll()
            let after = harness.onCandidate
            #expect(after.isSuperset(of: before))
            if [.paused, .frozen].contains(harness.state.plan.state) { #expect(after == before) }
            for decision in decisions where decision.arm == .control {
                #expect(decision.target != policy.candidate)
            }
            reached.insert(harness.state.plan.state)
            let read = try ControllerState(reading: harness.state.json)
            #expect(read == harness.state)
        }
        #expect(reached.contains(.running) || reached.contains(.paused))
    }

    /// The same device gets the same answer again, and one that has obeyed is told to stay.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func `a device that has obeyed stays`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var harness = try Harness(policy: Self.policy(&generator), devices: 80, seed: seed)
        harness.order(.start)
        harness.now = harness.now + 2 * day
        harness.poll()
        for _ in 0..<5 {
            for decision in harness.poll() { #expect(decision.action == .stay) }
        }
    }

    /// In whatever state a rollout is, one order brings every device of it back, and keeps it there.
    @Test(arguments: 0..<14 as Range<UInt64>)
    func `going back is never blocked`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var harness = try Harness(policy: Self.policy(&generator), devices: 80, seed: seed)
        harness.order(.start)
        for _ in 0..<Int.random(in: 1...25, using: &generator) {
            harness.now = harness.now + Int64.random(in: 600...(20 * hour), using: &generator)
            harness.handle(Self.event(&generator))
            harness.poll()
        }
        harness.order(.setFreezeWindows([made(FreezeWindow(from: 0, until: 10_079))]))
        if Bool.random(using: &generator) { harness.order(.freeze) }
        let step = harness.order(.rollback(leavesNoModel: false))
        #expect(step.publishes && step.refusal == nil)
        #expect(harness.state.plan.state == .rolledBack)
        let exposed = harness.onCandidate
        for index in harness.devices.indices { harness.devices[index].isHeld = true }
        let decisions = harness.poll()
        #expect(decisions.count { $0.action == .back(bundle("1.3.0")) } == exposed.count)
        #expect(harness.onCandidate == [])
        for event in [ControllerEvent.tick, Self.event(&generator)] { harness.handle(event) }
        for decision in harness.poll() { #expect(decision.action == .stay) }
    }

    /// A plan whose numbers are drawn at random never exposes a device that its policy leaves out.
    @Test(arguments: 0..<300 as Range<UInt64>)
    func `no plan exposes a device beyond its policy`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var world = World()
        world.policy = Self.policy(&generator)
        world.device.id = World.id(Int.random(in: 0..<1 << 40, using: &generator))
        world.move(to: World.start + Int64.random(in: -day...(5 * day), using: &generator))
        world.plan.stages = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
            Plan.BegunStage(
                began: World.start + Int64.random(in: -9 * day...(9 * day), using: &generator),
                shares: [
                    world.device.attributes.cohort: basisPoints(
                        Int.random(in: 0...10_000, using: &generator))
                ])
        }
        world.plan.state = Plan.State.allCases.randomElement(using: &generator) ?? .running
        if world.plan.state == .rolledBack { world.rollBack() }
        world.plan.holdBack = [
            world.device.attributes.cohort: basisPoints(
                Int.random(in: 0...3_000, using: &generator))
        ]
        guard world.decision().target == bundle("1.4.0") else { return }
        let policy = world.policy
        let bucket = Bucket(of: world.device.id, candidate: bundle("1.4.0").sha256).value
        let index = world.plan.stages.count - 1
        #expect([.running, .completed].contains(world.plan.state))
        #expect(world.now >= policy.earliest(ofStage: index))
        #expect(world.now <= policy.notAfter)
        if world.plan.state == .completed {
            #expect(world.now >= policy.matures)
        } else {
            #expect(bucket < 10_000 - policy.holdBack.share.value)
        }
        let stages = policy.stages.prefix(index + 1)
        #expect(
            stages.contains { stage in
                bucket < stage.quota.cap.value && stage.where.contains(world.device.attributes)
            })
    }

    /// Bytes that are changed at random are refused or read; they never trap.
    @Test(arguments: 0..<30 as Range<UInt64>)
    func `a damaged document never traps`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var world = World()
        world.pin("1.3.0")
        for bytes in [world.policy.json.canonicalBytes, world.plan.json.canonicalBytes] {
            for _ in 0..<40 {
                var damaged = bytes
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    let at = Int.random(in: 0..<damaged.count, using: &generator)
                    damaged[at] = UInt8.random(in: 0x20...0x7E, using: &generator)
                }
                if let policy = try? Policy(parsing: damaged) { _ = policy.problems() }
                if case .plan(let plan) = HeldPlan(parsing: damaged) {
                    var other = world
                    other.plan = plan
                    _ = other.decision()
                }
            }
        }
    }
}
