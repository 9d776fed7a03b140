import Primitives

extension ControllerState {
    /// Whether the next stage may begin, or the last one end.
    func checkNext(_ facts: ControllerFacts, isOrdered: Bool) throws(OrderRefusal) {
        guard let index = plan.currentStage, let begun = plan.stages.last else { throw .notStarted }
        let soaked = begun.began + policy.stages[index].leastSoak
        guard facts.now >= soaked else { throw .soakNotOver(until: soaked) }
        let earliest = policy.earliest(ofStage: index + 1)
        guard facts.now >= earliest else { throw .scheduleNotReached(until: earliest) }
        guard index + 1 < policy.stages.count else { return }
        guard facts.now <= policy.notAfter else { throw .afterNotAfter(policy.notAfter) }
        try checkEntry(policy.stages[index + 1], facts, isOrdered: isOrdered)
    }

    /// Whether a stage may be entered, by its `promote`.
    func checkEntry(
        _ stage: Stage, _ facts: ControllerFacts, isOrdered: Bool
    ) throws(OrderRefusal) {
        switch stage.promote {
        case .auto: return
        case .manual: guard isOrdered else { throw .operatorNeeded(stage: stage.name) }
        case .signed:
            let approval = Approval(
                model: plan.model, policy: plan.policy.sha256, stage: stage.name)
            guard facts.approvals.contains(approval) else {
                throw .approvalMissing(stage: stage.name)
            }
        }
    }

    /// Begins the next stage, or completes the rollout; `checkNext` has allowed it.
    mutating func advance(
        _ by: String, _ evidence: String, _ facts: ControllerFacts, _ step: inout Step
    ) {
        let isUnproven = isReadyUnproven || !isReady
        if let index = plan.currentStage, isUnproven { unprovenStages.append(index) }
        let isLast = plan.stages.count == policy.stages.count
        if isLast {
            plan.state = .completed
        } else {
            begin(stage: plan.stages.count, facts)
        }
        setReady(false)
        record(
            isLast ? .completed : .advanced, by, evidence, facts.now, isUnproven: isUnproven, &step)
    }

    /// Adds a stage to the plan with its shares.
    mutating func begin(stage index: Int, _ facts: ControllerFacts) {
        let shares = plan.fitting(shares(ofStage: index, facts), into: [:])
        plan.stages.append(Plan.BegunStage(began: facts.now, shares: shares))
        lastVerdict = nil
    }

    func shares(ofStage index: Int, _ facts: ControllerFacts) -> [Cohort: BasisPoints] {
        let holdBack = plan.holdBack
        let begun = plan.stages.prefix(index)
        return ShareChoice.shares(
            of: policy.stages[index], census: facts.census,
            holdBack: { holdBack[$0] ?? policy.holdBack.share },
            before: { cohort in
                zip(begun, policy.stages).map { $0.shares[cohort] ?? $1.quota.share }.max() ?? .none
            })
    }

    mutating func setReady(_ isReady: Bool, isUnproven: Bool = false) {
        self.isReady = isReady
        isReadyUnproven = isReady && isUnproven
    }

    /// Exposes nobody new; under a freeze, once that ends.
    mutating func pause(
        _ by: String, _ evidence: String, _ metric: Metric?, _ now: UTCTime, _ step: inout Step
    ) {
        setReady(false)
        switch plan.state {
        case .running: plan.state = .paused
        case .frozen where frozenFrom == .running: frozenFrom = .paused
        case .paused, .completed, .rolledBack, .frozen: return
        }
        record(.paused, by, evidence, now, metric: metric, &step)
    }

    /// Withdraws the candidate; everyone goes back to the baseline.
    mutating func rollBack(
        _ by: String, _ evidence: String, _ metric: Metric?, _ now: UTCTime, _ step: inout Step
    ) {
        guard plan.state != .rolledBack else { return }
        setReady(false)
        frozenFrom = nil
        plan.state = .rolledBack
        let candidate = plan.candidate
        let kept = plan.withdrawn.filter { $0.sha256 != candidate.sha256 }
        plan.withdrawn =
            kept.suffix(Plan.mostWithdrawn - 1)
            + [Withdrawal(version: candidate.version, sha256: candidate.sha256, at: now)]
        record(.rolledBack, by, evidence, now, metric: metric, &step)
    }

    mutating func record(
        _ kind: DecisionRecord.Kind, _ by: String, _ evidence: String, _ now: UTCTime,
        isUnproven: Bool = false, segment: Segment? = nil, metric: Metric? = nil,
        _ step: inout Step
    ) {
        sequence += 1
        step.records.append(
            DecisionRecord(
                sequence: sequence, at: now, kind: kind, by: by, state: plan.state,
                stage: plan.currentStage, isUnproven: isUnproven, segment: segment, metric: metric,
                evidence: String(evidence.unicodeScalars.prefix(DecisionRecord.longestEvidence / 4))
            ))
    }
}
