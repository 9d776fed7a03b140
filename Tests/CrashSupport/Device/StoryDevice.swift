import AgentCore
import Cryptography
import Glibc
import Primitives
import Rollouts
import SlotHost
import Synchronization
import TUF
import Telemetry
import TestSupport

/// A whole agent on a real disk, with a registry in memory; jobs run at once, and time passes only as the story says.
final class StoryDevice {
    let registry: MemoryRegistry
    let parts: DiskParts
    let slots: any SlotStoring
    let witness: any Witnessing
    private(set) var driver: AgentDriver<StoryJournal>
    private let probing: StoryProbing
    private let clocks: Clocks
    private var clock: DeviceClock
    private var active: String?
    private var rejected: Set<String> = []

    /// The clocks of a machine.
    private final class Clocks: Sendable {
        private let time: Mutex<UTCTime>

        init(real: UTCTime) { time = Mutex(real) }

        var real: UTCTime {
            get { time.withLock { $0 } }
            set { time.withLock { $0 = newValue } }
        }
    }

    /// Starts the agent on what lies in the folder.
    init(
        in folder: String, _ registry: MemoryRegistry, at now: UTCTime, witness: any Witnessing,
        variant: Variant?
    ) throws {
        self.registry = registry
        self.witness = witness
        let clocks = Clocks(real: now)
        self.clocks = clocks
        clock = DeviceClock(
            realtime: { clocks.real.seconds * 1_000_000_000 },
            boot: { clocks.real.seconds * 1_000_000_000 })
        let key = TestKeys.key("device")
        let profile = try Self.profile(key)
        parts = try DiskParts(
            in: folder, device: profile.id, at: now, clock: { clocks.real }, witness: witness)
        slots = variant?.slots(parts) ?? parts.slots
        probing = StoryProbing(slots: slots, witness: witness)
        driver = try AgentDriver(
            DriverParts(
                journal: StoryJournal(parts.journal, isLate: variant == .journalAfterEffect),
                slots: slots, surroundings: TestSurroundings(), key: key,
                random: SeededGenerator(seed: 7)),
            profile: profile, settings: Self.settings, isEnrolled: true, at: now)
        driver.heed(&clock)
        try driver.start(at: clock.now)
        work()
    }

    private static func profile(_ key: Ed25519PrivateKey) throws -> DeviceProfile {
        guard let region = AttributeName("eu"), let deviceClass = AttributeName("hub"),
            let locale = AttributeName("en-GB"), let agent = SemanticVersion("0.1.0")
        else { throw StoryError("names") }
        return DeviceProfile(
            id: key.deviceID,
            model: MemoryRegistry.model, channel: .main,
            attributes: DeviceAttributes(
                number: 1, region: region, deviceClass: deviceClass, locale: locale),
            agent: agent)
    }

    /// Few polls and reports, so that the story is not made of them.
    private static let settings: DriverSettings = {
        var settings = DriverSettings()
        settings.pollInterval = 600
        settings.reportInterval = 1_800
        settings.verifyInterval = 3_600
        return settings
    }()

    var now: UTCTime { clocks.real }
    var state: String { driver.machine.state.name }
    var memory: MachineState { driver.machine.memory }
    var version: String? { memory.slots.activeBundle?.version.description }
    var isCommitted: Bool {
        guard let bundle = memory.slots.activeBundle else { return false }
        return driver.machine.state.attempt == nil && memory.committed.contains(bundle)
    }

    /// Whether the agent's log goes to standard error: `CRASH_LOG=1`.
    private static let isLogging = unsafe getenv("CRASH_LOG") != nil

    private func note(_ text: String) {
        guard Self.isLogging else { return }
        let line = Array("\(now - Story.start) s: \(text)\n".utf8)
        _ = unsafe Glibc.write(2, line, line.count)
    }

    /// Lets time pass until something is so.
    ///
    /// - Throws: `StoryError` where it is not so after so many seconds.
    func wait(_ seconds: Int64, until what: String, _ isSo: () throws -> Bool) throws {
        let end = now + seconds
        while try !isSo() {
            guard now < end else {
                throw StoryError("expected \(what), got \(state) with \(version ?? "no version")")
            }
            step(until: end)
        }
    }

