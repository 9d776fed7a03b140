import AgentCore
import Cryptography
import Primitives
import Rollouts
import TUF
import Telemetry
import TestSupport
import Testing

/// A whole agent over memory ports, with the clock of the real one; jobs run at once, and time passes only as the
/// test says.
final class TestDevice {
    let registry: MemoryRegistry
    let slots = MemorySlots()
    let probing = ScriptedProbing()
    let journal = MemoryJournal()
    let cache = MemoryCache()
    private let told = TestConditions()
    /// Link and battery, as the device is told them.
    var conditions: Conditions {
        get { told.now }
        set { told.now = newValue }
    }
    let store: MemoryMetadataStore
    /// The system's clock; who sets it sets the clock, which lets no time pass.
    var now: UTCTime {
        get { clocks.real }
        set { clocks.real = newValue }
    }
    private(set) var driver: AgentDriver<MemoryJournal>
    private(set) var announced: [SemanticVersion?] = []
    private(set) var log: [String] = []
    /// Whether a download stays under way until somebody cancels it; those cancelled.
    var keepsDownloading = false
    private(set) var cancelledDownloads = 0
    /// Polls so far, whatever came of them.
    private(set) var polls = 0
    private var downloads: Set<Ticket> = []
    var settings: DriverSettings
    private let key: any DeviceSigning
    private let isEnrolled: Bool
    private let profile: DeviceProfile
    private let hardware: DeviceFacts.Hardware
    private let clocks: Clocks
    private var clock: DeviceClock
    /// What the process remembers of its last poll.
    private var memory = PollMemory()

    /// The clocks of a machine.
    private final class Clocks {
        var real: UTCTime
        var boot: Int64 = 0

        init(real: UTCTime) { self.real = real }

        func clock() -> DeviceClock {
            DeviceClock(
                realtime: { self.real.seconds * 1_000_000_000 },
                boot: { self.boot * 1_000_000_000 })
        }
    }

    init(
        _ registry: MemoryRegistry, at now: UTCTime, name: String = "device",
        model: ModelName = MemoryRegistry.model, profile given: DeviceProfile? = nil,
        hardware: DeviceFacts.Hardware = TestSurroundings.standard,
        isEnrolled: Bool = true, signer: (any DeviceSigning)? = nil,
        prepare: (MemorySlots, MemoryJournal) throws -> Void = { _, _ in }
    ) throws {
        self.registry = registry
        clocks = Clocks(real: now)
        clock = clocks.clock()
        store = MemoryMetadataStore(
            files: [MetadataFileName(.root): registry.simulator.trustedRoot])
        key = signer ?? TestKeys.key(name)
        self.isEnrolled = isEnrolled
        let own = DeviceProfile(
            id: key.deviceID,
            model: model, channel: .main,
            attributes: DeviceAttributes(
                number: 1, region: try #require(AttributeName("eu")),
                deviceClass: try #require(AttributeName("hub")),
                locale: try #require(AttributeName("en-GB"))),
            agent: try #require(SemanticVersion("0.1.0")))
        profile = given ?? own
        self.hardware = hardware
        try prepare(slots, journal)
        settings = DriverSettings()
        settings.pollInterval = 60
        settings.reportInterval = 300
        settings.verifyInterval = 3_600
        driver = try Self.driver(
            journal, slots, key, profile, TestSurroundings(hardware, conditions: told),
            settings, isEnrolled: isEnrolled, now)
        try start()
    }

    private func start() throws {
        driver.heed(&clock)
        try driver.start(at: clock.now)
        work()
    }

    private static func driver(
        _ journal: MemoryJournal, _ slots: MemorySlots, _ key: any DeviceSigning,
        _ profile: DeviceProfile, _ surroundings: TestSurroundings, _ settings: DriverSettings,
        isEnrolled: Bool, _ now: UTCTime
    ) throws -> AgentDriver<MemoryJournal> {
        try AgentDriver(
            DriverParts(
                journal: journal, slots: slots, surroundings: surroundings, key: key,
                random: SeededGenerator(seed: 7)),
            profile: profile, settings: settings, isEnrolled: isEnrolled, at: now)
    }

    /// The process is gone and comes again; the journal, slots and metadata stay.
    func restart() throws {
        memory = PollMemory()
        clock = clocks.clock()
        driver = try Self.driver(
            journal, slots, key, profile, TestSurroundings(hardware, conditions: told),
            settings, isEnrolled: isEnrolled, clock.now)
        try start()
    }

    /// Lets time pass, a second a step at least, and does what becomes due.
    func pass(_ seconds: Int64) {
        var left = seconds
        while left > 0 {
            driver.heed(&clock)
            let wait = driver.nextWake.map { max(1, $0 - clock.now) } ?? left
            let step = min(left, wait)
            clocks.real = clocks.real + step
            clocks.boot += step
            left -= step
            driver.tick(at: clock.now)
            work()
        }
    }

    /// Runs what the driver has ordered, until it orders nothing more.
    func work() {
        driver.heed(&clock)
        let now = now
        let runner = JobRunner(
            fetching: registry, reporting: registry, enrolling: registry, slots: slots,
            probing: probing, store: store, cache: cache, systemTime: { now },
            memory: memory)
        var orders = driver.takeOrders()
        var cancelled: Set<Ticket> = []
        while !orders.isEmpty {
            for order in orders {
                switch order {
                case .start(let ticket, let job, _):
                    guard !cancelled.contains(ticket) else { continue }
                    if case .poll = job { polls += 1 }
                    if keepsDownloading, case .stage = job {
                        downloads.insert(ticket)
                        continue
                    }
                    driver.finish(ticket, runner.run(job, until: Interrupt()), by: &clock)
                case .cancel(let ticket):
                    cancelled.insert(ticket)
                    if downloads.remove(ticket) != nil { cancelledDownloads += 1 }
                case .announce(let version): announced.append(version)
                case .log(let level, let text): log.append("<\(level.rawValue)>\(text)")
                }
            }
            // What is due now is part of the present moment.
            driver.tick(at: clock.now)
            orders = driver.takeOrders()
        }
    }

    /// The device's time, which is not always the system's.
    var time: UTCTime { clock.now }

    var active: String? { driver.machine.memory.slots.activeBundle?.version.description }
    var state: String { driver.machine.state.name }

    /// Turns of the version in force, each of so many milliseconds.
    func speak(
        _ count: Int, milliseconds: Int64 = 400, error: Bool = false, memoryKiB: Int64? = nil,
        words: WordCount? = nil
    ) {
        for _ in 0..<count {
            guard let version = driver.observation.version else { return }
            var turn = TurnRecord(
                latencyMicroseconds: milliseconds * 1_000, cpuMicroseconds: milliseconds * 100)
            turn.error = error
            turn.memoryKiB = memoryKiB
            turn.words = words
            driver.record([(version, turn)], at: clock.now)
            work()
        }
    }
}
