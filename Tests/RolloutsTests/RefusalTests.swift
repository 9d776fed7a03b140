import ModelBundle
import Primitives
import TestSupport
import Testing

@testable import Rollouts

/// Every clause of what a device accepts (`docs/formats/plan.md`): one plan or device each that breaks it,
/// and the one reason it is refused with.
struct RefusalTests {
    @Test func `a healthy plan moves its device forward`() throws {
        let decision = World().decision()
        #expect(decision.action == .forward(bundle("1.4.0")))
        #expect(decision.refusals == [])
        #expect(decision.role == .candidate)
        #expect(decision.arm == .treated)
        #expect(decision.stage == 0)
        #expect(decision.waitsForBeacon)
        #expect(decision.download == DownloadRules())
        #expect(decision.waitsUntil == nil)
    }

    @Test(arguments: RefusalCase.all) func `refuses`(_ item: RefusalCase) throws {
        var world = World()
        item.breakIt(&world)
        let decision = world.decision()
        #expect(Set(decision.refusals) == item.reasons)
        #expect(decision.target == item.target.map { bundle($0) })
        #expect((decision.role == nil) == (item.target == nil))
    }

    /// Whatever a rule was looked at for, and however it came out.
    @Test(arguments: RefusalCase.all) func `tells what each rule looked at`(_ item: RefusalCase) {
        var world = World()
        item.breakIt(&world)
        let bare = (world.decision().trace + World().decision().trace).filter(\.inputs.isEmpty)
        #expect(bare.map(\.rule) == [])
    }

    @Test func `tells when a bundle was withdrawn and rejected, and which share a bucket misses`() {
        func input(_ rule: RefusalReason, _ world: World) -> [String] {
            let step = world.decision().trace.first { $0.rule == rule && $0.role == .candidate }
            return step?.inputs.map { "\($0.name) \($0.value)" } ?? []
        }
        var world = World()
        let (withdrawn, rejected) = (world.now + -hour, world.now + -day)
        #expect(input(.withdrawn, world) == ["withdrawn no"])
        #expect(input(.rejectedHere, world) == ["rejected no"])
        #expect(input(.heldHere, world) == ["held no"])
        #expect(input(.noStageBegun, world) == ["begun \(world.plan.stages.count)"])
        world.plan.withdrawn = [
            Withdrawal(version: version("1.4.0"), sha256: bundle("1.4.0").sha256, at: withdrawn)
        ]
        world.device.rejected = [
            DeviceFacts.Rejection(
                version: version("1.4.0"), sha256: bundle("1.4.0").sha256, at: rejected)
        ]
        world.device.isHeld = true
        #expect(input(.withdrawn, world) == ["withdrawn 1.4.0 at \(withdrawn)"])
        #expect(input(.rejectedHere, world) == ["rejected 1.4.0 at \(rejected)"])
        #expect(input(.heldHere, world) == ["held yes"])
        world.requirements = [:]
        world.device.committed.remove(bundle("1.4.0"))
        #expect(
            input(.requirementsUnknown, world)
                == ["requirements none", "sha256 \(bundle("1.4.0").sha256.hex)"])
        for stage in world.plan.stages.indices {
            world.plan.stages[stage].shares = [world.device.attributes.cohort: basisPoints(1)]
        }
        #expect(input(.notInShare, world).last == "share \(basisPoints(1))")
        #expect(input(.heldBack, world).last == "held back \(world.policy.holdBack.share)")
    }

    @Test func `every reason has a case`() {
        let covered = Set(RefusalCase.all.map(\.reason)).union([.noPlan, .planUnreadable])
        #expect(covered == Set(RefusalReason.allCases))
    }

    @Test func `without a readable plan a device stays`() throws {
        let world = World()
        for (held, reason) in [
            (HeldPlan.none, RefusalReason.noPlan),
            (HeldPlan(parsing: Array("{}".utf8)), .planUnreadable),
            (HeldPlan(parsing: Array(#"{"schema":"fieldfare.plan/2"}"#.utf8)), .planUnreadable),
        ] {
            let decision = decide(
                plan: held, listing: world.listing, device: world.device, now: world.now)
            #expect(decision.action == .stay)
            #expect(decision.refusals == [reason])
            #expect(decision.arm == nil)
        }
    }
}
