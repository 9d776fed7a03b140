import Health
import ModelBundle
package import Primitives
import Rollouts
import Speech
import TUF
import Telemetry

extension AgentDriver {
    // MARK: Starting jobs

    func order(_ job: Job, _ kind: JobKind, trace: TraceID? = nil) {
        tickets += 1
        let ticket = Ticket(tickets)
        jobs[ticket] = kind
        orders.append(.start(ticket, job, trace: trace ?? machine.state.attempt?.trace))
    }

    func isUnderWay(_ matches: (JobKind) -> Bool) -> Bool { jobs.values.contains(where: matches) }

    var isPolling: Bool { isUnderWay { if case .poll = $0 { true } else { false } } }

    func cancelSlotWork() {
        timers.stage = nil
        timers.consider = nil
        downloadWait = nil
        cancel { $0 == .stage || $0 == .probe }
    }

    private func cancel(_ matches: (JobKind) -> Bool) {
        for (ticket, kind) in jobs where matches(kind) {
            jobs[ticket] = nil
            orders.append(.cancel(ticket))
        }
    }

    func startPoll(_ now: UTCTime) {
        guard !isPolling else { return }
        let slots = machine.memory.slots
        let bundles = [slots.contents.a, slots.contents.b, machine.state.attempt?.release.bundle]
        let trace = TraceID(using: &random)
        order(
            .poll(
                PollQuestion(
                    model: profile.model, channel: profile.channel, device: profile.id,
                    concerned: bundles.compactMap { $0 }, start: now,
                    floor: trust.timestampKeys.map { TimeFloor(moment: now, keys: $0) })),
            .poll(trace), trace: trace)
    }

    func dueStage(after seconds: Int64, _ now: UTCTime) {
        let jitter = seconds > 0 ? Int64.random(in: 0...seconds, using: &random) : 0
        let due = max(now + seconds + jitter, timers.opening ?? now)
        guard seconds == 0 || mayRepeatStage(at: due) else {
            timers.stage = nil
            return
        }
        timers.stage = due
        if due == now { startStage(now) }
    }

    /// Whether a download may be begun again; one whose last try got further repeats nothing.
    ///
    /// Where the budget is spent, a later poll asks once more: so devices that were cut off together do not come back
    /// together.
    private func mayRepeatStage(at moment: UTCTime) -> Bool {
        guard let attempt = machine.state.attempt, attempt.tries > 1 else { return true }
        return retries.book(moment, of: allowedRetries)
    }

    /// Requests that may be repeated in an hour: as the policy of the attempt says, otherwise that of the plan.
    var allowedRetries: Int {
        let rules = machine.state.attempt?.release.download ?? judgement?.download
        let link = surroundings.conditions().effectiveLink
        return rules?.budget(of: link).retries ?? RetryBudget.usual
    }

    /// Begins or resumes the download, where the manifest is at hand; otherwise the next poll brings it.
    func startStage(_ now: UTCTime) {
        guard case .downloading(let attempt) = machine.state, !isUnderWay({ $0 == .stage }) else {
            timers.stage = nil
            return
        }
        guard let target = manifest(of: attempt) else {
            timers.stage = nil
            return
        }
        timers.stage = nil
        switch leave(for: attempt, now) {
        case .wait(let reason, let until): wait(for: reason, until: until, now)
        case .go(let budget):
            downloadWait = nil
            downloadBudget = budget
            timers.conditions = now + settings.conditionInterval
            order(.stage(target, into: attempt.slot, atMost: budget?.bytes), .stage)
        }
    }

    /// Looks whether a download under way may go on: what has come of it is kept.
    func reviewStage(_ now: UTCTime) {
        timers.conditions = nil
        guard case .downloading(let attempt) = machine.state, isUnderWay({ $0 == .stage }) else {
            return
        }
        switch leave(for: attempt, now) {
        // Another link has another budget: then it is planned anew.
        case .go(let budget) where budget != downloadBudget:
            cancel { $0 == .stage }
            startStage(now)
        case .go: timers.conditions = now + settings.conditionInterval
        case .wait(let reason, let until):
            cancel { $0 == .stage }
            wait(for: reason, until: until, now)
        }
    }

    private func leave(for attempt: Attempt, _ now: UTCTime) -> DownloadLeave {
        DownloadLeave(
            for: attempt.release, under: surroundings.conditions(),
            windows: settings.downloadWindows,
            hasModel: machine.memory.slots.activeBundle != nil, at: now)
    }

