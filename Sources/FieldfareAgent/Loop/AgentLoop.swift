import AgentCore
import AgentJournal
import CPosixShims
import Cryptography
import CurlTransport
import Glibc
import PosixFiles
import Primitives
import SlotHost

/// The agent's one thread: waits for the socket, for finished work and for what is due, and tells the driver.
final class AgentLoop {
    /// The least wait, in milliseconds: what stays due for whatever reason must not spin.
    private static let leastWait: Int64 = 20
    /// A wait from which on memory is given back first, in milliseconds.
    private static let longWait: Int32 = 10_000
    /// Resident bytes at rest from which on code is let go of too; what a poll that finds nothing new runs is less.
    private static let mostAtRest: Int64 = 15 << 20

    private let lock: FileLock
    private let driver: AgentDriver<Journal>
    private let workshop: Workshop
    private let server: LocalServer
    private let answers: LocalAnswers
    private let clock: ClockBox
    private let isAlone: Bool

    /// The clock, shared with the answers, which run on the same thread.
    private final class ClockBox {
        var value = DeviceClock(
            realtime: { SystemClock.realtimeNanoseconds() },
            boot: { SystemClock.bootNanoseconds() })
    }

    /// Takes the state directory and the socket over, and brings journal and slots together.
    ///
    /// - Parameters:
    ///   - settings: the configuration.
    ///   - registry: makes a connection to the registry, for each lane of work one.
    ///   - isAlone: whether the process is the agent's, so that memory and code in it may be let go of.
    /// - Throws: what `Agent.run` throws.
    init(
        _ settings: AgentSettings, registry: () -> RegistryClient, isAlone: Bool = false
    ) throws(AgentError) {
        self.isAlone = isAlone
        let clock = ClockBox()
        self.clock = clock
        let check = StartingCheck(settings: settings)
        try check.authorities()
        try check.root(at: clock.value.now)
        let state = try StateDirectory(settings.stateDirectory)
        lock = try Self.lock(state)
        do { try state.removeTemporaries() } catch {
            Log.write(.warning, "what killed writes have left cannot be removed: \(error)")
        }
        let slotsFolder: Directory
        do { slotsFolder = try state.folder("slots", mode: .shared) } catch {
            throw AgentError("slots", error)
        }
        let root = TrustedRootFile(path: settings.trustedRoot)
        try state.installRoot(from: root, at: clock.value.now)
        let slots = try Self.slots(slotsFolder, settings, clock: { SystemClock.now() })
        driver = try Self.driver(settings, state, slots, at: clock.value.now)
        workshop = try Self.workshop(settings, state, slots, registry)
        server = try LocalServer(path: settings.socket)
        answers = LocalAnswers(driver: driver, slots: slots, clock: { clock.value.now })
    }

    // MARK: Parts

    private static func lock(_ state: StateDirectory) throws(AgentError) -> FileLock {
        let thing = "state directory '\(state.folder.path)'"
        do throws(FileError) {
            if let lock = try state.lock() { return lock }
        } catch { throw AgentError(thing, error) }
        throw AgentError(
            .busy, "\(thing): expected nobody in it, got another agent",
            hint: "stop the other one, or name another folder in 'state_directory'")
    }

    private static func slots(
        _ folder: Directory, _ settings: AgentSettings, clock: @escaping @Sendable () -> UTCTime
    ) throws(AgentError) -> SlotFolder {
        do {
            return try SlotFolder(folder, leaseDeadline: settings.leaseDeadline, clock: clock)
        } catch { throw AgentError(.storage, "slots: \(error)") }
    }

    private static func driver(
        _ settings: AgentSettings, _ state: StateDirectory, _ slots: SlotFolder,
        at now: UTCTime
    ) throws(AgentError) -> AgentDriver<Journal> {
        let key = try state.keys.key()
        let profile = DeviceProfile(
            id: key.deviceID,
            model: settings.model, channel: settings.channel, attributes: settings.attributes,
            agent: AgentVersion.current)
        let journal: Journal
        let isEnrolled: Bool
        do {
            journal = try Journal(in: state.folder, warn: { Log.write(.warning, $0) })
        } catch {
            throw AgentError(error == .inUse ? .busy : .storage, "journal: \(error)")
        }
        do { isEnrolled = try state.enrolledDevice() == profile.id } catch {
            throw AgentError("enrolment", error)
        }
        if let damage = journal.damage {
            Log.write(.error, "the journal was damaged and is begun anew: \(damage)")
        }
        let parts = DriverParts(
            journal: journal, slots: slots,
            surroundings: DeviceSurroundings(
                slots: slots, microphone: settings.microphone,
                sensing: settings.conditions.sensing),
            key: key, random: SystemRandom())
        do {
            return try AgentDriver(
                parts, profile: profile, settings: settings.driver, isEnrolled: isEnrolled,
                at: now)
        } catch { throw AgentError(.storage, "cannot begin: \(error)") }
    }

    private static func workshop(
        _ settings: AgentSettings, _ state: StateDirectory, _ slots: SlotFolder,
        _ registry: () -> RegistryClient
    ) throws(AgentError) -> Workshop {
        let store: MetadataFolder
        let cache: TargetFolder
        do {
            store = MetadataFolder(try state.folder(StateDirectory.metadataName))
            cache = TargetFolder(try state.folder(StateDirectory.targetsName))
        } catch { throw AgentError("trusted metadata", error) }
        let probe = SmokeProbe(
            slots: slots, program: settings.smokeProgram, runtime: settings.speechRuntime
        ) { slot, run in Log.write(.info, run.line(of: slot)) }
        var clients: [Job.Lane: [RegistryClient]] = [:]
        var runners: [Job.Lane: JobRunner<MetadataFolder>] = [:]
        for lane in Job.Lane.allCases {
            let client = registry()
            let more = lane == .slots ? (1..<settings.connections).map { _ in registry() } : []
            clients[lane] = [client] + more
            runners[lane] = JobRunner(
                fetching: client, sources: [client] + more, reporting: client,
                enrolling: Enrolment(settings: settings, state: state, reporting: client),
                slots: slots, probing: probe, store: store, cache: cache,
                systemTime: { SystemClock.now() }, memory: PollMemory())
        }
        return try Workshop(runners: runners, clients: clients)
    }

