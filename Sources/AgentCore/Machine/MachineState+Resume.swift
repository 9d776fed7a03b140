import Primitives
import Rollouts

/// What the agent does first after a start: the journal says what was intended, the disk what is.
extension MachineState {
    mutating func resume(
        from survey: SlotSurvey, _ rules: MachineRules, _ now: UTCTime
    ) -> [AgentEffect] {
        let intended = slots.activeBundle
        for slot in Slot.allCases {
            switch survey.contents[slot] {
            case .whole(let found): slots.contents[slot] = found
            // It holds what the journal says, until a verification has found out.
            case .unreadable: break
            case .empty, .partial, .damaged: lose(slot)
            }
        }
        switch state {
        case .resting(let since), .checking(let since, _):
            // It was found damaged, and the agent was gone before it had journaled that.
            if let lost = intended, let active = slots.active, slots.contents[active] == nil,
                let back = slots.contents[active.other], isFit(back)
            {
                return leave(lost, in: active, rules, now)
            }
            return settle(since, survey)
        case .downloading(let saved):
            var attempt = saved.holding(survey.contents[saved.slot].heldBytes)
            guard again(&attempt, rules) else {
                return retreat(attempt, .failed(.restarts), rules, now)
            }
            state = .downloading(attempt)
            return [.save, .stage(attempt.slot, after: 0)]
        case .verified(var attempt):
            guard again(&attempt, rules), holds(attempt) else {
                return retreat(attempt, .failed(.restarts), rules, now)
            }
            state = .verified(attempt)
            return [.save, .consider]
        case .attempting(let attempt): return unfinished(attempt, rules, now)
        case .announcing(var attempt):
            guard again(&attempt, rules), holds(attempt) else {
                return retreat(attempt, .failed(.restarts), rules, now)
            }
            state = .announcing(attempt)
            return [.save, .flush]
        case .swapping(var attempt):
            guard again(&attempt, rules), holds(attempt) else {
                return retreat(attempt, .failed(.activation), rules, now)
            }
            state = .swapping(attempt)
            return [.save, .activate(attempt.slot)]
        case .probation(let attempt): return resumeProbation(attempt, rules, now)
        case .rollingBack(let retreat): return [.save, .cancel, .activate(retreat.to)]
        }
    }

    private func again(_ attempt: inout Attempt, _ rules: MachineRules) -> Bool {
        attempt.tries += 1
        return attempt.tries <= rules.mostTries
    }

    private func holds(_ attempt: Attempt) -> Bool {
        slots.contents[attempt.slot] == attempt.release.bundle
    }

    /// At rest: the intended slot is made active again, or what is active is taken over, or the other one.
    ///
    /// A journal that knows nothing takes no slot that is not active: perhaps its bundle was never tested. The next poll
    /// finds it there, whole, and tests it.
    private mutating func settle(
        _ since: RestingState, _ survey: SlotSurvey
    ) -> [AgentEffect] {
        let others = committed.isEmpty ? [] : Slot.allCases
        let candidates = [slots.active, survey.active].compactMap { $0 } + others
        let chosen = candidates.first { slot in slots.contents[slot].map(isFit) ?? false }
        // A bundle that is refused but whole still serves better than a damaged one.
        let fallback = candidates.first { slots.contents[$0] != nil }
        // What cannot be read now may be the model: the link stays.
        let unread = survey.active.flatMap { survey.contents[$0] == .unreadable ? $0 : nil }
        slots.active = chosen ?? fallback ?? unread
        // A journal that knows nothing takes what it finds active for committed.
        if committed.isEmpty, let bundle = slots.activeBundle { remember(committed: bundle) }
        let link: [AgentEffect] =
            survey.active == slots.active ? [] : [.activate(slots.active), .announce]
        return [.save] + link + rest(since)
    }

    private mutating func unfinished(
        _ attempt: Attempt, _ rules: MachineRules, _ now: UTCTime
    ) -> [AgentEffect] {
        let count = trials[attempt.release.bundle]?.unfinished ?? 1
        let cause: RetreatCause =
            count >= rules.mostUnfinished ? .rejected(.crashedTwice) : .failed(.noSmokeTest)
        // The count stands: only an end that was seen takes it back.
        state = .verified(attempt)
        return retreat(attempt, cause, rules, now)
    }

    private mutating func resumeProbation(
        _ attempt: Attempt, _ rules: MachineRules, _ now: UTCTime
    ) -> [AgentEffect] {
        guard holds(attempt) else { return retreat(attempt, .failed(.fileSystem), rules, now) }
        return [.save, .activate(attempt.slot)]
    }
}
