import Cryptography
package import FleetSimulation
import Health
package import Primitives
package import Rollouts
import Synchronization
import Telemetry

/// A whole fleet through one rollout, in one process: the real store, controller, gate and signed plans, and devices that
/// decide, count and report by the real code; made up are their turns, and that there is no network.
///
/// Devices are enrolled straight into the store, and their reports go into it without HTTP; unless `isSigned` they have
/// no signature either, because a million signatures a tick would be all that is measured. Time goes in ticks of
/// `FleetModel`: devices poll, are used and report, and then the controller has its tick. Nobody is played who resumes
/// what is paused.
package final class WholeFleet {
    /// Devices that are worked on together: their reports are one transaction.
    private static let blockSize = 4_096

    /// What is tried on whom.
    package struct Settings: Sendable {
        /// The fleet, each cohort with what the candidate does there.
        package var cohorts: [SimulatedCohort]
        package var model = FleetModel()
        /// The candidate's policy, as `rollout.yaml` would have it.
        package var policy: JSON = ["on_insufficient_evidence": "promote_unproven"]
        /// How long the rollout may take.
        package var hours = 240
        package var seed: UInt64 = 1
        /// Whether devices sign their reports, and the registry checks that.
        package var isSigned = false
        /// When the rollout starts.
        package var start = UTCTime(clamping: 1_764_547_200)

        package init(_ cohorts: [SimulatedCohort]) { self.cohorts = cohorts }
    }

    /// How it stands after a tick.
    package struct Standing: Sendable {
        package let hours: Int
        package let state: Plan.State
        /// The name of the current stage.
        package let stage: String
        /// Devices that sent a beacon for the candidate.
        package let exposed: Int
        package let excluded: [Segment]
        /// What the controller decided so far, in the words of the audit log, each with why.
        package let decisions: [Controller.DecisionNote]
        package let turns: Int
        package let reports: Int
        package let ticks: Int
        /// The controller's tick, and the gate's look in it: the last, and the slowest.
        package let tick: Duration
        package let slowestTick: Duration
        package let look: Duration
        package let slowestLook: Duration
    }

    private let settings: Settings
    private let store: any RegistryStoring
    private let blobs: any BlobStoring
    private let repository: MadeUpRepository
    private let spread: Spread
    private let looks = Looks()
    private var blocks: [FleetBlock] = []
    private var turns = 0
    private var reports = 0

    /// Does so many pieces of work, on as many processors as there are.
    package typealias Spread = @Sendable (Int, @Sendable (Int) -> Void) -> Void

    /// The stores must be empty.
    package init(
        _ settings: Settings, store: any RegistryStoring, blobs: any BlobStoring,
        spread: @escaping Spread
    ) {
        self.settings = settings
        self.store = store
        self.blobs = blobs
        self.spread = spread
        repository = MadeUpRepository(store: store, blobs: blobs, seed: settings.seed)
    }

    /// Plays it to its end, or for as long as it may take.
    ///
    /// - Parameter tell: is told how it stands after each tick.
    /// - Returns: how it stands at the end.
    /// - Throws: what store, blobs and use cases throw.
    package func run(_ tell: (Standing) -> Void) throws -> Standing {
        try repository.found(policy: settings.policy, at: settings.start)
        try enrol()
        try repository.begin(at: settings.start)
        let looks = looks
        let controller = Controller(store: store, blobs: blobs, keys: repository.keys) {
            looks.judge($0, $1)
        }
        let clock = ContinuousClock()
        var slowest = Duration.zero
        var decisions: [Controller.DecisionNote] = []
        var now = settings.start
        while true {
            let since = now
            now = now + FleetModel.tickSeconds
            try step(since: since, at: now)
            _ = try repository.roles.renew(at: now)
            let began = clock.now
            let report = try controller.tick(at: now)
            let tick = began.duration(to: clock.now)
            if let failure = report.failures.first { throw failure.error }
            slowest = max(slowest, tick)
            decisions += report.decisions
            let standing = try standing(tick, slowest, decisions, at: now)
            tell(standing)
            let isOver = standing.state == .completed || standing.state == .rolledBack
            if isOver || standing.hours >= settings.hours { return standing }
        }
    }

    private func standing(
        _ tick: Duration, _ slowest: Duration, _ decisions: [Controller.DecisionNote],
        at now: UTCTime
    ) throws(RegistryError) -> Standing {
        let (rollout, exposure) = try store.read { (records) throws(RegistryError) in
            (
                try records.rollout(MadeUpRepository.model, .main),
                try records.exposure(
                    model: MadeUpRepository.model, channel: .main,
                    candidate: MadeUpRepository.candidate)
            )
        }
        guard let state = rollout?.state else {
            throw .notFound("rollout", "\(MadeUpRepository.model)/\(ChannelName.main)")
        }
        let hours = Int((now - settings.start) / 3_600)
        let look = looks.times.withLock { $0 }
        return Standing(
            hours: hours, state: state.plan.state, stage: state.stage?.name.description ?? "",
            exposed: exposure.values.reduce(0, +), excluded: state.plan.excluded,
            decisions: decisions, turns: turns, reports: reports,
            ticks: hours * 3_600 / Int(FleetModel.tickSeconds), tick: tick, slowestTick: slowest,
            look: look.last, slowestLook: look.slowest)
    }

    // MARK: The fleet

    /// Makes the devices, in order of their ids, and writes them into the store.
    private func enrol() throws {
        let (settings, store) = (settings, store)
        let total = settings.cohorts.reduce(0) { $0 + $1.devices }
        let parts = (total + Self.blockSize - 1) / Self.blockSize
        let made = Mutex<[(id: DeviceID, key: Ed25519PublicKey, index: Int)]>([])
        spread(parts) { part in
            let range = part * Self.blockSize..<min(total, (part + 1) * Self.blockSize)
            let keys = range.map { index in
                let key = FleetBlock.publicKey(of: index, settings)
                return (DeviceID(of: key), key, index)
            }
            made.withLock { $0 += keys }
        }
        let cohorts = settings.cohorts.indices.flatMap { cohort in
            repeatElement(cohort, count: settings.cohorts[cohort].devices)
        }
        let devices = made.withLock { devices in
            devices.sort { $0.id < $1.id }
            return devices
        }
        let installed = try baseline()
        let built = Mutex([FleetBlock?](repeating: nil, count: parts))
        try inStep(parts) { part in
            let own = devices[part * Self.blockSize..<min(total, (part + 1) * Self.blockSize)]
            let block = FleetBlock(
                own.map { ($0.id, $0.index, cohorts[$0.index]) }, installed: installed, settings)
            built.withLock { $0[part] = block }
            return zip(own, block.attributes).map { device, attributes in
                DeviceRecord(
                    publicKey: device.key, enrolled: settings.start, attributes: attributes,
                    attributesReceived: settings.start, agent: MadeUpRepository.baseline)
            }
        } take: { _, records in
            try store.write { (transaction) throws(RegistryError) in
                for record in records { try transaction.setDevice(record) }
            }
        }
        blocks = built.withLock { $0.compactMap(\.self) }
    }

    private func baseline() throws(RegistryError) -> BundleReference {
        let plan = try line().plan
        guard let plan else { throw .notFound("plan", MadeUpRepository.model.description) }
        return plan.candidate
    }

    private func line() throws(RegistryError) -> PublishedLine {
        try store.read { (records) throws(RegistryError) in
            try PublishedLine(MadeUpRepository.model, .main, in: records, blobs: blobs)
        }
    }

    // MARK: One tick

    /// Every device polls, swaps where it may, is used, and reports.
    private func step(since: UTCTime, at now: UTCTime) throws {
        let line = try line()
        let (settings, blocks) = (settings, blocks)
        let desk = ReportDesk(store: store, isSigned: settings.isSigned, seed: settings.seed)
        let taken = Mutex(0)
        try inStep(blocks.count) { part in
            blocks[part].poll(line, settings, at: since).map { desk.pack($0) }
        } take: { part, parcels in
            let accepted = try desk.take(parcels, at: since)
            let more = blocks[part].acknowledge(accepted, line, settings, at: since)
                .map { desk.pack($0) }
            _ = try desk.take(more, at: since)
            taken.withLock { $0 += (parcels + more).reduce(0) { $0 + $1.count } }
        }
        let turns = Mutex(0)
        try inStep(blocks.count) { part in
            let used = blocks[part].use(line, settings, since: since, at: now)
            turns.withLock { $0 += used.turns }
            return used.batches.map { desk.pack($0) }
        } take: { _, parcels in
            _ = try desk.take(parcels, at: now)
            taken.withLock { $0 += parcels.count }
        }
        self.turns += turns.withLock { $0 }
        reports += taken.withLock { $0 }
    }

    /// Makes one part after the other, and takes each in while the next is being made.
    private func inStep<Made: Sendable>(
        _ count: Int, _ make: @escaping @Sendable (Int) throws -> Made,
        take: @escaping @Sendable (Int, Made) throws -> Void
    ) throws {
        let ready = Mutex<Made?>(nil)
        let failure = Mutex<(any Error)?>(nil)
        for part in 0...count {
            let last = ready.withLock { ready in
                defer { ready = nil }
                return ready
            }
            spread(2) { hand in
                do {
                    if hand == 0, part < count {
                        let made = try make(part)
                        ready.withLock { $0 = made }
                    } else if hand == 1, let last {
                        try take(part - 1, last)
                    }
                } catch {
                    failure.withLock { $0 = error }
                }
            }
            if let error = failure.withLock({ $0 }) { throw error }
        }
    }
}

/// How long the gate's looks took.
private final class Looks: Sendable {
    let times = Mutex((last: Duration.zero, slowest: Duration.zero))

    func judge(_ parameters: GateParameters, _ evidence: StageEvidence) -> Judgement {
        let clock = ContinuousClock()
        let began = clock.now
        let judgement = HealthGate(parameters).judge(evidence)
        let time = began.duration(to: clock.now)
        times.withLock { $0 = (time, max($0.slowest, time)) }
        return judgement
    }
}
