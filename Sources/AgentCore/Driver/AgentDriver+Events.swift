import Health
package import Primitives
import Rollouts
import Speech
import Telemetry

extension AgentDriver {
    /// Begins: what the agent was killed in leads on from there.
    ///
    /// Where the journal cannot be written, the device serves what it has, and begins when it can.
    ///
    /// - Throws: `.slots` where the slots cannot be looked at.
    package func start(at clock: UTCTime) throws(DriverError) {
        do { survey = try slots.survey() } catch { throw .slots(error) }
        drain(now(clock))
    }

    /// Tells the machine what happened, and does what it says.
    ///
    /// What cannot be journaled is not done: the event waits, and those after it.
    package func handle(_ event: AgentEvent, at clock: UTCTime) {
        waiting.append(event)
        drain(now(clock))
    }

    func drain(_ now: UTCTime) {
        if let survey {
            guard move(now, { resume(&$0, from: survey, now) }) else { return }
            self.survey = nil
            begun(now)
        }
        while let event = waiting.first {
            guard move(now, { $0.handle(event, at: now) }) else { return }
            waiting.removeFirst()
        }
    }

    /// Moves the machine, journals it, and performs its effects; false where the journal fails, and nothing has moved.
    private func move(
        _ now: UTCTime, _ step: (inout AgentMachine) -> [AgentEffect]
    ) -> Bool {
        let before = machine
        let oldObservation = observation
        let effects = step(&machine)
        do {
            try perform(effects, since: before, now)
            recovered()
            return true
        } catch {
            machine = before
            observation = oldObservation
            failed(error, now)
            return false
        }
    }

    private func resume(
        _ machine: inout AgentMachine, from survey: SlotSurvey, _ now: UTCTime
    ) -> [AgentEffect] {
        let effects = machine.resume(from: survey, at: now)
        let hasModel = machine.memory.slots.activeBundle != nil
        timers.opening = hasModel ? schedule.first(after: now, using: &random) : nil
        return effects
    }

    private func begun(_ now: UTCTime) {
        timers.poll = timers.opening ?? now
        // Devices that got power together report apart, from the first time on.
        timers.report = now + Int64.random(in: 1...max(1, settings.reportInterval), using: &random)
        timers.verify = now + 60
        if !isEnrolled { timers.post = timers.poll }
        log(.info, "started in state \(machine.state.name), \(activeWords)")
    }

    private func failed(_ error: JournalError, _ now: UTCTime) {
        if journalError == nil { log(.error, "cannot write the journal: \(error)") }
        journalError = error
        timers.journal = now + settings.journalRetry
    }

    private func recovered() {
        guard journalError != nil else { return }
        journalError = nil
        timers.journal = nil
        log(.notice, "the journal can be written again")
    }

    /// Performs effects in order; events that they cause wait behind the present one.
    private func perform(
        _ effects: [AgentEffect], since before: AgentMachine, _ now: UTCTime
    ) throws(JournalError) {
        if effects.contains(.save) { try save(effects, since: before, now) }
        logChange(since: before, effects)
        for effect in effects { perform(effect, now) }
    }

    private func perform(_ effect: AgentEffect, _ now: UTCTime) {
        switch effect {
        case .save, .report: break
        case .cancel: cancelSlotWork()
        case .poll: startPoll(now)
        case .stage(_, let seconds): dueStage(after: seconds, now)
        case .consider: timers.consider = now
        case .probe(let slot):
            order(.probe(slot, deviceClass: profile.attributes.deviceClass), .probe)
        case .flush: post(now)
        case .activate(let slot): activate(slot, now)
        case .verify(let slot): verify(slot)
        case .discard(let slot): order(.discard(slot), .discard)
        case .announce: orders.append(.announce(machine.memory.slots.activeBundle?.version))
        }
    }

    private func activate(_ slot: Slot?, _ now: UTCTime) {
        timers.link = nil
        do {
            try link(slot)
            linkError = nil
            waiting.append(.activated)
        } catch {
            if error != linkError {
                log(.error, "cannot activate \(slot.map { "slot \($0)" } ?? "no slot"): \(error)")
            }
            linkError = error
            timers.link = now + settings.linkRetry
            waiting.append(.activationFailed(isLasting: error.isOfSlot))
        }
    }

    /// Moves the link; where the file system fails, perhaps for want of room, once more with what the journal reserves.
    private func link(_ slot: Slot?) throws(SlotError) {
        do { try slots.activate(slot) } catch {
            guard case .system = error, journal.giveUpReserve() else { throw error }
            try slots.activate(slot)
        }
    }

