import Glibc
import ModelBundle
package import Primitives
package import Rollouts
package import Telemetry

/// One device of a simulated fleet, with what its journal would hold: it decides by the real `decide`, counts its
/// turns in the real tally, and says what happened in the real report.
///
/// Made up are its turns, and how a version behaves on it (`CandidateEffect`). Whoever holds it signs and sends
/// its reports, and tells it which were acknowledged: without that it does not swap where the plan asks for it.
package struct SimulatedAgent: Sendable {
    /// Turns after which its own figures count as a reference.
    static let leastReferenceTurns: Int64 = 20
    private static let version: SemanticVersion = {
        guard let version = SemanticVersion("1.0.0") else { preconditionFailure("a version") }
        return version
    }()

    package let id: DeviceID
    package let attributes: DeviceAttributes
    /// What it runs; nil before the first install.
    package private(set) var current: BundleReference?
    /// Whether a version left it without a voice for ever.
    package private(set) var isBricked = false
    package private(set) var turns = 0
    /// Times that it went to another version.
    package private(set) var swaps = 0

    private let epoch: Int64
    private let trace: TraceID
    private let device: SimulatedDevice
    private var sequence: Int64 = 0
    private var committed: Set<BundleReference>
    private var rejected: [DeviceFacts.Rejection] = []
    private var withdrawn: [Withdrawal] = []
    private var lastForward: UTCTime?
    private var reference: Reference?
    private var tally = TurnTally()
    private var countingSince: UTCTime?
    /// Turns after a swap that still belong to the burn-in.
    private var uncounted = 0
    private var place: RolloutPlace?
    private var attempts: [SemanticVersion: Int64] = [:]
    private var swap: Swap?

    /// A swap that waits for the acknowledgement of its beacon.
    private struct Swap {
        let bundle: BundleReference
        let beacon: Int64
    }

    /// A device with what the factory put on it, if anything; `epoch` is when its journal was created, in UTC seconds, and
    /// `levelShift` how much slower (ln) it is than the model's median device.
    package init(
        id: DeviceID, attributes: DeviceAttributes, installed: BundleReference?, epoch: Int64,
        model: FleetModel, levelShift: Double = 0, random: inout SimulationRandom
    ) {
        self.id = id
        self.attributes = attributes
        self.epoch = epoch
        guard let trace = TraceID(bytes: id.bytes) else { preconditionFailure("an id of zeros") }
        self.trace = trace
        current = installed
        committed = Set([installed].compactMap(\.self))
        device = SimulatedDevice(model, levelShift: levelShift, random: &random)
    }

    // MARK: Following the plan

    /// Polls once: decides, goes back where it must, and tries what it is to run next.
    ///
    /// - Returns: the reports of that, in order; none where nothing changes.
    package mutating func poll(
        _ line: PublishedLine, effect: (SemanticVersion) -> CandidateEffect, at now: UTCTime
    ) -> [Report] {
        let decision = decide(
            plan: line.plan.map { .plan($0) } ?? .none, listing: line.listing,
            device: facts(line, at: now), now: now)
        enter(line.place(decision))
        withdrawn = line.plan?.withdrawn ?? []
        guard let target = decision.target else {
            swap = nil
            return []
        }
        if case .back = decision.action {
            swap = nil
            install(target)
            return [report(.transition, line, at: now)]
        }
        if let swap, swap.bundle == target { return [beacon(target, line, at: now)] }
        return attempt(target, line, decision, effect(target.version), at: now)
    }

    /// Hears which reports the registry has; a swap whose beacon is among them is made.
    ///
    /// - Returns: what there is to say of it.
    package mutating func acknowledge(
        _ accepted: Set<Int64>, _ line: PublishedLine,
        effect: (SemanticVersion) -> CandidateEffect, at now: UTCTime
    ) -> [Report] {
        guard let swap, accepted.contains(swap.beacon) else { return [] }
        return finish(swap.bundle, line, effect(swap.bundle.version), at: now)
    }

    private mutating func attempt(
        _ target: BundleReference, _ line: PublishedLine, _ decision: Decision,
        _ effect: CandidateEffect, at now: UTCTime
    ) -> [Report] {
        attempts[target.version, default: 0] += 1
        let isFailing = device.attemptDraw < effect.failedAttempts
        var reports = [report(.attempt, line, candidate: target.version, at: now)]
        var smoke = report(.smoke, line, candidate: target.version, at: now)
        smoke.smoke = SmokeFigures(failure: isFailing ? .wrongWords : nil)
        reports.append(smoke)
        guard !isFailing else {
            reject(target, at: now)
            return reports
        }
        reports.append(beacon(target, line, at: now))
        if decision.waitsForBeacon { return reports }
        return reports + finish(target, line, effect, at: now)
    }

    private mutating func beacon(
        _ target: BundleReference, _ line: PublishedLine, at now: UTCTime
    ) -> Report {
        let beacon = report(.swapBeacon, line, candidate: target.version, at: now)
        swap = Swap(bundle: target, beacon: beacon.sequence)
        return beacon
    }

    private mutating func finish(
        _ target: BundleReference, _ line: PublishedLine, _ effect: CandidateEffect,
        at now: UTCTime
    ) -> [Report] {
        swap = nil
        let before = current
        takeReference()
        install(target)
        swaps += 1
        uncounted = line.policy?.burnInTurns ?? 0
        lastForward = now
        isBricked = device.brickDraw < effect.bricked
        guard !isBricked, device.rollbackDraw < effect.localRollbacks, let before else {
            committed.insert(target)
            return []
        }
        install(before)
        reject(target, at: now)
        var report = report(.localRollback, line, candidate: target.version, at: now)
        report.reasons = [.midSlow]
        return [report]
    }

    private mutating func install(_ bundle: BundleReference) {
        current = bundle
        tally = TurnTally()
        countingSince = nil
    }

    private mutating func reject(_ bundle: BundleReference, at now: UTCTime) {
        rejected.append(
            DeviceFacts.Rejection(version: bundle.version, sha256: bundle.sha256, at: now))
    }

    private func facts(_ line: PublishedLine, at now: UTCTime) -> DeviceFacts {
        DeviceFacts(
            id: id, model: line.model, channel: line.channel, attributes: attributes,
            current: current, committed: committed, rejected: rejected, withdrawn: withdrawn,
            lastForwardSwap: lastForward, agent: Self.version,
            hardware: DeviceFacts.Hardware(
                architecture: .x86, memory: .max, freeDisk: .max),
            freshness: DeviceFacts.Freshness(
                timestampSigned: now, timestampExpires: now + 86_400))
    }

    // MARK: Turns

    /// Figures start anew with each stage window; what was counted before it becomes the reference.
    private mutating func enter(_ place: RolloutPlace?) {
        defer { self.place = place }
        guard let place, place.window != self.place?.window else { return }
        takeReference()
        tally = TurnTally()
        countingSince = nil
    }

    private mutating func takeReference() {
        guard reference == nil, let current else { return }
        reference = Reference(
            version: current.version, tally: tally, leastTurns: Self.leastReferenceTurns)
    }

    /// Is used from `since` on, for so many ticks of the model.
    ///
    /// `effect` is that of the version it runs now. What falls into the burn-in counts for nobody.
    package mutating func use(
        _ line: PublishedLine, model: FleetModel, effect: CandidateEffect, since: UTCTime,
        ticks: Double, random: inout SimulationRandom
    ) {
        guard current != nil, !isBricked else { return }
        let count = random.poisson(device.turnsPerTick * ticks)
        turns += count
        if let place, since < place.window + (line.policy?.burnInSeconds ?? 0) { return }
        countingSince = countingSince ?? since
        let level = device.level + random.normal(sd: model.tickDrift)
        let chances = device.chances.with(effect)
        let isNew = since == lastForward
        let factor =
            (device.subsetDraw < effect.subset ? effect.subsetLatency : effect.latency)
            * (isNew ? effect.novelty : 1)
        for _ in 0..<count {
            guard uncounted == 0 else {
                uncounted -= 1
                continue
            }
            let milliseconds = factor * exp(level + random.normal(sd: device.spread))
            tally.record(chances.turn(milliseconds: milliseconds, &random))
        }
    }

    /// Is used for a week, on which its reference stands.
    package mutating func warmUp(_ model: FleetModel, _ random: inout SimulationRandom) {
        guard current != nil else { return }
        for _ in 0..<random.poisson(device.turnsPerTick * model.referenceTicks) {
            let level = device.formerLevel + random.normal(sd: device.spread)
            tally.record(device.chances.turn(milliseconds: exp(level), &random))
        }
    }

    /// The figures so far.
    package mutating func periodic(_ line: PublishedLine, at now: UTCTime) -> Report {
        var report = report(.periodic, line, at: now)
        report.tally = tally
        report.countingSince = countingSince
        return report
    }

    // MARK: Reports

    private mutating func report(
        _ kind: ReportKind, _ line: PublishedLine, candidate: SemanticVersion? = nil,
        at now: UTCTime
    ) -> Report {
        sequence += 1
        var report = Report(
            kind: kind, device: id, epoch: epoch, sequence: sequence, madeAt: now,
            model: line.model, channel: line.channel, state: .committed, attributes: attributes)
        report.version = current?.version
        report.candidate = candidate
        report.place = place
        report.reference = reference
        report.exposedAt = lastForward
        if let candidate, kind == .attempt || kind == .smoke {
            report.attempt = AttemptMark(number: attempts[candidate] ?? 1, trace: trace)
        }
        return report
    }
}
