import Primitives
import Rollouts
import Telemetry

/// The steps that several transitions share. Each sets the next state and gives the effects.
extension MachineState {
    /// Answers a poll at rest: stays, goes back without a download, or begins an attempt.
    mutating func choose(
        _ outcome: PollOutcome, since: RestingState, _ rules: MachineRules, _ now: UTCTime
    ) -> [AgentEffect] {
        state = .resting(since)
        guard case .run(let release) = outcome.wish, mayBegin(release, outcome, rules, now) else {
            return [.save]
        }
        if release.direction == .back, slots.idleBundle == release.bundle,
            let active = slots.active, let from = slots.activeBundle
        {
            return retreat(from: from, to: active.other, .withdrawn, outcome.trace, rules, now)
        }
        return begin(release, trace: outcome.trace, rules, now)
    }

    private func mayBegin(
        _ release: Release, _ outcome: PollOutcome, _ rules: MachineRules, _ now: UTCTime
    ) -> Bool {
        if release.bundle == slots.activeBundle { return false }
        if isHeld, release.direction == .forward, slots.activeBundle != nil { return false }
        let refusal = trials.refusal(
            of: release.bundle, at: now, isQuiet: outcome.isQuiet, rules: rules)
        return refusal == nil
    }

    /// Begins an attempt in the slot that is not active; what that slot holds is given up with the save.
    mutating func begin(
        _ release: Release, trace: TraceID, _ rules: MachineRules, _ now: UTCTime
    ) -> [AgentEffect] {
        let slot = slots.staging
        slots.contents[slot] = nil
        state = .downloading(
            Attempt(
                release: release, slot: slot, previous: slots.active, trace: trace,
                deadline: now + rules.downloadingSeconds, tries: 1))
        return [.save, .stage(slot, after: 0)]
    }

    /// A download broke off: it goes on after a pause, until it has been begun too often without any progress.
    mutating func stageAgain(
        _ attempt: Attempt, _ trouble: PassingTrouble, held: Int64, retryAfter: Int64?, tries: Int,
        _ rules: MachineRules, _ now: UTCTime
    ) -> [AgentEffect] {
        var attempt = attempt.holding(held)
        guard attempt.tries < tries else {
            return retreat(attempt, .failed(trouble), rules, now)
        }
        let asked = min(retryAfter ?? 0, rules.longestRest)
        let pause = max(rules.pause(beforeTry: attempt.tries), asked)
        attempt.tries += 1
        state = .downloading(attempt)
        return [.save, .stage(attempt.slot, after: pause)]
    }

    /// Answers a poll before the swap: goes on, on the newest terms, or gives the attempt up.
    mutating func reconsider(
        _ attempt: Attempt, _ outcome: PollOutcome, _ rules: MachineRules, _ now: UTCTime,
        then effects: [AgentEffect] = []
    ) -> [AgentEffect] {
        guard case .run(let release) = outcome.wish, release.bundle == attempt.release.bundle else {
            return retreat(attempt, .withdrawn, rules, now)
        }
        guard release != attempt.release else { return effects }
        var renewed = attempt
        renewed.release = release
        if case .announcing = state, !release.needsBeacon { return swap(renewed, [], rules, now) }
        state.updateAttempt { $0 = renewed }
        return [.save] + effects
    }

    /// Answers a poll in probation: going back ends it at once.
    ///
    /// A way forward waits until the version under watch is committed: to abandon it for the next one would take the
    /// device back to the version before, which the next one may not replace, and then here again.
    mutating func supervise(
        _ attempt: Attempt, _ outcome: PollOutcome, _ rules: MachineRules, _ now: UTCTime
    ) -> [AgentEffect] {
        guard case .run(let release) = outcome.wish, release.bundle != attempt.release.bundle,
            release.direction == .back,
            trials.refusal(of: release.bundle, at: now, isQuiet: outcome.isQuiet, rules: rules)
                == nil
        else { return [] }
        // With nothing to go back to it serves until the other bundle is there.
        guard attempt.previous != nil else {
            return begin(release, trace: outcome.trace, rules, now)
        }
        return retreat(attempt, .withdrawn, rules, now)
    }

