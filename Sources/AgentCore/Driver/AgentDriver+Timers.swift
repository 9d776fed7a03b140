import Health
package import Primitives
import Rollouts
package import Telemetry

extension AgentDriver {
    /// When the driver wants to be called again, at the latest.
    package var nextWake: UTCTime? {
        // While the journal cannot be written, all the rest waits for it.
        if journalError != nil { return timers.journal }
        return (timers.all + [machine.state.deadline].compactMap { $0 }).min()
    }

    /// Does what is due.
    package func tick(at clock: UTCTime) {
        let now = now(clock)
        if isDue(timers.journal, now) { drain(now) }
        guard journalError == nil else { return }
        if isDue(timers.opening, now) { timers.opening = nil }
        if isDue(timers.link, now) { restoreLink(now) }
        if let deadline = machine.state.deadline, now >= deadline {
            waiting.append(.deadlinePassed)
        }
        if isDue(timers.poll, now) {
            timers.poll = schedule.next(after: now, using: &random)
            waiting.append(.pollDue)
        }
        if isDue(timers.stage, now) { startStage(now) }
        if isDue(timers.conditions, now) { reviewStage(now) }
        if isDue(timers.consider, now) { consider(now) }
        if isDue(timers.verify, now) { verifySlots(now) }
        watchTime(now)
        drain(now)
        if isDue(timers.report, now) { reportFigures(now) }
        if isDue(timers.saveTurns, now) { saveTurns(now) }
        if isDue(timers.post, now) { post(now) }
    }

    /// Sets the clock's floor to the newest signed moment, and takes in that the clock was set, by that or by
    /// somebody: what was due in an hour still is.
    package func heed(_ clock: inout DeviceClock) {
        clock.setFloor(trust.timeFloor)
        let seconds = clock.takeStep()
        guard abs(seconds) >= 2 else { return }
        log(.notice, "the clock was set by \(seconds) seconds")
        timers.shift(by: seconds)
        retries.clockStepped(by: seconds)
        machine.clockStepped(by: seconds, to: clock.now)
        observation.clockStepped(by: seconds, to: clock.now)
        lastTurn = lastTurn.map { min($0, clock.now) }
        lastPoll = lastPoll.map { min($0, clock.now) }
    }

    private func isDue(_ moment: UTCTime?, _ now: UTCTime) -> Bool {
        moment.map { $0 <= now } ?? false
    }

    /// Probation also ends by time alone.
    private func watchTime(_ now: UTCTime) {
        guard case .probation = machine.state, let watch = observation.watch else { return }
        judged(watch.verdict(at: now))
    }

    func judged(_ verdict: ProbationVerdict?) {
        guard case .probation = machine.state else { return }
        switch verdict {
        case nil, .watching: break
        case .commit: waiting.append(.judged(.commit))
        case .rollBack(let code, _): waiting.append(.judged(.fall(ProbationFall(code))))
        }
    }

    private func verifySlots(_ now: UTCTime) {
        timers.verify = now + settings.verifyInterval
        guard !isUnderWay({ $0 == .verify }) else { return }
        for slot in Slot.allCases { verify(slot) }
    }

    func verify(_ slot: Slot) {
        guard let bundle = machine.memory.slots.contents[slot] else { return }
        order(.verify(slot, bundle), .verify)
    }

    // MARK: Turns and orders from the device

    /// Counts turns that the application tells of; a fall is acted on before the call returns.
    package func record(
        _ turns: [(version: SemanticVersion, turn: TurnRecord)], at clock: UTCTime
    ) {
        let now = now(clock)
        lastTurn = turns.isEmpty ? lastTurn : now
        for (version, turn) in turns {
            judged(observation.record(turn, of: version, at: now))
            drain(now)
        }
        noteUnsaved(now)
    }

    /// The application serves this version now.
    package func acknowledge(_ version: SemanticVersion, at clock: UTCTime) {
        guard observation.serving != version else { return }
        observation.acknowledged(version)
        noteUnsaved(now(clock))
        log(.info, "the application serves \(version)")
    }

    /// A process has leased under an application's name.
    ///
    /// One that comes in the place of another that is gone is the application's restart, also where the agent was started
    /// anew in between; after a boot of the device it is none.
    package func leased(
        by process: ApplicationProcess, at clock: UTCTime,
        isRunning: (ApplicationProcess) -> Bool
    ) {
        let last = applications.first { $0.application == process.application }
        guard last != process else { return }
        let now = now(clock)
        applications.removeAll { $0.application == process.application }
        applications.append(process)
        applications.removeFirst(max(0, applications.count - ApplicationProcess.limit))
        if let last, last.boot == process.boot, !isRunning(last) { restarted(now) }
        // At once: an agent that lives in the application goes with it.
        saveTurns(now)
    }

    private func restarted(_ now: UTCTime) {
        log(.warning, "the application's process came up again")
        judged(observation.restarted(at: now))
        drain(now)
    }

    /// Polls now, out of turn.
    package func check(at clock: UTCTime) {
        timers.endOpening(at: now(clock))
        handle(.pollDue, at: clock)
    }

    /// Ends in good order: what was counted is written, and a running test is not held against anybody.
    package func stop(at clock: UTCTime) {
        handle(.stopping, at: clock)
        saveTurns(now(clock))
    }

    private func noteUnsaved(_ now: UTCTime) {
        timers.saveTurns = timers.saveTurns ?? now + settings.turnSaveInterval
    }

    private func saveTurns(_ now: UTCTime) {
        timers.saveTurns = nil
        do { try write([]) } catch {
            log(.warning, "cannot write counted turns: \(error)")
            timers.saveTurns = now + settings.turnSaveInterval
        }
    }
}
