package import Primitives
import Rollouts
import Speech

/// The agent's state machine: (state, event) to next state and effects; no I/O, no clock.
///
/// Every event has an answer in every state (fixtures/agent/transitions.txt lists them).
/// What always holds: nothing is staged into the active slot, nor into the slot that a swap may still have
/// to go back to; an attempt is counted before it starts; and every state but rest has a deadline.
package struct AgentMachine: Sendable, Hashable {
    package private(set) var memory: MachineState
    package let rules: MachineRules

    package init(_ memory: MachineState = MachineState(), rules: MachineRules = MachineRules()) {
        self.memory = memory
        self.rules = rules
    }

    package var state: AgentState { memory.state }

    /// The clock was set: a deadline stays as far away as it was, and what has happened was not in the future.
    package mutating func clockStepped(by seconds: Int64, to now: UTCTime) {
        memory.state.shiftDeadline(by: seconds)
        memory.trials.clockStepped(to: now)
        memory.lastForwardSwap = memory.lastForwardSwap.map { min($0, now) }
    }

    /// Moves to the next state, and says what to do about it.
    package mutating func handle(_ event: AgentEvent, at now: UTCTime) -> [AgentEffect] {
        if case .polled(let outcome) = event {
            for bundle in outcome.lifted { memory.trials.lift(bundle) }
        }
        switch event {
        case .ordered(let order): return handle(order, at: now)
        case .deadlinePassed: return pastDeadline(at: now)
        case .stopping: return stop(at: now)
        case .damaged(let slot): return memory.damaged(slot, rules, now)
        default: break
        }
        switch state {
        case .resting(let since): return rest(since, event, now)
        case .checking(let since, _): return check(since, event, now)
        case .downloading(let attempt): return download(attempt, event, now)
        case .verified(let attempt): return verified(attempt, event, now)
        case .attempting(let attempt): return test(attempt, event, now)
        case .announcing(let attempt): return announce(attempt, event, now)
        case .swapping(let attempt): return swap(attempt, event, now)
        case .probation(let attempt): return watch(attempt, event, now)
        case .rollingBack(let retreat): return goBack(retreat, event, now)
        }
    }

    // MARK: State by state

    private mutating func rest(
        _ since: RestingState, _ event: AgentEvent, _ now: UTCTime
    ) -> [AgentEffect] {
        switch event {
        case .pollDue:
            // Not journaled: after a restart it is rest again, and a poll that finds nothing new writes nothing.
            memory.state = .checking(since: since, deadline: now + rules.checkingSeconds)
            return [.poll]
        case .polled(let outcome): return memory.choose(outcome, since: since, rules, now)
        default: return []
        }
    }

    private mutating func check(
        _ since: RestingState, _ event: AgentEvent, _ now: UTCTime
    ) -> [AgentEffect] {
        switch event {
        case .polled(let outcome): return memory.choose(outcome, since: since, rules, now)
        case .pollFailed:
            memory.state = .resting(since)
            return []
        default: return []
        }
    }

    private mutating func download(
        _ attempt: Attempt, _ event: AgentEvent, _ now: UTCTime
    ) -> [AgentEffect] {
        switch event {
        case .pollDue: return [.poll]
        case .polled(let outcome): return memory.reconsider(attempt, outcome, rules, now)
        case .staged:
            memory.slots.contents[attempt.slot] = attempt.release.bundle
            memory.state = .verified(attempt.entering(until: now + rules.verifiedSeconds))
            let wayBack = attempt.previous.map { [AgentEffect.verify($0)] } ?? []
            return [.save, memory.report(.verified, attempt)] + wayBack + [.consider]
        case .stagingFailed(.again(let trouble, let held, let retryAfter, let retries)):
            return memory.stageAgain(
                attempt, trouble, held: held, retryAfter: retryAfter,
                tries: retries.map { $0 + 1 } ?? rules.mostTries, rules, now)
        case .stagingFailed(.final(let trouble)):
            return memory.retreat(attempt, .failed(trouble), rules, now)
        default: return []
        }
    }

    private mutating func verified(
        _ attempt: Attempt, _ event: AgentEvent, _ now: UTCTime
    ) -> [AgentEffect] {
        switch event {
        case .pollDue: return [.poll]
        case .polled(let outcome):
            return memory.reconsider(attempt, outcome, rules, now, then: [.consider])
        case .proceed:
            memory.trials.update(attempt.release.bundle, at: now) {
                $0.attempts += 1
                $0.unfinished += 1
            }
            memory.state = .attempting(attempt.entering(until: now + rules.attemptingSeconds))
            return [.save, memory.report(.attempt, attempt), .flush, .probe(attempt.slot)]
        default: return []
        }
    }

    private mutating func test(
        _ attempt: Attempt, _ event: AgentEvent, _ now: UTCTime
    ) -> [AgentEffect] {
        switch event {
        case .pollDue: return [.poll]
        case .polled(let outcome): return memory.reconsider(attempt, outcome, rules, now)
        case .probed(.passed(let measurement)):
            memory.finishTest(of: attempt.release.bundle, now)
            return memory.passed(
                attempt, [memory.report(.smokePassed(measurement), attempt)], rules, now)
        case .probed(.failed(let failure, let measurement)):
            memory.finishTest(of: attempt.release.bundle, now)
            let cause: RetreatCause =
                failure.isLasting
                ? .rejected(.smoke(failure.reason)) : .failed(.smoke(failure.reason))
            let notice = memory.report(.smokeFailed(failure, measurement), attempt)
            return memory.retreat(attempt, cause, rules, now, reporting: [notice])
        case .probeFailed:
            memory.finishTest(of: attempt.release.bundle, now)
            return memory.retreat(attempt, .failed(.noSmokeTest), rules, now)
        default: return []
        }
    }

    private mutating func announce(
        _ attempt: Attempt, _ event: AgentEvent, _ now: UTCTime
    ) -> [AgentEffect] {
        switch event {
        case .pollDue: return [.poll, .flush]
        case .polled(let outcome): return memory.reconsider(attempt, outcome, rules, now)
        case .beaconAcknowledged: return memory.swap(attempt, [], rules, now)
        default: return []
        }
    }

    private mutating func swap(
        _ attempt: Attempt, _ event: AgentEvent, _ now: UTCTime
    ) -> [AgentEffect] {
        switch event {
        case .activated: return memory.activated(attempt, now)
        case .activationFailed: return memory.retreat(attempt, .failed(.activation), rules, now)
        default: return []
        }
    }

    private mutating func watch(
        _ attempt: Attempt, _ event: AgentEvent, _ now: UTCTime
    ) -> [AgentEffect] {
        switch event {
        case .pollDue: return [.poll]
        case .polled(let outcome): return memory.supervise(attempt, outcome, rules, now)
        case .judged(.commit): return memory.commit(attempt)
        case .judged(.fall(let fall)):
            return memory.retreat(attempt, .rejected(.probation(fall)), rules, now)
        default: return []
        }
    }

    private mutating func goBack(
        _ retreat: Retreat, _ event: AgentEvent, _ now: UTCTime
    ) -> [AgentEffect] {
        switch event {
        case .pollDue: return [.poll]
        case .activated: return memory.wentBack(retreat)
        // What the disk refuses now it may allow in a moment: the link is tried again until the deadline.
        case .activationFailed(let isLasting): return isLasting ? memory.stranded(retreat) : []
        default: return []
        }
    }

    // MARK: Orders, deadlines, the end

    private mutating func handle(_ order: LocalOrder, at now: UTCTime) -> [AgentEffect] {
        switch order {
        case .hold:
            memory.isHeld = true
            let notice = memory.report(.held, state.attempt)
            // A device without a model takes its first one all the same.
            guard let attempt = state.attempt, memory.isBeforeSwap, attempt.previous != nil,
                attempt.release.direction == .forward
            else { return [.save, notice] }
            return memory.retreat(attempt, .held, rules, now, reporting: [notice])
        case .unhold:
            memory.isHeld = false
            memory.trials.forgetOrders()
            return [.save, memory.report(.unheld, state.attempt)]
        case .rollback: return rollBackAsOrdered(now)
        }
    }

    private mutating func rollBackAsOrdered(_ now: UTCTime) -> [AgentEffect] {
        if let attempt = state.attempt {
            return memory.retreat(attempt, .rejected(.ordered), rules, now)
        }
        if case .rollingBack = state { return [] }
        guard let from = memory.slots.activeBundle, let active = memory.slots.active,
            let back = memory.slots.idleBundle, memory.isFit(back)
        else { return [.report(.refusedOrder(.rollback), memory.slots.activeBundle, nil)] }
        return memory.retreat(from: from, to: active.other, .rejected(.ordered), nil, rules, now)
    }

    private mutating func pastDeadline(at now: UTCTime) -> [AgentEffect] {
        guard let deadline = state.deadline, now >= deadline else { return [] }
        switch state {
        case .resting: return []
        case .checking(let since, _):
            memory.state = .resting(since)
            return [.cancel]
        case .downloading(let attempt), .verified(let attempt), .attempting(let attempt):
            return memory.retreat(attempt, .failed(.deadline), rules, now)
        case .announcing(let attempt):
            return memory.retreat(attempt, .failed(.unreachable), rules, now)
        case .swapping(let attempt):
            return memory.retreat(attempt, .failed(.activation), rules, now)
        case .probation(let attempt): return memory.commit(attempt)
        case .rollingBack(let retreat): return memory.stranded(retreat)
        }
    }

    /// A test that ends because the agent ends is no unfinished one.
    private mutating func stop(at now: UTCTime) -> [AgentEffect] {
        guard case .attempting(let attempt) = state else { return [.cancel] }
        memory.finishTest(of: attempt.release.bundle, now)
        memory.state = .verified(attempt.entering(until: now + rules.verifiedSeconds))
        return [.save, .cancel]
    }

    // MARK: Starting

    /// Brings what the journal intended and what the disk holds together, after a start.
    ///
    /// Whatever the agent was killed in, the effects lead on from there; repeated kills in one state end it.
    package mutating func resume(from survey: SlotSurvey, at now: UTCTime) -> [AgentEffect] {
        memory.resume(from: survey, rules, now)
    }
}