    /// After a passed smoke test: the beacon, with which a device's exposure begins, and the swap; in every stage but
    /// the last only once the registry has heard the beacon.
    mutating func passed(
        _ attempt: Attempt, _ notices: [AgentEffect], _ rules: MachineRules, _ now: UTCTime
    ) -> [AgentEffect] {
        guard attempt.release.direction == .forward else {
            return swap(attempt, notices, rules, now)
        }
        let notices = notices + [report(.beacon, attempt)]
        guard attempt.release.needsBeacon else {
            return swap(attempt, notices, rules, now) + [.flush]
        }
        state = .announcing(attempt.entering(until: now + rules.announcingSeconds))
        return [.save] + notices + [.flush]
    }

    mutating func swap(
        _ attempt: Attempt, _ notices: [AgentEffect], _ rules: MachineRules, _ now: UTCTime
    ) -> [AgentEffect] {
        state = .swapping(attempt.entering(until: now + rules.swappingSeconds))
        return [.save] + notices + [.activate(attempt.slot)]
    }

    mutating func activated(_ attempt: Attempt, _ now: UTCTime) -> [AgentEffect] {
        let release = attempt.release
        slots.active = attempt.slot
        if release.direction == .forward, release.isPlanDriven, attempt.previous != nil {
            lastForwardSwap = now
        }
        let notice = report(.swapped, attempt)
        guard release.direction == .forward, let terms = release.probation else {
            return commit(attempt, [notice]) + [.announce]
        }
        state = .probation(attempt.entering(until: now + terms.deadlineSeconds))
        return [.save, notice, .announce]
    }

    mutating func commit(_ attempt: Attempt, _ notices: [AgentEffect] = []) -> [AgentEffect] {
        let release = attempt.release
        remember(committed: release.bundle)
        trials.lift(release.bundle)
        if let floor = release.rollbackFloor { rollbackFloor = max(rollbackFloor ?? floor, floor) }
        state = .resting(.committed)
        return [.save] + notices + [report(.committed, attempt)]
    }

    /// Ends an attempt: back to the slot that was active when it began, and remember why.
    mutating func retreat(
        _ attempt: Attempt, _ cause: RetreatCause, _ rules: MachineRules, _ now: UTCTime,
        reporting notices: [AgentEffect] = []
    ) -> [AgentEffect] {
        retreat(
            from: attempt.release.bundle, to: attempt.previous, cause, attempt.trace, rules, now,
            reporting: notices)
    }

    mutating func retreat(
        from bundle: BundleReference, to slot: Slot?, _ cause: RetreatCause, _ trace: TraceID?,
        _ rules: MachineRules, _ now: UTCTime, reporting notices: [AgentEffect] = []
    ) -> [AgentEffect] {
        if case .attempting = state { finishTest(of: bundle, now) }
        switch cause {
        case .rejected(let reason):
            trials.update(bundle, at: now) { $0.rejection = reason }
        case .failed(let trouble):
            trials.update(bundle, at: now) { $0.note(trouble) }
        case .withdrawn, .held: break
        }
        let word: Notice = isBeforeSwap ? .abandoning(cause) : .retreating(cause)
        let notice = AgentEffect.report(word, bundle, trace)
        let deadline = now + rules.rollingBackSeconds
        state = .rollingBack(
            Retreat(from: bundle, to: slot, cause: cause, trace: trace, deadline: deadline))
        return [.save] + notices + [notice, .cancel, .activate(slot)]
    }

    /// Comes to rest: only a bundle that failed is gone on with, and keeps what has come of it.
    mutating func rest(_ outcome: RestingState) -> [AgentEffect] {
        state = .resting(outcome)
        return outcome == .failed ? [] : [.discard(slots.staging)]
    }

