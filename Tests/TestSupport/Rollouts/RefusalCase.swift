import ModelBundle
import Primitives
package import Rollouts

/// One clause of what a device accepts (`docs/formats/plan.md`) that a plan or a device breaks, and the one reason
/// it is refused with.
package struct RefusalCase: Sendable, CustomStringConvertible {
    package let reason: RefusalReason
    package let what: String
    /// What comes with it, because the same fact breaks two rules.
    package let also: [RefusalReason]
    /// What is taken instead.
    package let target: String?
    package let breakIt: @Sendable (inout RolloutWorld) -> Void

    private init(
        _ reason: RefusalReason, _ what: String, also: [RefusalReason] = [],
        target: String? = nil, _ breakIt: @escaping @Sendable (inout RolloutWorld) -> Void
    ) {
        self.reason = reason
        self.what = what
        self.also = also
        self.target = target
        self.breakIt = breakIt
    }

    package var description: String { "\(reason.rawValue): \(what)" }

    /// All reasons that the case is refused with.
    package var reasons: Set<RefusalReason> { Set([reason] + also) }

    private static let plans: [RefusalCase] = [
        RefusalCase(.planForAnotherModel, "a plan of another model") {
            $0.plan.model = made(ModelName("commands-de"))
        },
        RefusalCase(.planForAnotherChannel, "a plan of another channel") {
            $0.plan.channel = made(ChannelName("night"))
        },
        RefusalCase(.policyNotListed, "a policy that the release keys do not list today") {
            $0.isPolicyListed = false
        },
        RefusalCase(.policyNotListed, "a policy that is listed with another digest") {
            $0.listedPolicy = Plan.PolicyReference(
                path: RolloutWorld.path, sha256: bundle("9.9.9").sha256)
        },
        RefusalCase(.policyNotListed, "a policy that is listed at another path") {
            $0.listedPolicy = Plan.PolicyReference(
                path: RolloutWorld.baselinePath, sha256: $0.plan.policy.sha256)
        },
        RefusalCase(.policyForAnotherRelease, "the policy of another release") {
            $0.policy.candidate = bundle("1.3.9")
        },
        RefusalCase(.policyForAnotherRelease, "the policy of another model") {
            $0.policy.model = made(ModelName("commands-de"))
        },
        RefusalCase(
            .candidateNamedAsBaseline, "the candidate as its own baseline",
            also: [.baselineNotReplaceable, .baselineNotYetAllowed]
        ) { $0.plan.baseline = bundle("1.4.0") },
        RefusalCase(
            .baselineNotReplaceable, "a baseline that the policy does not replace",
            also: [.currentNotReplaceable]
        ) { $0.policy.replaces = [VersionRange(version("1.2.0"))] },
        RefusalCase(.baselineNotReplaceable, "no baseline, though it is no first release") {
            $0.plan.baseline = nil
        },
        RefusalCase(.noStageBegun, "a plan without a stage") { $0.plan.stages = [] },
        RefusalCase(.noSuchStage, "a stage that the policy does not have") {
            $0.moveToLastStage()
            $0.plan.stages.append(Plan.BegunStage(began: $0.now))
            $0.move(to: $0.policy.matures)
        },
        RefusalCase(.stageTooEarly, "a stage that is skipped") {
            $0.plan.stages.append(Plan.BegunStage(began: $0.now))
            $0.move(to: $0.policy.earliest(ofStage: 2) + -1)
        },
        RefusalCase(.stageTooEarly, "a stage that claims to have begun long ago") {
            $0.plan.stages = [
                Plan.BegunStage(began: RolloutWorld.start + -9 * day),
                Plan.BegunStage(began: RolloutWorld.start + -8 * day),
                Plan.BegunStage(began: RolloutWorld.start + -7 * day),
            ]
            $0.move(to: $0.policy.earliest(ofStage: 2) + -1)
        },
        RefusalCase(.completedTooEarly, "a release completed before all least soak times") {
            $0.moveToLastStage()
            $0.plan.state = .completed
        },
        RefusalCase(.completedTooEarly, "a release completed without its last stage") {
            $0.plan.state = .completed
            $0.move(to: $0.policy.matures)
        },
        RefusalCase(.approvalMissing, "a signed stage without approval") {
            $0.policy.stages[1].promote = .signed
        },
        RefusalCase(.approvalMissing, "an approval of another stage") {
            $0.policy.stages[1].promote = .signed
            $0.approvals = [
                Approval(
                    model: RolloutWorld.model, policy: $0.plan.policy.sha256, stage: name("stable"))
            ]
        },
        RefusalCase(.approvalMissing, "an approval of another policy") {
            $0.policy.stages[1].promote = .signed
            $0.approvals = [
                Approval(
                    model: RolloutWorld.model, policy: bundle("1.0.0").sha256, stage: name("canary")
                )
            ]
        },
        RefusalCase(.shareAboveCap, "a share above its cap in the device's cohort") {
            $0.plan.stages[1].shares = [$0.device.attributes.cohort: basisPoints(5_001)]
        },
        RefusalCase(.shareAboveCap, "a share above its cap in another cohort, in an earlier stage")
        {
            $0.plan.stages[0].shares = [made(Cohort("us/kiosk")): basisPoints(2_501)]
        },
        RefusalCase(.holdBackNotAsSigned, "a hold-back below its share") {
            $0.plan.holdBack = [made(Cohort("us/kiosk")): basisPoints(499)]
        },
        RefusalCase(.holdBackNotAsSigned, "a hold-back above its cap") {
            $0.plan.holdBack = [made(Cohort("us/kiosk")): basisPoints(2_501)]
        },
        RefusalCase(
            .beforeNotBefore, "a candidate before its time", also: [.stageTooEarly, .notYetInRamp]
        ) {
            $0.plan.stages = [Plan.BegunStage(began: RolloutWorld.start)]
            $0.policy.notBefore = $0.now + 1
        },
        RefusalCase(.afterNotAfter, "a candidate after its time") {
            $0.policy.notAfter = $0.now + -1
        },
        RefusalCase(.rolledBack, "a plan that rolled back", also: [.withdrawn]) { $0.rollBack() },
        RefusalCase(.paused, "a paused plan") { $0.plan.state = .paused },
        RefusalCase(.frozen, "a frozen plan") { $0.plan.state = .frozen },
        RefusalCase(.segmentPaused, "a paused cohort") {
            $0.plan.paused = [.cohort($0.device.attributes.cohort)]
        },
        RefusalCase(.segmentExcluded, "an excluded locale") {
            $0.plan.excluded = [.locale(name("en-GB"))]
        },
        RefusalCase(.segmentExcluded, "an excluded region") {
            $0.plan.excluded = [.region(name("eu"))]
        },
        RefusalCase(.segmentExcluded, "an excluded device class") {
            $0.plan.excluded = [.deviceClass(name("hub"))]
        },
        RefusalCase(.inFreezeWindow, "a freeze window") {
            $0.plan.freezeWindows = [
                made(FreezeWindow(from: 2 * 1_440, until: 2 * 1_440 + 60))
            ]
        },
    ]

    private static let places: [RefusalCase] = [
        RefusalCase(.outsideWhere, "another region") {
            for index in 0...2 { $0.policy.stages[index].where = Where(regions: [name("us")]) }
        },
        RefusalCase(.outsideWhere, "another device class") {
            for index in 0...2 {
                $0.policy.stages[index].where = Where(deviceClasses: [name("car")])
            }
        },
        RefusalCase(
            .outsideWhere, "a label that the device does not have, in the stages that have begun"
        ) {
            for index in 0...1 { $0.policy.stages[index].where = Where(labels: [name("beta")]) }
        },
        RefusalCase(.outsideWhere, "another locale") {
            for index in 0...2 { $0.policy.stages[index].where = Where(locales: [name("de-DE")]) }
        },
        RefusalCase(.heldBack, "a device of the hold-back") {
            $0.device = RolloutWorld.device(
                number: RolloutWorld.number(in: 9_500..<10_000), current: bundle("1.3.0"))
            $0.plan.stages = [Plan.BegunStage(began: RolloutWorld.start)]
        },
        RefusalCase(.heldBack, "a device of a larger hold-back") {
            $0.moveToLastStage()
            $0.device.id = RolloutWorld.id(RolloutWorld.number(in: 8_000..<9_500))
            $0.plan.holdBack = [$0.device.attributes.cohort: basisPoints(2_500)]
        },
        RefusalCase(.notInShare, "a device above the share") {
            $0.device = RolloutWorld.device(
                number: RolloutWorld.number(in: 1_000..<9_500), current: bundle("1.3.0"))
        },
        RefusalCase(.notYetInRamp, "a device late in the ramp") {
            $0.device = RolloutWorld.device(
                number: RolloutWorld.number(in: 900..<1_000), current: bundle("1.3.0"))
            $0.policy.stages[1].ramp = day
            $0.plan.stages[1].began = $0.now + -hour
        },
        RefusalCase(.firstInstallTakesBaseline, "a first install", target: "1.3.0") {
            $0.device.current = nil
            $0.device.idle = nil
            $0.device.committed = []
        },
        RefusalCase(
            .currentNotReplaceable, "a device that must take the baseline first", target: "1.3.0"
        ) {
            $0.policy.replaces = [VersionRange(version("1.3.0"))]
            $0.device.current = bundle("1.2.0")
        },
        RefusalCase(.heldHere, "a device that was ordered to stay") { $0.device.isHeld = true },
        RefusalCase(.dwelling, "a second swap forward within the dwell time") {
            $0.device.lastForwardSwap = $0.now + -6 * hour + 1
        },
        RefusalCase(.timestampTooOld, "a timestamp older than the policy's freshness") {
            $0.device.freshness = DeviceFacts.Freshness(
                timestampSigned: $0.now + -day + -1, timestampExpires: $0.now + day)
        },
        RefusalCase(.timestampExpired, "an expired timestamp") {
            $0.device.freshness = DeviceFacts.Freshness(
                timestampSigned: $0.now + -hour, timestampExpires: $0.now)
        },
        RefusalCase(.offlineMetadataExpired, "expired metadata of the model, for a new bundle") {
            $0.device.freshness = DeviceFacts.Freshness(
                timestampSigned: $0.now + -hour, timestampExpires: $0.now + day,
                expiredOfflineRoles: ["model.commands-en"])
        },
    ]

    private static let versions: [RefusalCase] = [
        RefusalCase(.withdrawn, "a candidate that the plan withdraws") {
            $0.plan.withdrawn = [
                Withdrawal(version: version("1.4.0"), sha256: bundle("1.4.0").sha256, at: $0.now)
            ]
        },
        RefusalCase(.withdrawn, "a candidate withdrawn by an older plan, under another digest") {
            $0.device.withdrawn = [
                Withdrawal(version: version("1.4.0"), sha256: bundle("9.9.9").sha256, at: $0.now)
            ]
        },
        RefusalCase(.withdrawn, "a candidate withdrawn by its digest, under another version") {
            $0.device.withdrawn = [
                Withdrawal(version: version("9.9.9"), sha256: bundle("1.4.0").sha256, at: $0.now)
            ]
        },
        RefusalCase(.rejectedHere, "a candidate that this device has rejected") {
            $0.device.rejected = [
                DeviceFacts.Rejection(
                    version: version("1.4.0"), sha256: bundle("1.4.0").sha256, at: $0.now)
            ]
        },
        RefusalCase(.belowRollbackFloor, "a candidate below the floor") {
            $0.device.rollbackFloor = version("1.4.1")
        },
        RefusalCase(
            .manifestNotListed, "a candidate whose manifest is not listed",
            also: [.requirementsUnknown]
        ) {
            $0.manifests[version("1.4.0")] = nil
            $0.requirements[bundle("1.4.0").sha256] = nil
        },
        RefusalCase(
            .manifestNotListed, "a candidate whose manifest is listed with another digest",
            also: [.requirementsUnknown]
        ) {
            $0.manifests[version("1.4.0")] = bundle("1.3.0").sha256
            $0.requirements[bundle("1.4.0").sha256] = nil
        },
        RefusalCase(.requirementsUnknown, "a candidate whose manifest was not read yet") {
            $0.requirements[bundle("1.4.0").sha256] = nil
        },
        RefusalCase(.architectureNotSupported, "another processor") {
            $0.device.hardware = DeviceFacts.Hardware(
                architecture: .arm, memory: 1 << 30, freeDisk: 1 << 30)
        },
        RefusalCase(.memoryTooSmall, "too little memory") {
            $0.device.hardware = DeviceFacts.Hardware(
                architecture: .x86, memory: 1 << 28 - 1, freeDisk: 1 << 30)
        },
        RefusalCase(.diskTooSmall, "too little disk") {
            $0.device.hardware = DeviceFacts.Hardware(
                architecture: .x86, memory: 1 << 30, freeDisk: 1 << 26 - 1)
        },
        RefusalCase(.agentTooOld, "an agent that is too old") {
            $0.device.agent = version("0.9.9")
        },
    ]

    /// A device on 1.2.0 that is outside of the share and has never had the baseline.
    private static func newcomer(_ world: inout RolloutWorld) {
        world.device = RolloutWorld.device(
            number: RolloutWorld.number(in: 1_000..<9_500), current: bundle("1.2.0"))
        world.device.committed = [bundle("1.2.0")]
    }

    private static let baselines: [RefusalCase] = [
        RefusalCase(.baselineNotYetAllowed, "a young release as baseline", also: [.notInShare]) {
            newcomer(&$0)
            $0.baselinePolicy.notBefore = $0.now + -3 * day + 1
        },
        RefusalCase(.policyNotListed, "a baseline without a policy", also: [.notInShare]) {
            newcomer(&$0)
            $0.isBaselinePolicyListed = false
        },
        RefusalCase(
            .policyNotListed, "a baseline under another digest",
            also: [
                .notInShare, .manifestNotListed, .requirementsUnknown,
            ]
        ) {
            newcomer(&$0)
            $0.plan.baseline = BundleReference(
                version: version("1.3.0"), sha256: bundle("9.9.9").sha256, length: 4_321)
        },
        RefusalCase(.outsideWhere, "a baseline of another region", also: [.notInShare]) {
            newcomer(&$0)
            for index in 0...2 {
                $0.baselinePolicy.stages[index].where = Where(regions: [name("us")])
            }
        },
        RefusalCase(
            .beforeNotBefore, "a baseline before its time",
            also: [
                .notInShare, .baselineNotYetAllowed,
            ]
        ) {
            newcomer(&$0)
            $0.baselinePolicy.notBefore = $0.now + 1
        },
        RefusalCase(.belowRollbackFloor, "a baseline below the floor", also: [.notInShare]) {
            newcomer(&$0)
            $0.device.rollbackFloor = version("1.3.1")
        },
        RefusalCase(.frozen, "a baseline under a freeze", also: [.notInShare]) {
            newcomer(&$0)
            $0.plan.state = .frozen
        },
        RefusalCase(
            .policyNotListed, "an old bundle under a higher version, to get below the floor",
            also: [.notInShare, .manifestNotListed]
        ) {
            newcomer(&$0)
            $0.device.current = bundle("1.3.0")
            $0.device.rollbackFloor = version("1.3.0")
            $0.plan.baseline = BundleReference(
                version: version("1.3.5"), sha256: bundle("1.2.0").sha256, length: 4_321)
        },
        RefusalCase(.pinNotYetAllowed, "more pins to a young release than its policy allows") {
            $0.pin("1.4.0", also: 10)
        },
        RefusalCase(.beforeNotBefore, "a pin before the policy's time") {
            $0.pin("1.4.0")
            $0.policy.notBefore = $0.now + 1
        },
        RefusalCase(.outsideWhere, "a pin in another region") {
            $0.pin("1.4.0")
            for index in 0...2 { $0.policy.stages[index].where = Where(regions: [name("us")]) }
        },
        RefusalCase(.paused, "a pin to the candidate of a paused plan") {
            $0.pin("1.4.0")
            $0.plan.state = .paused
        },
        RefusalCase(.frozen, "a pin under a freeze") {
            $0.pin("1.4.0")
            $0.plan.state = .frozen
        },
    ]

    package static let all = plans + places + versions + baselines
}
