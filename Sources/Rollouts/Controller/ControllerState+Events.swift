import Primitives

extension ControllerState {
    /// Answers one event: changes the state, and says what was decided.
    ///
    /// Every event has an answer in every state. Nothing here widens what the policy allows: a stage
    /// begins only when its least soak and the policy's own schedule allow it, whatever the gate or a
    /// person says. Rolling back is possible in every state but before the start.
    package mutating func handle(_ event: ControllerEvent, _ facts: ControllerFacts) -> Step {
        let before = plan
        var step = Step()
        switch event {
        case .tick: tick(facts, &step)
        case .verdict(let verdict): take(verdict, facts, &step)
        case .order(let order, let by, let reason):
            do { try follow(order, by, reason, facts, &step) } catch { step.refusal = error }
        }
        step.publishes = isStarted && plan != before
        return step
    }

    // MARK: Verdicts

    private mutating func take(
        _ verdict: ControllerEvent.Verdict, _ facts: ControllerFacts, _ step: inout Step
    ) {
        guard isStarted, plan.state != .rolledBack, plan.state != .completed,
            frozenFrom != .completed
        else { return }
        lastVerdict = facts.now
        let fleet = verdict.fleet
        if fleet.call == .rollback {
            rollBack(DecisionRecord.gate, fleet.evidence, fleet.metric, facts.now, &step)
            return
        }
        for item in verdict.segments { take(item, facts, &step) }
        guard plan.state != .rolledBack else { return }
        switch fleet.call {
        case .rollback, .wait: setReady(false)
        case .pause: pause(DecisionRecord.gate, fleet.evidence, fleet.metric, facts.now, &step)
        case .promote, .promoteUnproven:
            guard plan.state == .running else { return }
            let wasReady = isReady
            setReady(true, isUnproven: fleet.call == .promoteUnproven)
            lead(on: fleet.evidence, isNews: !wasReady, facts, &step)
        }
    }

    /// A segment that its own tests speak against is excluded or paused, where the policy allows that.
    private mutating func take(
        _ item: ControllerEvent.SegmentFinding, _ facts: ControllerFacts, _ step: inout Step
    ) {
        let (segment, finding) = (item.segment, item.finding)
        guard !plan.excluded.contains(segment), plan.state != .rolledBack else { return }
        switch finding.call {
        case .rollback
        where policy.excludable.contains(segment.kind) && plan.excluded.count < Plan.mostSegments:
            plan.excluded.append(segment)
            gateExcluded[segment] = .some(finding.metric)
            record(
                .excluded, DecisionRecord.gate, finding.evidence, facts.now, segment: segment,
                metric: finding.metric, &step)
        case .rollback:
            pause(
                DecisionRecord.gate,
                "\(segment) cannot be excluded by its policy: "
                    + finding.evidence, finding.metric, facts.now, &step)
        case .pause
        where !plan.paused.contains(segment) && plan.paused.count < Plan.mostSegments:
            plan.paused.append(segment)
            gatePaused[segment] = .some(finding.metric)
            record(
                .segmentPaused, DecisionRecord.gate, finding.evidence, facts.now,
                segment: segment, metric: finding.metric, &step)
        case .pause, .promote, .promoteUnproven, .wait: return
        }
        if !plan.excluded.isEmpty, plan.state != .rolledBack { pauseEverywhere(facts, &step) }
    }

    /// Two cohorts rolled back, or one with another paused on the same metric, pause the release
    /// (docs/gate.md).
    private mutating func pauseEverywhere(_ facts: ControllerFacts, _ step: inout Step) {
        let excluded = gateExcluded.filter { $0.key.kind == .cohort }
        let paused = gatePaused.filter { pause in
            pause.key.kind == .cohort && excluded[pause.key] == nil
        }
        let isShared = excluded.contains { item in
            item.value != nil && paused.contains { $0.value == item.value }
        }
        guard excluded.count >= 2 || isShared else { return }
        let names =
            (excluded.keys.map(\.description) + (isShared ? paused.keys.map(\.description) : []))
            .sorted().joined(separator: "; ")
        pause(
            DecisionRecord.gate, "several cohorts are worse off: \(names)", nil, facts.now, &step)
    }

    /// The gate promotes: into the next stage, to completion, or to what is still waited for.
    private mutating func lead(
        on evidence: String, isNews: Bool, _ facts: ControllerFacts, _ step: inout Step
    ) {
        do { try checkNext(facts, isOrdered: false) } catch {
            step.refusal = error
            if isNews {
                record(
                    .ready, DecisionRecord.gate, "\(evidence); waits: \(error)", facts.now, &step)
            }
            return
        }
        advance(DecisionRecord.gate, evidence, facts, &step)
    }

    // MARK: Time

    private mutating func tick(_ facts: ControllerFacts, _ step: inout Step) {
        let now = facts.now
        let live = plan.pins.filter { now < $0.expires }
        if live.count != plan.pins.count {
            plan.pins = live
            record(.pinsChanged, DecisionRecord.controller, "pins have expired", now, &step)
        }
        guard isStarted, plan.state == .running else { return }
        if now > policy.notAfter {
            pause(DecisionRecord.controller, "not_after has passed", nil, now, &step)
            return
        }
        if isReady {
            lead(on: "the gate has promoted", isNews: false, facts, &step)
        } else if let overdue, now > overdue {
            pause(
                DecisionRecord.controller,
                "no verdict to promote by \(overdue): no data never counts as good", nil, now,
                &step)
        }
        raiseShares(facts, &step)
    }

    /// When a stage without a verdict to promote has lasted too long: its most soak, and two more looks.
    private var overdue: UTCTime? {
        guard let stage, let begun = plan.stages.last else { return nil }
        return begun.began + stage.mostSoak + 2 * policy.gateInterval
    }

    /// Raises the shares, of the hold-back and of the current stage, where new devices left a cohort
    /// without its least number.
    private mutating func raiseShares(_ facts: ControllerFacts, _ step: inout Step) {
        guard plan.state == .running, let index = plan.currentStage else { return }
        let held = plan.fitting(raisedHoldBack(facts), into: plan.holdBack)
        plan.holdBack.merge(held) { _, new in new }
        let shares = shares(ofStage: index, facts).filter { cohort, share in
            share > (plan.stages[index].shares[cohort] ?? policy.stages[index].quota.share)
        }
        let raised = plan.fitting(shares, into: plan.stages[index].shares)
        guard !raised.isEmpty || !held.isEmpty else { return }
        plan.stages[index].shares.merge(raised) { _, new in new }
        func text(_ name: String, _ shares: [Cohort: BasisPoints]) -> [String] {
            shares.sorted { $0.key < $1.key }.map { "\(name) \($0.key) \($0.value)" }
        }
        let all = text("stage", raised) + text("hold-back", held)
        record(
            .sharesRaised, DecisionRecord.controller, all.joined(separator: ", "), facts.now, &step)
    }

    /// Hold-back shares that may rise: only over buckets that no stage has reached.
    private func raisedHoldBack(_ facts: ControllerFacts) -> [Cohort: BasisPoints] {
        let begun = zip(plan.stages, policy.stages)
        return ShareChoice.holdBack(policy, census: facts.census).filter { cohort, share in
            let reached = begun.map { $0.shares[cohort] ?? $1.quota.share }.max() ?? .none
            return share > (plan.holdBack[cohort] ?? policy.holdBack.share)
                && reached.value <= Bucket.count - share.value
        }
    }
}
