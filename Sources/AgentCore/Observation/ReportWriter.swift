import Health
package import Primitives
package import Rollouts
import Speech
package import Telemetry

/// Who reports: what stands in every report of this agent.
package struct Reporter: Sendable, Hashable {
    package let device: DeviceID
    package let model: ModelName
    package let channel: ChannelName
    package var attributes: DeviceAttributes
    /// When the agent's process started.
    package let startedAt: UTCTime

    package init(
        device: DeviceID, model: ModelName, channel: ChannelName, attributes: DeviceAttributes,
        startedAt: UTCTime
    ) {
        self.device = device
        self.model = model
        self.channel = channel
        self.attributes = attributes
        self.startedAt = startedAt
    }
}

/// Makes reports out of what the machine notices and what the observation holds.
package struct ReportWriter: Sendable {
    let reporter: Reporter
    let machine: MachineState
    let now: UTCTime
    let surroundings: any Surroundings
    let standing: [ReasonCode]

    /// - Parameters:
    ///   - reporter: who reports.
    ///   - machine: what the device runs, and is about to do.
    ///   - now: the device's time.
    ///   - surroundings: asked for each report.
    ///   - standing: what keeps the device where it is, of `StandingReasons`.
    package init(
        reporter: Reporter, machine: MachineState, now: UTCTime, surroundings: any Surroundings,
        standing: [ReasonCode] = []
    ) {
        self.reporter = reporter
        self.machine = machine
        self.now = now
        self.surroundings = surroundings
        self.standing = standing
    }

    /// The figures so far; a later one of the same version and stage window takes its place.
    package func periodic(_ observation: inout Observation) -> QueuedReport {
        let version = observation.version.map { "\($0)" } ?? "none"
        let window = observation.place.map { "\($0.window.seconds)" } ?? "outside"
        var report = base(.periodic, &observation)
        report.reasons = standing
        return queued(report, series: "\(version)@\(window)")
    }

    /// The report of a notice; nil where it tells the registry nothing.
    package func report(
        _ notice: Notice, of bundle: BundleReference?, trace: TraceID?,
        _ observation: inout Observation
    ) -> QueuedReport? {
        guard let kind = notice.kind(trace) else { return nil }
        var report = base(kind, &observation)
        report.candidate = notice.isOfCandidate ? bundle?.version : nil
        if let bundle, let trace, notice.isOfCandidate {
            let number = max(1, machine.trials[bundle]?.attempts ?? 1)
            report.attempt = AttemptMark(number: Int64(number), trace: trace)
        }
        if let state = notice.state { report.state = state }
        let own = notice.reasons
        let more = kind == .transition ? standing.filter { !own.contains($0) } : []
        report.reasons = own + more.prefix(Report.reasonLimit - own.count)
        report.smoke = notice.figures
        if case .retreating(.rejected(.probation(let fall))) = notice {
            report.probation = observation.evidence(of: fall)
        }
        return queued(report, series: nil)
    }

    private func base(_ kind: ReportKind, _ observation: inout Observation) -> Report {
        var report = Report(
            kind: kind, device: reporter.device, epoch: min(observation.epoch, now).seconds,
            sequence: observation.nextSequence(), madeAt: now, model: reporter.model,
            channel: reporter.channel, state: machine.state.reported,
            attributes: reporter.attributes)
        report.version = observation.version
        report.place = observation.place
        report.uptimeSeconds = max(0, now - reporter.startedAt)
        report.exposedAt = observation.exposedAt.map { min($0, now) }
        report.countingSince = observation.countingSince.map { min($0, now) }
        report.tally = observation.tally
        report.wordErrors = WordErrorProxy(observation.tally.words)
        report.reference = observation.reference
        let environment = surroundings.environment()
        report.temperatureTenths = environment.temperatureTenths
        report.batteryPercent = environment.batteryPercent
        report.microphone = environment.microphone
        return report
    }

    private func queued(_ report: Report, series: String?) -> QueuedReport {
        QueuedReport(sequence: report.sequence, series: series, body: report.json)
    }
}

extension AgentState {
    /// The state's name in reports: an announced swap is a swap that has not happened.
    package var reported: ReportedState {
        switch self {
        case .resting(.idle): .idle
        case .resting(.committed): .committed
        case .resting(.rejected): .rejected
        case .resting(.failed): .failed
        case .resting(.withdrawn): .withdrawn
        case .checking: .checking
        case .downloading: .downloading
        case .verified: .verified
        case .attempting, .announcing: .attempting
        case .swapping: .swapping
        case .probation: .probation
        case .rollingBack: .rollingBack
        }
    }
}

extension Observation {
    /// The counters that spoke for a fall; nil for the hard rules that have none.
    func evidence(of fall: ProbationFall) -> ProbationEvidence? {
        guard let watch, let last = lastVerdict(watch) else { return nil }
        guard case .rollBack(_, let evidence) = last else { return nil }
        return fall == .restarts ? nil : evidence
    }

    private func lastVerdict(_ watch: ProbationWatch) -> ProbationVerdict? {
        watch.verdict(at: watch.startedAt)
    }
}