    func pass(_ seconds: Int64) {
        let end = now + seconds
        while now < end { step(until: end) }
    }

    /// Sleeps as the agent's loop does, and does what is due then.
    private func step(until end: UTCTime) {
        driver.heed(&clock)
        let wait = driver.nextWake.map { max(1, $0 - clock.now) } ?? .max
        clocks.real = clocks.real + min(wait, end - now)
        witness.see(.time(now.seconds))
        driver.tick(at: clock.now)
        work()
    }

    /// Turns of the version in force.
    func speak(_ count: Int, milliseconds: Int64 = 400, while isSo: () -> Bool) {
        for _ in 0..<count where isSo() {
            guard let version = driver.observation.version else { return }
            let turn = TurnRecord(
                latencyMicroseconds: milliseconds * 1_000, cpuMicroseconds: milliseconds * 100)
            driver.record([(version, turn)], at: clock.now)
            work()
        }
    }

    func order(_ order: LocalOrder) {
        driver.handle(.ordered(order), at: clock.now)
        work()
    }

    /// Ends in good order, as before a reboot.
    func stop() {
        driver.stop(at: clock.now)
        work()
    }

    /// Runs what the driver has ordered, until it orders nothing more.
    private func work() {
        driver.heed(&clock)
        let now = now
        let runner = JobRunner(
            fetching: registry, reporting: StoryRegistry(base: registry, witness: witness),
            enrolling: registry, slots: slots, probing: probing, store: parts.metadata,
            cache: parts.targets, systemTime: { now })
        watch()
        var orders = driver.takeOrders()
        var cancelled: Set<Ticket> = []
        while !orders.isEmpty {
            for order in orders {
                switch order {
                case .start(let ticket, let job, _):
                    guard !cancelled.contains(ticket) else { continue }
                    driver.finish(ticket, runner.run(job, until: Interrupt()), by: &clock)
                    watch()
                case .cancel(let ticket): cancelled.insert(ticket)
                case .announce: break
                case .log(_, let text): note(text)
                }
            }
            driver.tick(at: clock.now)
            watch()
            orders = driver.takeOrders()
        }
    }

    /// Tells the witness what the machine now stands by.
    private func watch() {
        let isMoving =
            switch driver.machine.state {
            case .swapping, .rollingBack: true
            default: false
            }
        if !isMoving, version != active {
            active = version
            witness.see(.active(version))
        }
        for trial in memory.trials.trials where trial.rejection != nil {
            let version = trial.bundle.version.description
            if rejected.insert(version).inserted { witness.see(.rejected(version)) }
        }
    }

    /// Changes the first byte of a file in the active slot, behind the agent's back.
    func rot(_ file: String, from good: UInt8) throws {
        guard let slot = memory.slots.active else { return }
        let path = "\(DiskParts.state(in: parts.folder))/slots/\(slot)/\(file)"
        guard unsafe chmod(path, 0o644) == 0 else { throw StoryError("cannot rot \(path)") }
        let handle = unsafe Glibc.open(path, O_WRONLY | O_CLOEXEC)
        guard handle >= 0 else { throw StoryError("cannot rot \(path)") }
        defer {
            close(handle)
            _ = unsafe chmod(path, 0o444)
        }
        var byte = Self.rotten(good)
        guard unsafe pwrite(handle, &byte, 1, 0) == 1 else {
            throw StoryError("cannot rot \(path)")
        }
        Effects.all.rotted(path, at: 0, byte)
    }

    /// Whether a file of the active slot begins with what rot makes of an `m`.
    func isRotten(_ file: String) -> Bool {
        guard let slot = memory.slots.active else { return false }
        let path = "\(DiskParts.state(in: parts.folder))/slots/\(slot)/\(file)"
        return Scratch.bytes(path)?.first == Self.rotten(UInt8(ascii: "m"))
    }

    /// What rot makes of a byte.
    static func rotten(_ good: UInt8) -> UInt8 { ~good }
}