    /// Has the link name what is meant to be active, or what the device goes back to, where an earlier try failed.
    func restoreLink(_ now: UTCTime) {
        timers.link = nil
        if case .rollingBack(let retreat) = machine.state { return activate(retreat.to, now) }
        let (slot, bundle) = (machine.memory.slots.active, machine.memory.slots.activeBundle)
        guard !machine.state.isSwitching, slot == nil || bundle != nil else { return }
        do {
            let isMoving = try slots.survey().active != slot
            try link(slot)
            guard isMoving else { return }
            log(.notice, "the link names \(slot.map { "slot \($0)" } ?? "no slot") again")
            orders.append(.announce(bundle?.version))
        } catch { timers.link = now + settings.linkRetry }
    }

    /// Brings the observation in line with the machine, and writes both with the reports, in one transaction.
    private func save(
        _ effects: [AgentEffect], since before: AgentMachine, _ now: UTCTime
    ) throws(JournalError) {
        let active = machine.memory.slots.activeBundle?.version
        let attempt = machine.state.attempt
        if active != before.memory.slots.activeBundle?.version || active != observation.version {
            let isWatched = if case .probation = machine.state { true } else { false }
            observation.switched(
                to: active, at: now, watching: isWatched ? attempt?.release.probation : nil,
                burnInTurns: isWatched ? attempt?.release.burnInTurns ?? 0 : 0)
        }
        let writer = reportWriter(now)
        var reports: [QueuedReport] = []
        for case .report(let notice, let bundle, let trace) in effects {
            let report = writer.report(notice, of: bundle, trace: trace, &observation)
            reports.append(contentsOf: report.map { [$0] } ?? [])
        }
        if case .probation = machine.state {} else { observation.stopWatching() }
        try write(reports)
        if !reports.isEmpty { timers.post = timers.post ?? now }
    }

    func write(_ reports: [QueuedReport]) throws(JournalError) {
        let state = JournalState(
            machine: machine.memory, trust: trust, observation: observation,
            attributes: profile.attributes, applications: applications)
        if state != saved || !reports.isEmpty {
            try journal.save(state, queueing: reports)
            saved = state
        }
        timers.saveTurns = nil
    }

    // MARK: Log

    func log(_ level: LogLevel, _ text: String) { orders.append(.log(level, text)) }

    private var activeWords: String {
        machine.memory.slots.activeBundle.map { "version \($0.version) is active" }
            ?? "no version is active"
    }

    private func logChange(since before: AgentMachine, _ effects: [AgentEffect]) {
        for case .report(let notice, let bundle, _) in effects {
            let subject = bundle.map { " \($0.version)" } ?? ""
            log(notice.level, "\(notice.words)\(subject)")
        }
        guard before.state.name != machine.state.name else { return }
        let level: LogLevel = machine.state.isPolling || before.state.isPolling ? .debug : .info
        log(level, "state \(before.state.name) -> \(machine.state.name)")
    }
}

extension AgentState {
    /// Whether it moves the `current` link itself, and answers for it.
    var isSwitching: Bool {
        switch self {
        case .swapping, .rollingBack: true
        case .resting, .checking, .downloading, .verified, .attempting, .announcing, .probation:
            false
        }
    }

    var isPolling: Bool { if case .checking = self { true } else { false } }
}

extension Notice {
    var level: LogLevel {
        switch self {
        case .retreating, .abandoning, .smokeFailed, .stranded, .refusedOrder: .warning
        default: .info
        }
    }

    /// The notice in the words of the log.
    var words: String {
        switch self {
        case .verified: "downloaded and verified"
        case .attempt: "smoke test begins for"
        case .smokePassed(let figures):
            "smoke test passed (\(figures.cpuMicrosecondsPerSecond) us of cpu a second of sound) for"
        case .smokeFailed(let failure, _): "smoke test failed (\(failure.reason)) for"
        case .beacon: "swap beacon queued for"
        case .swapped: "switched to"
        case .committed: "committed"
        case .abandoning(let cause): "giving up (\(cause))"
        case .retreating(let cause): "going back (\(cause)) from"
        case .retreated(let cause): "ended (\(cause)) with"
        case .stranded(let cause): "cannot go back (\(cause)) from"
        case .held: "held by order"
        case .unheld: "hold ended by order"
        case .refusedOrder(let order): "nothing to do for order \(order.rawValue)"
        }
    }
}

extension SlotError {
    /// Whether it lies in what the slot holds, so that trying again is no use.
    fileprivate var isOfSlot: Bool {
        switch self {
        case .notWhole, .wrongBytes: true
        case .interrupted, .fetch, .insufficientStorage, .overBudget, .leased, .system: false
        }
    }
}
