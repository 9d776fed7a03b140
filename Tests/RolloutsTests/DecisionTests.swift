import Primitives
import TestSupport
import Testing

@testable import Rollouts

struct DecisionTests {
    /// A device that has committed the candidate, under a plan that then rolls it back.
    static func onCandidate() -> World {
        var world = World()
        world.device.current = bundle("1.4.0")
        world.device.idle = bundle("1.3.0")
        world.device.committed.insert(bundle("1.4.0"))
        return world
    }

    @Test func `goes back when the plan rolls back`() throws {
        var world = Self.onCandidate()
        world.rollBack()
        let decision = world.decision()
        #expect(decision.action == .back(bundle("1.3.0")))
        #expect(decision.role == .baseline)
        #expect(!decision.waitsForBeacon)
    }

    /// Whatever may forbid a swap forward, going back to a committed baseline stays free.
    @Test func `nothing that forbids a swap forward holds up going back`() throws {
        let obstacles: [(inout World) -> Void] = [
            { $0.plan.freezeWindows = [made(FreezeWindow(from: 0, until: 10_079))] },
            { $0.device.isHeld = true },
            { $0.device.lastForwardSwap = $0.now },
            {
                $0.device.freshness = DeviceFacts.Freshness(
                    timestampSigned: World.start, timestampExpires: World.start,
                    expiredOfflineRoles: ["model.commands-en", "targets"])
            },
            { $0.isPolicyListed = false },
            { $0.isBaselinePolicyListed = false },
            { $0.manifests = [:] },
            { $0.requirements = [:] },
            { $0.plan.stages = [] },
            { $0.plan.paused = [.region(name("eu"))] },
        ]
        var all = Self.onCandidate()
        for obstacle in obstacles {
            var one = Self.onCandidate()
            for change in [{ (world: inout World) in world.rollBack() }] + [obstacle] {
                change(&one)
            }
            #expect(one.decision().action == .back(bundle("1.3.0")))
            obstacle(&all)
        }
        all.rollBack()
        #expect(all.decision().action == .back(bundle("1.3.0")))
    }

    @Test func `leaves a withdrawn candidate under a paused and under a frozen plan`() throws {
        for state in [Plan.State.paused, .frozen, .running, .completed] {
            var world = Self.onCandidate()
            world.rollBack()
            world.plan.state = state
            #expect(world.decision().action == .back(bundle("1.3.0")))
        }
    }

    @Test func `stays on the candidate while the plan is paused or frozen`() throws {
        for state in [Plan.State.running, .paused, .frozen] {
            var world = Self.onCandidate()
            world.plan.state = state
            #expect(world.decision().action == .stay)
            #expect(world.decision().arm == .treated)
        }
    }

    @Test func `an excluded segment goes back, and its devices leave the arms`() throws {
        var world = Self.onCandidate()
        world.plan.excluded = [.cohort(world.device.attributes.cohort)]
        let decision = world.decision()
        #expect(decision.action == .back(bundle("1.3.0")))
        #expect(decision.arm == nil)
        world.plan.excluded = [.cohort(made(Cohort("eu/car")))]
        #expect(world.decision().action == .stay)
    }

    @Test func `takes what the idle slot holds when the baseline is not acceptable`() throws {
        var world = Self.onCandidate()
        world.rollBack()
        world.plan.withdrawn.append(
            Withdrawal(version: version("1.3.0"), sha256: bundle("1.3.0").sha256, at: world.now))
        world.device.idle = bundle("1.2.0")
        #expect(world.decision().action == .back(bundle("1.2.0")))
        #expect(world.decision().role == .previous)
        world.device.committed.remove(bundle("1.2.0"))
        #expect(world.decision().action == .stranded(bundle("1.4.0")))
        #expect(world.decision().json["bundle"] == bundle("1.4.0").json)
    }

    @Test func `goes back to a baseline it never had only while offline metadata is in force`()
        throws
    {
        var world = Self.onCandidate()
        world.device.committed = [bundle("1.4.0")]
        world.device.idle = nil
        world.rollBack()
        #expect(world.decision().action == .back(bundle("1.3.0")))
        world.device.freshness = DeviceFacts.Freshness(
            timestampSigned: World.start, timestampExpires: World.start,
            expiredOfflineRoles: ["targets"])
        #expect(world.decision().action == .stranded(bundle("1.4.0")))
        #expect(world.decision().refusals.contains(.offlineMetadataExpired))
    }