    private func wait(for reason: DownloadWait, until: UTCTime?, _ now: UTCTime) {
        if downloadWait != reason { log(.notice, "the download waits: \(reason.rawValue)") }
        downloadWait = reason
        timers.stage = until ?? now + settings.conditionInterval
    }

    private func manifest(of attempt: Attempt) -> ManifestTarget? {
        let bundle = attempt.release.bundle
        if let target = material?.manifests[bundle.sha256] { return target }
        for slot in Slot.allCases {
            guard let target = try? slots.manifest(in: slot), target.reference == bundle else {
                continue
            }
            return target
        }
        return nil
    }

    // MARK: Results

    /// Hears how a job ended, by a clock that what it brought may set: before anything is dated by it.
    package func finish(_ ticket: Ticket, _ result: JobResult, by clock: inout DeviceClock) {
        if case .polled(.success(let material)) = result, jobs[ticket] != nil {
            trust.saw(timestampSignedAt: material.timestampSigned, by: material.timestampKeys)
        }
        heed(&clock)
        finish(ticket, result, at: clock.now)
    }

    /// Hears how a job ended.
    package func finish(_ ticket: Ticket, _ result: JobResult, at clock: UTCTime) {
        guard let kind = jobs.removeValue(forKey: ticket) else { return }
        let now = now(clock)
        switch (kind, result) {
        case (.poll(let trace), .polled(let result)): polled(result, trace, clock)
        case (.stage, .staged(let result)): staged(result)
        case (.probe, .probed(let result)): probed(result)
        case (.enrol, .enrolled(let result)): enrolled(result, now)
        case (.post, .posted(let batch, let result)): posted(batch, result, now)
        case (.verify, .verified(let slot, let result)): verified(slot, result, now)
        case (.discard, .discarded(let slot, let result)): discarded(slot, result)
        default: preconditionFailure("a job of one kind ended as another")
        }
        drain(self.now(clock))
    }

    private func staged(_ result: Result<StagingSummary, SlotError>) {
        switch result {
        case .success(let summary):
            log(
                .info,
                "staged: \(summary.fetchedBytes) bytes fetched, \(summary.reusedBytes) reused")
            waiting.append(.staged)
        case .failure(let error):
            log(.warning, "cannot stage: \(error)")
            waiting.append(
                .stagingFailed(
                    StagingFailure(error, held: heldBytes, retries: downloadBudget?.retries)))
        }
    }

    /// What has come of the bundle on its way; where nobody can look, nothing new.
    private var heldBytes: Int64 {
        guard let slot = machine.state.attempt?.slot, let survey = try? slots.survey() else {
            return 0
        }
        return survey.contents[slot].heldBytes
    }

    private func discarded(_ slot: Slot, _ result: Result<Void, SlotError>) {
        guard case .failure(let error) = result else { return }
        log(.warning, "cannot give the room in slot \(slot) back: \(error)")
    }

    private func probed(_ result: Result<SmokeVerdict, ProbeError>) {
        switch result {
        case .success(let verdict): waiting.append(.probed(verdict))
        case .failure(let error):
            log(.error, "cannot make a smoke test: \(error)")
            waiting.append(.probeFailed)
        }
    }

    private func verified(
        _ slot: Slot, _ result: Result<Void, SlotError>, _ now: UTCTime
    ) {
        switch result {
        case .success:
            log(.debug, "slot \(slot) verifies")
            unverified[slot] = 0
        case .failure(.notWhole), .failure(.wrongBytes):
            log(.error, "slot \(slot) is damaged")
            unverified[slot] = 0
            waiting.append(.damaged(slot))
        case .failure(let error):
            log(.warning, "cannot verify slot \(slot): \(error)")
            verifyAgain(slot, now)
        }
    }

    /// Whether it is damaged is not known: looked at again soon, and then in ever longer pauses.
    private func verifyAgain(_ slot: Slot, _ now: UTCTime) {
        var pause = settings.verifyRetry
        for _ in 0..<unverified[slot] where pause < settings.verifyInterval { pause *= 2 }
        unverified[slot] += 1
        let next = now + min(pause, settings.verifyInterval)
        timers.verify = min(timers.verify ?? next, next)
    }

    private func polled(
        _ result: Result<PollMaterial, PollError>, _ trace: TraceID, _ clock: UTCTime
    ) {
        switch result {
        case .success(let material): takeIn(material, trace, clock)
        case .failure(let error): pollFailed(error, now(clock))
        }
    }

    private func pollFailed(_ error: PollError, _ now: UTCTime) {
        if pollError != error { log(.warning, error.description) }
        pollError = error
        timers.poll = schedule.next(
            afterFailure: error, at: now, within: &retries, of: allowedRetries, using: &random)
        waiting.append(.pollFailed)
    }

