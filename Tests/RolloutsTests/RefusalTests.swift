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
