package import Primitives

/// Says what a device is to run, and why: the one function that agent, registry and CLI share.
///
/// Pure, and default deny: no plan, one that cannot be read, one for another model or channel means
/// `stay`. The registry is trusted to hold back, never to hurry or to choose freely, so each version that a plan names is held against what the release keys
/// signed. Every rule that bears on the choice stands in the trace. What the caller sees to: that all
/// of `listing` was verified by TUF, that `plan` is the newest one by the version of `plans.<m>`, and
/// that the withdrawals of every plan read are remembered.
///
/// - Parameters:
///   - held: the plan in hand.
///   - listing: what today's `model.<m>` lists.
///   - device: the facts of the device.
///   - now: the device's time, not below its time floor.
/// - Returns: what to run, why, and when that may change.
package func decide(
    plan held: HeldPlan, listing: Listing, device: DeviceFacts, now: UTCTime
) -> Decision {
    var trace: [Decision.Step] = []
    guard let plan = obeyed(held, by: device, &trace) else {
        return Decision(action: .stay, trace: trace)
    }
    var judge = Judge(plan: plan, listing: listing, device: device, now: now, trace: trace)
    return judge.decide()
}

/// The plan, if there is one, it can be read, and it is for this model and channel.
private func obeyed(
    _ held: HeldPlan, by device: DeviceFacts, _ trace: inout [Decision.Step]
) -> Plan? {
    func look(_ rule: RefusalReason, _ isKept: Bool, _ name: String, _ value: String) -> Bool {
        let input = Decision.Step.Input(name: name, value: value)
        trace.append(
            Decision.Step(
                rule: rule, role: nil, version: nil, inputs: [input], isRefused: !isKept,
                until: nil))
        return isKept
    }
    switch held {
    case .none:
        _ = look(.noPlan, false, "plan", "none")
        return nil
    case .unreadable(let reason):
        _ = look(.planUnreadable, false, "plan", reason)
        return nil
    case .plan(let plan):
        let isModel = look(
            .planForAnotherModel, plan.model == device.model, "model", "\(plan.model)")
        let isChannel = look(
            .planForAnotherChannel, plan.channel == device.channel, "channel", "\(plan.channel)")
        return isModel && isChannel ? plan : nil
    }
}

extension Judge {
    /// Goes through what the plan offers, best first, and takes the first that every rule accepts.
    mutating func decide() -> Decision {
        let mustLeave = self.mustLeave
        var isFirst = true
        for offer in offers(mustLeave: mustLeave) {
            if offer.bundle == device.current {
                if mustLeave { continue }
                return decision(.stay)
            }
            let start = trace.count
            if accepts(offer) { return decision(offer) }
            if isFirst { waitsUntil = Self.end(of: trace[start...]) }
            isFirst = false
        }
        if mustLeave, let current = device.current { return decision(.stranded(current)) }
        return decision(.stay)
    }

    /// Whether what runs must not go on: withdrawn, or the candidate in a segment that is excluded.
    private var mustLeave: Bool {
        guard let current = device.current else { return false }
        if isWithdrawn(current) { return true }
        guard current == plan.candidate, pin?.bundle != current else { return false }
        return isExcluded
    }

    /// What the plan offers this device, the first choice first.
    private func offers(mustLeave: Bool) -> [Offer] {
        var offers: [Offer] = []
        if let pin, !isWithdrawn(pin.bundle) {
            offers.append(offer(pin.bundle, as: .pin, mustLeave: mustLeave))
            if !mustLeave { return offers }
        } else {
            offers.append(offer(plan.candidate, as: .candidate, mustLeave: mustLeave))
        }
        if let baseline = plan.baseline {
            offers.append(offer(baseline, as: .baseline, mustLeave: mustLeave))
        }
        if mustLeave, let idle = device.idle, device.committed.contains(idle) {
            offers.append(offer(idle, as: .previous, mustLeave: true))
        }
        return offers
    }

    /// Which way the device would move: back is what leaves a version that must not go on, and what
    /// returns to an older version that this device has committed before.
    private func offer(
        _ bundle: BundleReference, as role: Decision.Role, mustLeave: Bool
    ) -> Offer {
        guard let current = device.current else {
            return Offer(bundle: bundle, role: role, direction: .first)
        }
        let returns =
            bundle.version < current.version && device.committed.contains(bundle)
        let isBack = role != .candidate && (mustLeave || returns)
        return Offer(bundle: bundle, role: role, direction: isBack ? .back : .forward)
    }

    private func decision(_ offer: Offer) -> Decision {
        var decision: Decision
        switch offer.direction {
        case .first: decision = self.decision(.first(offer.bundle))
        case .forward: decision = self.decision(.forward(offer.bundle))
        case .back: decision = self.decision(.back(offer.bundle))
        }
        decision.role = offer.role
        let own = listing.policies(of: offer.bundle, model: device.model).first
        decision.download = (offer.role == .candidate ? policy : own)?.download
        let stages = policy?.stages.count ?? 0
        decision.waitsForBeacon =
            offer.role == .candidate && plan.state != .completed && plan.stages.count < stages
        decision.waitsUntil = nil
        return decision
    }

    private func decision(_ action: Decision.Action) -> Decision {
        var decision = Decision(action: action, trace: trace)
        decision.bucket =
            exposure?.bucket ?? Bucket(of: device.id, candidate: plan.candidate.sha256)
        decision.isPinned = pin != nil
        decision.waitsUntil = waitsUntil
        if pin == nil, !isExcluded, plan.state != .completed {
            decision.arm = exposure?.arm
            decision.stage = exposure?.stage
        }
        return decision
    }

    /// When every refusal ends by itself, the moment at which the last one does.
    private static func end(of steps: ArraySlice<Decision.Step>) -> UTCTime? {
        let refused = steps.filter(\.isRefused)
        let ends = refused.compactMap(\.until)
        return ends.count == refused.count ? ends.max() : nil
    }
}

extension Decision {
    /// A decision with no place in any rollout.
    init(action: Action, trace: [Step]) {
        self.action = action
        self.trace = trace
        isPinned = false
        waitsForBeacon = false
        refusals = trace.filter(\.isRefused).reduce(into: []) { reasons, step in
            if !reasons.contains(step.rule) { reasons.append(step.rule) }
        }
    }
}