    private func takeIn(_ material: PollMaterial, _ trace: TraceID, _ clock: UTCTime) {
        trust.saw(timestampSignedAt: material.timestampSigned, by: material.timestampKeys)
        let now = now(clock)
        if let version = material.planVersion, let keys = material.planKeys {
            guard trust.accepts(planVersion: version, by: keys) else {
                return pollFailed(.oldPlan(held: trust.planVersion, offered: version), now)
            }
            trust.saw(planVersion: version, by: keys)
        }
        trust.remember(material.readablePlan?.withdrawn ?? [])
        for problem in material.problems where self.material?.problems.contains(problem) != true {
            log(.warning, "a released document cannot be used: \(problem)")
        }
        logMissing(material.missing)
        self.material = material
        pollError = nil
        lastPoll = now
        schedule.succeeded()
        timers.poll = schedule.next(after: now, using: &random)
        let judgement = judge(clock)
        observation.placed(
            judgement?.place, candidate: judgement?.candidate,
            burnInSeconds: judgement?.burnInSeconds ?? 0, at: now)
        bringFiguresForward(now)
        if let wish = judgement?.wish { makeWay(for: wish) }
        waiting.append(
            .polled(
                PollOutcome(
                    wish: judgement?.wish ?? .stay, trace: trace, isQuiet: isQuiet(now),
                    lifted: judgement?.lifted ?? [])))
        if case .downloading = machine.state, timers.stage == nil, !isUnderWay({ $0 == .stage }),
            mayRepeatStage(at: now)
        {
            timers.stage = now
        }
    }

    /// Tells once that the repository has no plans of the model, and once that it has.
    private func logMissing(_ missing: MissingPlans?) {
        guard missing != material?.missing else { return }
        if let missing {
            log(.warning, missing.description)
        } else {
            log(.notice, "role \(RoleName.plans(profile.model)) is there now")
        }
    }

    /// A watch without alarm ends at its least turns where a newer plan wants the next version.
    private func makeWay(for wish: Wish) {
        guard case .probation(let attempt) = machine.state, case .run(let release) = wish,
            release.direction == .forward, release.bundle != attempt.release.bundle,
            let watch = observation.watch, watch.turns >= watch.policy.leastTurns
        else { return }
        log(.info, "\(release.bundle.version) is wanted, and the least turns are over")
        waiting.append(.judged(.commit))
    }

    /// Judges the newest material anew, at this moment.
    @discardableResult
    func judge(_ clock: UTCTime) -> Judgement? {
        guard let material else { return nil }
        judgement = Judgement(
            of: material, profile: profile, machine: machine.memory, trust: trust,
            hardware: hardware(), clock: clock)
        return judgement
    }

    /// What the device is made of; room that the attempt under way has taken counts as free for it.
    private func hardware() -> DeviceFacts.Hardware {
        let hardware = surroundings.hardware()
        guard let attempt = machine.state.attempt, let target = manifest(of: attempt) else {
            return hardware
        }
        return DeviceFacts.Hardware(
            architecture: hardware.architecture, memory: hardware.memory,
            freeDisk: hardware.freeDisk + target.manifest.totalLength)
    }

    func isQuiet(_ now: UTCTime) -> Bool {
        lastTurn.map { now - $0 >= settings.quietSeconds } ?? true
    }

    /// Lets the smoke test begin if the newest plan still wants the bundle at this moment.
    func consider(_ now: UTCTime) {
        timers.consider = nil
        guard case .verified(let attempt) = machine.state, let judgement = judge(now) else {
            return
        }
        guard case .run(let release) = judgement.wish, release.bundle == attempt.release.bundle
        else { return }
        waiting.append(.proceed)
    }
}

extension StagingFailure {
    /// What a failed staging means, which left so many bytes of the bundle in the slot.
    init(_ error: SlotError, held: Int64, retries: Int?) {
        func again(_ trouble: PassingTrouble, after seconds: Int64? = nil) -> StagingFailure {
            .again(trouble, held: held, retryAfter: seconds, retries: retries)
        }
        self =
            switch error {
            case .interrupted: again(.unreachable)
            case .fetch(let error, of: _) where error.isRetryable:
                again(.unreachable, after: error.retryAfter)
            case .fetch: .final(.refusedByRegistry)
            case .wrongBytes: .final(.wrongBytes)
            case .insufficientStorage: .final(.insufficientStorage)
            case .overBudget: .final(.byteBudget)
            case .leased: again(.leased)
            case .notWhole, .system: again(.fileSystem)
            }
    }
}