    @Test func `a lift undoes withdrawals and rejections up to its moment`() throws {
        var world = World()
        let withdrawn = Withdrawal(
            version: version("1.4.0"), sha256: bundle("1.4.0").sha256, at: world.now + -hour)
        world.plan.withdrawn = [withdrawn]
        world.device.withdrawn = [withdrawn]
        world.device.rejected = [
            DeviceFacts.Rejection(
                version: version("1.4.0"), sha256: bundle("1.4.0").sha256, at: world.now + -hour)
        ]
        #expect(world.decision().refusals == [.withdrawn, .rejectedHere])
        func lift(_ text: String, model: ModelName = World.model, until: UTCTime) -> Lift {
            Lift(
                model: model, version: version(text), sha256: bundle(text).sha256, until: until)
        }
        world.lifts = [lift("1.4.0", until: world.now + -hour + -1)]
        #expect(world.decision().action == .stay)
        world.lifts = [lift("1.3.0", until: world.now)]
        #expect(world.decision().action == .stay)
        world.lifts = [lift("1.4.0", model: made(ModelName("other")), until: world.now)]
        #expect(world.decision().action == .stay)
        world.lifts = [lift("1.4.0", until: world.now + -hour)]
        #expect(world.decision().action == .forward(bundle("1.4.0")))
        world.plan.withdrawn = [
            Withdrawal(version: version("1.4.0"), sha256: bundle("1.4.0").sha256, at: world.now)
        ]
        #expect(world.decision().refusals == [.withdrawn])
    }

    @Test func `a first install takes the baseline, in windows and freezes too`() throws {
        for state in [Plan.State.running, .paused, .frozen, .rolledBack] {
            var world = World()
            world.device.current = nil
            world.device.committed = []
            world.plan.freezeWindows = [made(FreezeWindow(from: 0, until: 10_079))]
            if state == .rolledBack { world.rollBack() } else { world.plan.state = state }
            #expect(world.decision().action == .first(bundle("1.3.0")))
            #expect(world.decision().role == .baseline)
        }
    }

    @Test func `a first install needs a fresh timestamp`() throws {
        var world = World()
        world.device.current = nil
        world.device.committed = []
        world.move(to: world.now)
        world.device.freshness = DeviceFacts.Freshness(
            timestampSigned: world.now + -2 * day, timestampExpires: world.now + day)
        #expect(world.decision().action == .stay)
        #expect(world.decision().refusals.contains(.timestampTooOld))
    }

    @Test func `a first install after completion takes the new release`() throws {
        var world = World()
        world.device.current = nil
        world.device.committed = []
        world.moveToLastStage()
        world.plan.state = .completed
        world.move(to: world.policy.matures)
        #expect(world.decision().action == .first(bundle("1.4.0")))
        #expect(world.decision().arm == nil)
    }

    @Test func `a first release has no baseline and goes by its stages`() throws {
        var world = World()
        world.policy.replaces = []
        world.policy.holdBack = .none
        world.plan.baseline = nil
        world.device.current = nil
        world.device.committed = []
        #expect(world.decision().action == .first(bundle("1.4.0")))
        #expect(world.decision().role == .candidate)
        world.device.id = World.id(World.number(in: 9_900..<10_000))
        #expect(world.decision().action == .stay)
        #expect(world.decision().refusals == [.notInShare])
        world.device.current = bundle("1.2.0")
        #expect(world.decision().refusals.contains(.currentNotReplaceable))
    }

    @Test func `a first release is held up by freezes, windows and local holds`() throws {
        let obstacles: [(RefusalReason, (inout World) -> Void)] = [
            (.frozen, { $0.plan.state = .frozen }),
            (.paused, { $0.plan.state = .paused }),
            (.heldHere, { $0.device.isHeld = true }),
            (
                .inFreezeWindow,
                { $0.plan.freezeWindows = [made(FreezeWindow(from: 0, until: 10_079))] }
            ),
        ]
        for (reason, obstacle) in obstacles {
            var world = World()
            world.policy.replaces = []
            world.policy.holdBack = .none
            world.plan.baseline = nil
            world.device.current = nil
            world.device.committed = []
            obstacle(&world)
            #expect(world.decision().refusals == [reason])
            #expect(world.decision().action == .stay)
            world.pin("1.4.0")
            #expect(world.decision().refusals == [reason])
        }
    }

    @Test func `the hold-back gets the candidate on completion, and not before`() throws {
        var world = World()
        world.device.id = World.id(World.number(in: 9_900..<10_000))
        world.moveToLastStage()
        world.move(to: world.policy.matures)
        #expect(world.decision().action == .stay)
        #expect(world.decision().arm == .control)
        #expect(world.decision().refusals == [.heldBack])
        world.plan.state = .completed
        #expect(world.decision().action == .forward(bundle("1.4.0")))
        #expect(!world.decision().waitsForBeacon)
        world.move(to: world.policy.notAfter + day)
        #expect(world.decision().action == .forward(bundle("1.4.0")))
    }

    @Test func `the last stage does not wait for the beacon`() throws {
        var world = World()
        world.moveToLastStage()
        #expect(world.decision().action == .forward(bundle("1.4.0")))
        #expect(!world.decision().waitsForBeacon)
    }

