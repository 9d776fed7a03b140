import ModelBundle
import Primitives
import Testing

@testable import Rollouts

/// Every clause of what a device accepts (`docs/formats/plan.md`): one plan or device each that breaks it,
/// and the one reason it is refused with.
struct RefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let reason: RefusalReason
        let what: String
        /// What comes with it, because the same fact breaks two rules.
        let also: [RefusalReason]
        /// What is taken instead.
        let target: String?
        let breakIt: @Sendable (inout World) -> Void

        init(
            _ reason: RefusalReason, _ what: String, also: [RefusalReason] = [],
            target: String? = nil, _ breakIt: @escaping @Sendable (inout World) -> Void
        ) {
            self.reason = reason
            self.what = what
            self.also = also
            self.target = target
            self.breakIt = breakIt
        }

        var testDescription: String { "\(reason.rawValue): \(what)" }
    }

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

    @Test(arguments: cases) func `refuses`(_ item: Case) throws {
        var world = World()
        item.breakIt(&world)
        let decision = world.decision()
        #expect(Set(decision.refusals) == Set([item.reason] + item.also))
        #expect(decision.target == item.target.map { bundle($0) })
        #expect((decision.role == nil) == (item.target == nil))
    }

    @Test func `every reason has a case`() {
        let covered = Set(Self.cases.map(\.reason)).union([.noPlan, .planUnreadable])
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

    static let plans: [Case] = [
        Case(.planForAnotherModel, "a plan of another model") {
            $0.plan.model = made(ModelName("commands-de"))
        },
        Case(.planForAnotherChannel, "a plan of another channel") {
            $0.plan.channel = made(ChannelName("night"))
        },
        Case(.policyNotListed, "a policy that the release keys do not list today") {
            $0.isPolicyListed = false
        },
        Case(.policyNotListed, "a policy that is listed with another digest") {
            $0.listedPolicy = Plan.PolicyReference(
                path: World.path, sha256: bundle("9.9.9").sha256)
        },
        Case(.policyNotListed, "a policy that is listed at another path") {
            $0.listedPolicy = Plan.PolicyReference(
                path: World.baselinePath, sha256: $0.plan.policy.sha256)
        },
        Case(.policyForAnotherRelease, "the policy of another release") {
            $0.policy.candidate = bundle("1.3.9")
        },
        Case(.policyForAnotherRelease, "the policy of another model") {
            $0.policy.model = made(ModelName("commands-de"))
        },
        Case(
            .candidateNamedAsBaseline, "the candidate as its own baseline",
            also: [.baselineNotReplaceable, .baselineNotYetAllowed]
        ) { $0.plan.baseline = bundle("1.4.0") },
        Case(
            .baselineNotReplaceable, "a baseline that the policy does not replace",
            also: [.currentNotReplaceable]
        ) { $0.policy.replaces = [VersionRange(version("1.2.0"))] },
        Case(.baselineNotReplaceable, "no baseline, though it is no first release") {
            $0.plan.baseline = nil
        },
        Case(.noStageBegun, "a plan without a stage") { $0.plan.stages = [] },
        Case(.noSuchStage, "a stage that the policy does not have") {
            $0.moveToLastStage()
            $0.plan.stages.append(Plan.BegunStage(began: $0.now))
            $0.move(to: $0.policy.matures)
        },
        Case(.stageTooEarly, "a stage that is skipped") {
            $0.plan.stages.append(Plan.BegunStage(began: $0.now))
            $0.move(to: $0.policy.earliest(ofStage: 2) + -1)
        },
        Case(.stageTooEarly, "a stage that claims to have begun long ago") {
            $0.plan.stages = [
                Plan.BegunStage(began: World.start + -9 * day),
                Plan.BegunStage(began: World.start + -8 * day),
                Plan.BegunStage(began: World.start + -7 * day),
            ]
            $0.move(to: $0.policy.earliest(ofStage: 2) + -1)
        },
        Case(.completedTooEarly, "a release completed before all least soak times") {
            $0.moveToLastStage()
            $0.plan.state = .completed
        },
        Case(.completedTooEarly, "a release completed without its last stage") {
            $0.plan.state = .completed
            $0.move(to: $0.policy.matures)
        },
        Case(.approvalMissing, "a signed stage without approval") {
            $0.policy.stages[1].promote = .signed
        },
        Case(.approvalMissing, "an approval of another stage") {
            $0.policy.stages[1].promote = .signed
            $0.approvals = [
                Approval(model: World.model, policy: $0.plan.policy.sha256, stage: name("stable"))
            ]
        },
        Case(.approvalMissing, "an approval of another policy") {
            $0.policy.stages[1].promote = .signed
            $0.approvals = [
                Approval(
                    model: World.model, policy: bundle("1.0.0").sha256, stage: name("canary"))
            ]
        },
        Case(.shareAboveCap, "a share above its cap in the device's cohort") {
            $0.plan.stages[1].shares = [$0.device.attributes.cohort: basisPoints(5_001)]
        },
        Case(.shareAboveCap, "a share above its cap in another cohort, in an earlier stage") {
            $0.plan.stages[0].shares = [made(Cohort("us/kiosk")): basisPoints(2_501)]
        },
        Case(.holdBackNotAsSigned, "a hold-back below its share") {
            $0.plan.holdBack = [made(Cohort("us/kiosk")): basisPoints(499)]
        },
        Case(.holdBackNotAsSigned, "a hold-back above its cap") {
            $0.plan.holdBack = [made(Cohort("us/kiosk")): basisPoints(2_501)]
        },
        Case(
            .beforeNotBefore, "a candidate before its time", also: [.stageTooEarly, .notYetInRamp]
        ) {
            $0.plan.stages = [Plan.BegunStage(began: World.start)]
            $0.policy.notBefore = $0.now + 1
        },
        Case(.afterNotAfter, "a candidate after its time") { $0.policy.notAfter = $0.now + -1 },
        Case(.rolledBack, "a plan that rolled back", also: [.withdrawn]) { $0.rollBack() },
        Case(.paused, "a paused plan") { $0.plan.state = .paused },
        Case(.frozen, "a frozen plan") { $0.plan.state = .frozen },
        Case(.segmentPaused, "a paused cohort") {
            $0.plan.paused = [.cohort($0.device.attributes.cohort)]
        },
        Case(.segmentExcluded, "an excluded locale") {
            $0.plan.excluded = [.locale(name("en-GB"))]
        },
        Case(.segmentExcluded, "an excluded region") {
            $0.plan.excluded = [.region(name("eu"))]
        },
        Case(.segmentExcluded, "an excluded device class") {
            $0.plan.excluded = [.deviceClass(name("hub"))]
        },
        Case(.inFreezeWindow, "a freeze window") {
            $0.plan.freezeWindows = [
                made(FreezeWindow(from: 2 * 1_440, until: 2 * 1_440 + 60))
            ]
        },
    ]

    static let places: [Case] = [
        Case(.outsideWhere, "another region") {
            for index in 0...2 { $0.policy.stages[index].where = Where(regions: [name("us")]) }
        },
        Case(.outsideWhere, "another device class") {
            for index in 0...2 {
                $0.policy.stages[index].where = Where(deviceClasses: [name("car")])
            }
        },
        Case(.outsideWhere, "a label that the device does not have, in the stages that have begun")
        {
            for index in 0...1 { $0.policy.stages[index].where = Where(labels: [name("beta")]) }
        },
        Case(.outsideWhere, "another locale") {
            for index in 0...2 { $0.policy.stages[index].where = Where(locales: [name("de-DE")]) }
        },
        Case(.heldBack, "a device of the hold-back") {
            $0.device = World.device(
                number: World.number(in: 9_500..<10_000), current: bundle("1.3.0"))
            $0.plan.stages = [Plan.BegunStage(began: World.start)]
        },
        Case(.heldBack, "a device of a larger hold-back") {
            $0.moveToLastStage()
            $0.device.id = World.id(World.number(in: 8_000..<9_500))
            $0.plan.holdBack = [$0.device.attributes.cohort: basisPoints(2_500)]
        },
        Case(.notInShare, "a device above the share") {
            $0.device = World.device(
                number: World.number(in: 1_000..<9_500), current: bundle("1.3.0"))
        },
        Case(.notYetInRamp, "a device late in the ramp") {
            $0.device = World.device(
                number: World.number(in: 900..<1_000), current: bundle("1.3.0"))
            $0.policy.stages[1].ramp = day
            $0.plan.stages[1].began = $0.now + -hour
        },
        Case(.firstInstallTakesBaseline, "a first install", target: "1.3.0") {
            $0.device.current = nil
        },
        Case(
            .currentNotReplaceable, "a device that must take the baseline first", target: "1.3.0"
        ) {
            $0.policy.replaces = [VersionRange(version("1.3.0"))]
            $0.device.current = bundle("1.2.0")
        },
        Case(.heldHere, "a device that was ordered to stay") { $0.device.isHeld = true },
        Case(.dwelling, "a second swap forward within the dwell time") {
            $0.device.lastForwardSwap = $0.now + -6 * hour + 1
        },
        Case(.timestampTooOld, "a timestamp older than the policy's freshness") {
            $0.device.freshness = DeviceFacts.Freshness(
                timestampSigned: $0.now + -day + -1, timestampExpires: $0.now + day)
        },
        Case(.timestampExpired, "an expired timestamp") {
            $0.device.freshness = DeviceFacts.Freshness(
                timestampSigned: $0.now + -hour, timestampExpires: $0.now)
        },
        Case(.offlineMetadataExpired, "expired metadata of the model, for a new bundle") {
            $0.device.freshness = DeviceFacts.Freshness(
                timestampSigned: $0.now + -hour, timestampExpires: $0.now + day,
                expiredOfflineRoles: ["model.commands-en"])
        },
    ]

    static let versions: [Case] = [
        Case(.withdrawn, "a candidate that the plan withdraws") {
            $0.plan.withdrawn = [
                Withdrawal(version: version("1.4.0"), sha256: bundle("1.4.0").sha256, at: $0.now)
            ]
        },
        Case(.withdrawn, "a candidate withdrawn by an older plan, under another digest") {
            $0.device.withdrawn = [
                Withdrawal(version: version("1.4.0"), sha256: bundle("9.9.9").sha256, at: $0.now)
            ]
        },
        Case(.withdrawn, "a candidate withdrawn by its digest, under another version") {
            $0.device.withdrawn = [
                Withdrawal(version: version("9.9.9"), sha256: bundle("1.4.0").sha256, at: $0.now)
            ]
        },
        Case(.rejectedHere, "a candidate that this device has rejected") {
            $0.device.rejected = [
                DeviceFacts.Rejection(
                    version: version("1.4.0"), sha256: bundle("1.4.0").sha256, at: $0.now)
            ]
        },
        Case(.belowRollbackFloor, "a candidate below the floor") {
            $0.device.rollbackFloor = version("1.4.1")
        },
        Case(.manifestNotListed, "a candidate whose manifest is not listed") {
            $0.manifests[version("1.4.0")] = nil
        },
        Case(.manifestNotListed, "a candidate whose manifest is listed with another digest") {
            $0.manifests[version("1.4.0")] = bundle("1.3.0").sha256
        },
        Case(.requirementsUnknown, "a candidate whose manifest was not read yet") {
            $0.requirements[bundle("1.4.0").sha256] = nil
        },
        Case(.architectureNotSupported, "another processor") {
            $0.require(
                Requirements(
                    architectures: [.arm], minimumMemory: 0, minimumDisk: 0,
                    minimumAgent: version("1.0.0")))
        },
        Case(.memoryTooSmall, "too little memory") {
            $0.require(
                Requirements(
                    architectures: [.x86], minimumMemory: 1 << 30 + 1, minimumDisk: 0,
                    minimumAgent: version("1.0.0")))
        },
        Case(.diskTooSmall, "too little disk") {
            $0.require(
                Requirements(
                    architectures: [.x86], minimumMemory: 0, minimumDisk: 1 << 30 + 1,
                    minimumAgent: version("1.0.0")))
        },
        Case(.agentTooOld, "an agent that is too old") {
            $0.require(
                Requirements(
                    architectures: [.x86], minimumMemory: 0, minimumDisk: 0,
                    minimumAgent: version("1.0.1")))
        },
    ]

    /// A device on 1.2.0 that is outside of the share and has never had the baseline.
    private static func newcomer(_ world: inout World) {
        world.device = World.device(
            number: World.number(in: 1_000..<9_500), current: bundle("1.2.0"))
        world.device.committed = [bundle("1.2.0")]
    }

    static let baselines: [Case] = [
        Case(.baselineNotYetAllowed, "a young release as baseline", also: [.notInShare]) {
            newcomer(&$0)
            $0.baselinePolicy.notBefore = $0.now + -3 * day + 1
        },
        Case(.policyNotListed, "a baseline without a policy", also: [.notInShare]) {
            newcomer(&$0)
            $0.isBaselinePolicyListed = false
        },
        Case(
            .policyNotListed, "a baseline under another digest",
            also: [
                .notInShare, .manifestNotListed, .requirementsUnknown,
            ]
        ) {
            newcomer(&$0)
            $0.plan.baseline = BundleReference(
                version: version("1.3.0"), sha256: bundle("9.9.9").sha256, length: 4_321)
        },
        Case(.outsideWhere, "a baseline of another region", also: [.notInShare]) {
            newcomer(&$0)
            for index in 0...2 {
                $0.baselinePolicy.stages[index].where = Where(regions: [name("us")])
            }
        },
        Case(
            .beforeNotBefore, "a baseline before its time",
            also: [
                .notInShare, .baselineNotYetAllowed,
            ]
        ) {
            newcomer(&$0)
            $0.baselinePolicy.notBefore = $0.now + 1
        },
        Case(.belowRollbackFloor, "a baseline below the floor", also: [.notInShare]) {
            newcomer(&$0)
            $0.device.rollbackFloor = version("1.3.1")
        },
        Case(.frozen, "a baseline under a freeze", also: [.notInShare]) {
            newcomer(&$0)
            $0.plan.state = .frozen
        },
        Case(
            .policyNotListed, "an old bundle under a higher version, to get below the floor",
            also: [.notInShare, .manifestNotListed]
        ) {
            newcomer(&$0)
            $0.device.current = bundle("1.3.0")
            $0.device.rollbackFloor = version("1.3.0")
            $0.plan.baseline = BundleReference(
                version: version("1.3.5"), sha256: bundle("1.2.0").sha256, length: 4_321)
        },
        Case(.pinNotYetAllowed, "more pins to a young release than its policy allows") {
            $0.pin("1.4.0", also: 10)
        },
        Case(.beforeNotBefore, "a pin before the policy's time") {
            $0.pin("1.4.0")
            $0.policy.notBefore = $0.now + 1
        },
        Case(.outsideWhere, "a pin in another region") {
            $0.pin("1.4.0")
            for index in 0...2 { $0.policy.stages[index].where = Where(regions: [name("us")]) }
        },
        Case(.paused, "a pin to the candidate of a paused plan") {
            $0.pin("1.4.0")
            $0.plan.state = .paused
        },
        Case(.frozen, "a pin under a freeze") {
            $0.pin("1.4.0")
            $0.plan.state = .frozen
        },
    ]

    static let cases = plans + places + versions + baselines
}

extension World {
    mutating func require(_ needs: Requirements) { requirements[bundle("1.4.0").sha256] = needs }
}
