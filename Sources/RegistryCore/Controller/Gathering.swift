import Health
import Primitives
import Rollouts
import Telemetry

/// Brings together what the registry knows of a rollout's devices, for one look of the gate.
struct Gathering {
    /// The days of history that tell how often devices are silent with nothing changed.
    static let historyDays: Int64 = 14

    let state: ControllerState
    let parameters: GateParameters
    let now: UTCTime
    let records: any RegistryRecords
    /// The devices that follow the channel.
    let census: FleetCensus

    /// What was gathered: the gate's evidence, and what has to be remembered of it.
    struct Result {
        var evidence: StageEvidence
        /// Figures whose jump was judged now, once for good.
        var judged: [FiguresRow] = []
        /// Devices whose figures reach back into the burn-in, and do not count yet.
        var inBurnIn = 0
    }

    init(
        state: ControllerState, parameters: GateParameters, records: any RegistryRecords,
        census: FleetCensus, at now: UTCTime
    ) {
        self.state = state
        self.census = census
        self.parameters = parameters
        self.records = records
        self.now = now
    }

    /// Nil before the first stage.
    func gather() throws(RegistryError) -> Result? {
        let plan = state.plan
        guard let index = plan.currentStage, let begun = plan.stages.last else { return nil }
        let rows = try records.samples(
            SampleQuery(
                model: plan.model, channel: plan.channel, candidate: plan.candidate.version,
                window: begun.began))
        var result = Result(
            evidence: StageEvidence(
                began: begun.began, now: now, isLast: index == state.policy.stages.count - 1,
                requirements: StageRequirements(state.policy.stages[index]), samples: []))
        for row in rows
        where !plan.excluded.contains(where: { $0.contains(row.attributes) })
            && plan.pin(of: DeviceHash(of: row.device, model: plan.model), at: now) == nil
        {
            take(row, began: begun.began, into: &result)
        }
        result.evidence.control = state.policy.isInitial ? .none : .concurrent
        result.evidence.exposedDevices =
            try records.exposure(
                model: plan.model, channel: plan.channel, candidate: plan.candidate.version
            ).values.reduce(0, +)
        result.evidence.segments = segments()
        result.evidence.untrusted = Set(
            try records.placebos(plan.model, plan.channel).filter { !$0.isTrusted }
                .map(\.cohort))
        result.evidence.history = try history(before: begun.began)
        return result
    }

    /// The segments of all devices that the rollout ever reaches, the excluded ones too: what shares alpha must not
    /// depend on who was heard.
    private func segments() -> [FleetSegment] {
        let reached = census.reach(of: state.policy.stages.map(\.where))
        return FleetSegment.all(cohorts: reached.cohorts, locales: reached.locales)
    }

    // MARK: One device

    private func take(_ row: SampleRow, began: UTCTime, into result: inout Result) {
        let arm: Arm = row.facts == nil ? .control : .treated
        var sample = DeviceSample(
            device: row.device, cohort: row.attributes.cohort, arm: arm)
        sample.locale = row.attributes.locale
        if let facts = row.facts {
            take(facts, began: began, into: &sample)
        } else {
            sample.exposedAt = row.figures?.firstReceived
        }
        sample.lastHeard = Self.lastHeard(row, since: sample.exposedAt)
        if var figures = row.figures {
            if isAfterBurnIn(figures.report, began: began) {
                sample.take(figures.report)
            } else {
                result.inBurnIn += 1
            }
            if figures.jumped == nil, let jumped = sample.hasJumped(parameters) {
                figures.jumped = jumped
                result.judged.append(figures)
            }
            sample.jumped = figures.jumped
        }
        result.evidence.samples.append(sample)
    }

    /// When the device was last heard after its exposure, nil where the newest word is the exposure itself.
    ///
    /// A beacon and the report after it may arrive in the same second: then their order tells.
    private static func lastHeard(_ row: SampleRow, since exposed: UTCTime?) -> UTCTime? {
        guard let heard = row.heard, let exposed else { return row.heard?.at }
        if let beacon = row.facts?.facts.beacon {
            return heard.order > beacon ? max(heard.at, exposed) : nil
        }
        return heard.at > exposed ? heard.at : nil
    }

    private func take(_ row: FactsRow, began: UTCTime, into sample: inout DeviceSample) {
        sample.exposedAt = row.exposed
        sample.isNew =
            row.exposedWindow.map { $0 == began } ?? row.exposed.map { $0 >= began }
            ?? false
        sample.attempt = row.facts.attempts.max { $0.key < $1.key }?.value
        sample.attemptAt = row.attempted
        sample.wentBack = row.facts.rolledBack
    }

    /// Devices leave the burn-in out by beginning to count after it; figures from before do not count.
    private func isAfterBurnIn(_ report: Report, began: UTCTime) -> Bool {
        guard let since = report.countingSince else { return parameters.burnInSeconds == 0 }
        return since >= began + parameters.burnInSeconds
    }

    // MARK: History

    /// How often devices of each cohort were silent for the deadline while nothing had changed.
    ///
    /// Pauses that ended, and devices that went silent before the stage and have not come back.
    private func history(before began: UTCTime) throws(RegistryError) -> [Cohort: SilenceHistory] {
        let deadline = parameters.deadlineSeconds
        let from = now + -(Self.historyDays * 86_400)
        var silent: [Cohort: Int] = [:]
        var windows: [Cohort: Int] = [:]
        for (cohort, gaps) in try records.gaps(since: from.day) {
            for (gap, count) in gaps {
                windows[cohort, default: 0] += count
                if gap.mayExceed(deadline) { silent[cohort, default: 0] += count }
            }
        }
        let until = min(began, now + -deadline)
        if from < until {
            let gone = try records.lastHeard(
                in: from..<until, notExposedTo: state.plan.candidate.version,
                of: state.plan.model)
            for (cohort, count) in gone {
                windows[cohort, default: 0] += count
                silent[cohort, default: 0] += count
            }
        }
        return Dictionary(
            uniqueKeysWithValues: windows.map { cohort, count in
                (cohort, Self.history(silent: silent[cohort] ?? 0, windows: count))
            })
    }

    /// At most as many windows as the gate lets history have, in the same proportion.
    private static func history(silent: Int, windows: Int) -> SilenceHistory {
        let limit = SilenceHistory.windowLimit
        guard windows > limit else { return SilenceHistory(silent: silent, windows: windows) }
        let scaled = (Double(silent) * Double(limit) / Double(windows)).rounded(.up)
        return SilenceHistory(silent: Int(scaled), windows: limit)
    }
}