    @Test func `a committed baseline needs no policy any more`() throws {
        var world = World()
        world.device.current = bundle("1.2.0")
        world.device.id = World.id(World.number(in: 5_000..<6_000))
        world.isBaselinePolicyListed = false
        #expect(world.decision().action == .forward(bundle("1.3.0")))
        world.device.committed.remove(bundle("1.3.0"))
        #expect(world.decision().action == .stay)
    }

    @Test func `of several policies the one that matures first and reaches the device counts`()
        throws
    {
        var world = World()
        world.device = World.device(number: World.number(in: 5_000..<6_000), current: nil)
        world.device.committed = []
        var emergency = world.baselinePolicy
        world.baselinePolicy.notBefore = world.now + -hour
        #expect(world.decision().action == .stay)
        for index in 0...2 { emergency.stages[index].leastSoak = 60 }
        var listing = world.listing
        listing.policies.append(
            Listing.ListedPolicy(
                path: made(TargetPath("policies/commands-en/1.3.0.emergency.json")),
                sha256: World.digest(of: emergency), policy: emergency))
        let decision = decide(
            plan: .plan(world.plan), listing: listing, device: world.device, now: world.now)
        #expect(decision.action == .first(bundle("1.3.0")))
    }

    @Test func `an approval lets a signed stage begin`() throws {
        var world = World()
        world.policy.stages[1].promote = .signed
        world.approvals = [
            Approval(model: World.model, policy: world.plan.policy.sha256, stage: name("canary"))
        ]
        #expect(world.decision().action == .forward(bundle("1.4.0")))
    }

    @Test func `the trace says every rule with its inputs, also after a refusal`() throws {
        var world = World()
        world.plan.state = .paused
        world.device.isHeld = true
        world.device.lastForwardSwap = world.now + -hour
        let decision = world.decision()
        #expect(decision.refusals == [.paused, .heldHere, .dwelling])
        let step = try #require(decision.trace.first { $0.rule == .dwelling })
        #expect(step.isRefused)
        #expect(step.until == world.now + 5 * hour)
        #expect(
            step.line
                == "REFUSED dwelling [candidate 1.4.0]: last swap 2026-11-03T23:00:00Z, seconds 21600 (until 2026-11-04T05:00:00Z)"
        )
        #expect(decision.waitsUntil == nil)
        #expect(
            decision.trace.map(\.rule)
                == [
                    .planForAnotherModel, .planForAnotherChannel, .withdrawn, .rejectedHere,
                    .policyNotListed, .manifestNotListed, .requirementsUnknown,
                    .architectureNotSupported, .memoryTooSmall, .diskTooSmall, .agentTooOld,
                    .candidateNamedAsBaseline, .rolledBack, .paused, .segmentPaused,
                    .segmentExcluded, .policyForAnotherRelease, .baselineNotReplaceable,
                    .currentNotReplaceable, .beforeNotBefore, .noStageBegun, .noSuchStage,
                    .stageTooEarly, .afterNotAfter, .shareAboveCap, .shareAboveCap,
                    .holdBackNotAsSigned, .outsideWhere, .heldBack, .notInShare, .notYetInRamp,
                    .offlineMetadataExpired, .timestampTooOld, .timestampExpired, .frozen,
                    .inFreezeWindow, .heldHere, .dwelling,
                ])
    }

    @Test func `says when time alone will change the answer`() throws {
        var world = World()
        world.device.lastForwardSwap = world.now + -hour
        world.plan.freezeWindows = [made(FreezeWindow(from: 2 * 1_440 - 60, until: 2 * 1_440 + 30))]
        #expect(world.decision().waitsUntil == world.now + 5 * hour)
        world.device.isHeld = true
        #expect(world.decision().waitsUntil == nil)
    }

    @Test func `the JSON of a decision has what explain shows`() throws {
        let json = World().decision().json
        #expect(json["action"]?.string == "forward")
        #expect(json["bundle"] == bundle("1.4.0").json)
        #expect(json["role"]?.string == "candidate")
        #expect(json["arm"]?.string == "treated")
        #expect(json["stage"]?.integer == 0)
        #expect(json["waits_for_beacon"]?.bool == true)
        #expect(json["pinned"]?.bool == false)
        #expect(json["download"] == DownloadRules().json)
        #expect(json["trace"]?.array?.count == World().decision().trace.count)
        #expect(json["trace"]?.array?.first?["rule"]?.string == "plan-for-another-model")
        let words = [
            Decision.Action.stay, .first(bundle("1.4.0")), .back(bundle("1.4.0")),
            .stranded(bundle("1.4.0")),
        ].map { Decision(action: $0, trace: []).word }
        #expect(words == ["stay", "first", "back", "stranded"])
    }
}
