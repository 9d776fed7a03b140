import ModelBundle
package import Primitives
package import Rollouts
package import Telemetry

/// What the device's owner configured, and what the device is; constant while the agent runs.
package struct DeviceProfile: Sendable, Hashable {
    package let id: DeviceID
    package let model: ModelName
    package let channel: ChannelName
    package let attributes: DeviceAttributes
    package let agent: SemanticVersion

    package init(
        id: DeviceID, model: ModelName, channel: ChannelName, attributes: DeviceAttributes,
        agent: SemanticVersion
    ) {
        self.id = id
        self.model = model
        self.channel = channel
        self.attributes = attributes
        self.agent = agent
    }
}

/// What a poll's material means for this device now; a pure function of its inputs.
package struct Judgement: Sendable {
    package let decision: Decision
    package let wish: Wish
    /// The device's place in the rollout, for reports; nil outside of both arms.
    package let place: RolloutPlace?
    package let candidate: SemanticVersion?
    package let burnInSeconds: Int64
    package let reportInterval: Int64?
    package let lifted: [BundleReference]
    /// What the plan's policy allows downloads to cost; nil where there is none.
    package let download: DownloadRules?

    /// Judges material by the device's own memory.
    ///
    /// - Parameters:
    ///   - material: from the newest poll.
    ///   - profile: who the device is.
    ///   - machine: what it runs and remembers.
    ///   - trust: withdrawals and the time floor; must have taken in this material already.
    ///   - hardware: architecture, memory, and disk that is free for the bundle.
    ///   - clock: the device's clock.
    package init(
        of material: PollMaterial, profile: DeviceProfile, machine: MachineState,
        trust: TrustMemory, hardware: DeviceFacts.Hardware, clock: UTCTime
    ) {
        let now = trust.now(clock)
        let facts = DeviceFacts(
            profile, machine, trust, hardware,
            DeviceFacts.Freshness(
                timestampSigned: material.timestampSigned,
                timestampExpires: material.timestampExpires,
                expiredOfflineRoles: material.expiredOfflineRoles))
        let decision = decide(
            plan: material.plan, listing: material.listing, device: facts, now: now)
        let plan = material.readablePlan
        let policy = plan.flatMap { plan in
            material.listing.policies.first {
                $0.path == plan.policy.path && $0.sha256 == plan.policy.sha256
            }?.policy
        }
        self.decision = decision
        wish = Wish(decision, material, policy, profile.model)
        place = plan.flatMap { RolloutPlace($0, decision, material.planVersion) }
        candidate = plan?.candidate.version
        burnInSeconds = policy?.burnInSeconds ?? 0
        reportInterval = policy?.reportInterval
        download = policy?.download
        lifted = machine.trials.trials.filter { trial in
            material.listing.lifts.contains {
                $0.model == profile.model && $0.version == trial.bundle.version
                    && $0.sha256 == trial.bundle.sha256 && trial.at <= $0.until
            }
        }.map(\.bundle)
    }
}

extension DeviceFacts {
    init(
        _ profile: DeviceProfile, _ machine: MachineState, _ trust: TrustMemory,
        _ hardware: Hardware, _ freshness: Freshness
    ) {
        let rejected = machine.trials.trials.filter { $0.rejection != nil }
        self.init(
            id: profile.id, model: profile.model, channel: profile.channel,
            attributes: profile.attributes, current: machine.runningBundle,
            idle: machine.slots.idleBundle, committed: Set(machine.committed),
            rejected: rejected.map {
                Rejection(version: $0.bundle.version, sha256: $0.bundle.sha256, at: $0.at)
            },
            withdrawn: trust.withdrawn, rollbackFloor: machine.rollbackFloor,
            lastForwardSwap: machine.lastForwardSwap, isHeld: machine.isHeld,
            agent: profile.agent, hardware: hardware, freshness: freshness)
    }
}

extension Wish {
    init(
        _ decision: Decision, _ material: PollMaterial, _ policy: Policy?, _ model: ModelName
    ) {
        guard let bundle = decision.target, let manifest = material.manifests[bundle.sha256] else {
            // A decision for a bundle whose manifest was not read: only a committed one can be that,
            // and it is then in the idle slot or not to be had.
            self = decision.target.map { .run(Release(back: $0, decision)) } ?? .stay
            return
        }
        let own = material.listing.policies.map(\.policy)
            .first { $0.candidate == bundle && $0.model == model }
        let terms = decision.role == .candidate ? policy : own
        let isBack = if case .back = decision.action { true } else { false }
        self = .run(
            Release(
                bundle: bundle, direction: isBack ? .back : .forward,
                needsBeacon: decision.waitsForBeacon && !isBack,
                probation: isBack ? nil : terms.map { ProbationTerms(of: $0) } ?? ProbationTerms(),
                burnInTurns: isBack ? 0 : terms?.burnInTurns ?? 0,
                rollbackFloor: manifest.manifest.rollbackFloor,
                download: isBack ? nil : terms?.download))
    }
}

extension Release {
    /// The way to a bundle that nothing more is known of than that this device may run it.
    fileprivate init(back bundle: BundleReference, _ decision: Decision) {
        self.init(bundle: bundle, direction: .back, needsBeacon: false, probation: nil)
    }
}

extension RolloutPlace {
    /// Nil for a device outside of both arms, and before the first stage.
    init?(_ plan: Plan, _ decision: Decision, _ version: Int64?) {
        guard let version, let arm = decision.arm, let stage = plan.currentStage else { return nil }
        self.init(
            plan: version, stage: Int64(stage), arm: arm, window: plan.stages[stage].began)
    }
}