    /// The slot to go back to is active.
    mutating func wentBack(_ retreat: Retreat) -> [AgentEffect] {
        let moved = slots.active != retreat.to
        slots.active = retreat.to
        let notice = AgentEffect.report(.retreated(retreat.cause), retreat.from, retreat.trace)
        // Going back looked at lengths only, to take milliseconds.
        let check = moved ? retreat.to.map { [AgentEffect.verify($0)] } ?? [] : []
        return [.save, notice] + (moved ? [.announce] : []) + check + rest(retreat.cause.outcome)
    }

    /// The slot to go back to cannot be had: the device keeps what is active, and the next poll repairs.
    mutating func stranded(_ retreat: Retreat) -> [AgentEffect] {
        // A slot that was active all the while has lost nothing.
        if let slot = retreat.to, slot != slots.active { slots.contents[slot] = nil }
        let notice = AgentEffect.report(.stranded(retreat.cause), retreat.from, retreat.trace)
        return [.save, notice] + rest(retreat.cause.outcome)
    }

    /// A slot does not verify: what it held is not counted on any more.
    ///
    /// A damaged active slot is left for the other one where that is whole; otherwise it goes on serving until
    /// the next poll has brought the bundle into the other slot.
    mutating func damaged(
        _ slot: Slot, _ rules: MachineRules, _ now: UTCTime
    ) -> [AgentEffect] {
        guard let bundle = slots.contents[slot] else { return [] }
        lose(slot)
        if let attempt = state.attempt, attempt.slot == slot {
            return retreat(attempt, .failed(.fileSystem), rules, now)
        }
        guard slot == slots.active, state.attempt == nil, let back = slots.contents[slot.other],
            isFit(back)
        else { return [.save] }
        if case .rollingBack = state { return [.save] }
        return leave(bundle, in: slot, rules, now)
    }

    /// Goes back from an active slot that is damaged to the other one, which is not.
    mutating func leave(
        _ bundle: BundleReference, in slot: Slot, _ rules: MachineRules, _ now: UTCTime
    ) -> [AgentEffect] {
        retreat(from: bundle, to: slot.other, .failed(.fileSystem), nil, rules, now)
    }

    /// A slot does not hold its bundle any more; an attempt beside it goes on, and then has no way back.
    mutating func lose(_ slot: Slot) {
        if isBeforeSwap, slot == slots.active, let bundle = slots.contents[slot] {
            state.updateAttempt { $0.lost = bundle }
        }
        slots.contents[slot] = nil
    }

    /// The end of a smoke test was seen.
    mutating func finishTest(of bundle: BundleReference, _ now: UTCTime) {
        trials.update(bundle, at: now) { $0.unfinished = max(0, $0.unfinished - 1) }
    }

    /// Whether an operator may have the device go back to a bundle.
    func isFit(_ bundle: BundleReference) -> Bool {
        guard trials[bundle]?.rejection == nil else { return false }
        return rollbackFloor.map { bundle.version >= $0 } ?? true
    }

    /// Whether the attempt under way has not moved the `current` link yet.
    var isBeforeSwap: Bool {
        switch state {
        case .downloading, .verified, .attempting, .announcing: true
        case .resting, .checking, .swapping, .probation, .rollingBack: false
        }
    }

    /// The bundle that this device runs, or that the attempt under way replaces although it is damaged.
    var runningBundle: BundleReference? {
        slots.activeBundle ?? (isBeforeSwap ? state.attempt?.lost : nil)
    }

    func report(_ notice: Notice, _ attempt: Attempt?) -> AgentEffect {
        .report(notice, attempt?.release.bundle, attempt?.trace)
    }
}

extension Attempt {
    /// The same attempt at the start of another state.
    func entering(until deadline: UTCTime) -> Attempt {
        var attempt = self
        attempt.deadline = deadline
        attempt.tries = 0
        attempt.held = 0
        return attempt
    }

    /// The same attempt with so many bytes in its slot: more than ever is progress, and no loop.
    func holding(_ bytes: Int64) -> Attempt {
        guard bytes > held else { return self }
        var attempt = self
        attempt.held = bytes
        attempt.tries = 0
        return attempt
    }
}