    // MARK: The loop

    /// Runs until `stop` rings, then ends in good order.
    func run(until stop: WakePipe) throws(AgentError) {
        try begin()
        Readiness.tell("READY=1")
        while !turn(stop) {}
        Readiness.tell("STOPPING=1")
        end()
    }

    /// Polls at once, does what follows from that, and ends when nothing is left to do now.
    ///
    /// A probation, a plan that gives no leave yet, and a download that is to be tried again later are left to the next run.
    ///
    /// - Throws: besides what `run` throws, what stood in the way of poll, download or reports.
    func runOnce(until stop: WakePipe) throws(AgentError) {
        try begin()
        driver.check(at: clock.value.now)
        carryOut()
        var isStopped = false
        while !isStopped, !hasSettled { isStopped = turn(stop) }
        end()
        if isStopped {
            throw AgentError(.interrupted, "once: expected time to come to rest, got a signal")
        }
        if let error = driver.journalError { throw AgentError(.storage, "journal: \(error)") }
        if let trouble = outcome.trouble { throw trouble }
    }

    /// Whether no job is under way, and none comes within a second.
    private var hasSettled: Bool {
        let wait = driver.nextWake.map { clock.value.milliseconds(until: $0) } ?? .max
        return underWay.isEmpty && wait > 1_000
    }

    private func begin() throws(AgentError) {
        driver.heed(&clock.value)
        do { try driver.start(at: clock.value.now) } catch {
            throw AgentError(.storage, "cannot start: \(error)")
        }
        carryOut()
    }

    private func end() {
        driver.stop(at: clock.value.now)
        workshop.close()
        carryOut()
    }

    /// Waits once, and does what there is to do; true when it is time to stop.
    private func turn(_ stop: WakePipe) -> Bool {
        var polled = [stop.reading, workshop.bell.reading].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        polled += server.descriptors
        let wait = wait
        if isAlone, hasWorked, wait >= Self.longWait, workshop.isIdle {
            hasWorked = false
            _ = cposix_release_memory(Self.mostAtRest)
        }
        _ = unsafe poll(&polled, nfds_t(polled.count), wait)
        if polled[0].revents != 0 { return true }
        Readiness.tell("WATCHDOG=1", socket: watchdog == nil ? nil : Readiness.notifySocket)
        driver.heed(&clock.value)
        for (ticket, result) in workshop.takeResults() {
            hasWorked = true
            underWay.remove(ticket)
            outcome.hear(result)
            driver.finish(ticket, result, by: &clock.value)
        }
        carryOut()
        server.serve(polled[2...]) { line, connection in
            answers.answer(line, on: connection)
            carryOut()
        }
        driver.tick(at: clock.value.now)
        carryOut()
        return false
    }

    /// Jobs that were ordered and have not ended.
    private var underWay: Set<Ticket> = []
    private var outcome = OnceOutcome()
    /// Whether a job has ended since memory was given back.
    private var hasWorked = true
    private let watchdog = Readiness.watchdogMicroseconds

    /// Milliseconds until something is due, as `poll` takes them.
    private var wait: Int32 {
        if server.hasLines { return 0 }
        var wait = driver.nextWake.map { clock.value.milliseconds(until: $0) } ?? .max
        if let watchdog { wait = min(wait, watchdog / 2_000) }
        return Int32(clamping: min(max(Self.leastWait, wait), 3_600_000))
    }

    /// The state that was told last to those who asked for events.
    private var toldState = ""

    /// Does what the driver has ordered, and tells the state that it has come to.
    private func carryOut() {
        while true {
            let orders = driver.takeOrders()
            if orders.isEmpty { break }
            for order in orders {
                switch order {
                case .start(let ticket, let job, let trace):
                    underWay.insert(ticket)
                    workshop.start(ticket, job, trace: trace)
                case .cancel(let ticket):
                    underWay.remove(ticket)
                    workshop.cancel(ticket)
                case .announce(let version):
                    server.tell(.model(version))
                    for event in answers.releases() { server.tell(event) }
                case .log(let level, let text): Log.write(level, text)
                }
            }
        }
        let state = driver.machine.memory.state.name
        guard state != toldState else { return }
        toldState = state
        server.tell(.state(state))
    }
}

extension AgentSettings {
    /// A connection to the registry, with the limits of the configuration.
    func registryClient() -> RegistryClient {
        var settings = HTTPClientSettings()
        settings.authorities = authorities
        settings.connect = .seconds(connectTimeout)
        settings.stall = .seconds(stallTimeout)
        settings.userAgent = "fieldfare-agent/\(AgentVersion.current)"
        return RegistryClient(base: registry, settings: settings)
    }
}

extension ChildRun {
    /// How a smoke test's child ended, in a line of the log.
    fileprivate func line(of slot: Slot) -> String {
        let complaint = String(decoding: complaints.suffix(512), as: UTF8.self)
        let words =
            "smoke test of slot \(slot): \(ending), \(cpuMilliseconds) ms of cpu, "
            + "isolated by \(isolation)"
        return complaint.isEmpty ? words : "\(words); it said: \(complaint)"
    }
}
