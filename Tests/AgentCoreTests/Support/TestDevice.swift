import AgentCore
import Cryptography
import Primitives
import Rollouts
import TUF
import Telemetry
import TestSupport
import Testing

/// A whole agent over memory ports; jobs run at once, and time passes only as the test says.
final class TestDevice {
    let registry: TestRegistry
    let slots = MemorySlots()
    let probing = ScriptedProbing()
    let journal = MemoryJournal()
    let cache = MemoryCache()
    let store: MemoryMetadataStore
    var now: UTCTime
    private(set) var driver: AgentDriver<MemoryJournal>
    private(set) var announced: [SemanticVersion?] = []
    private(set) var log: [String] = []
    var settings: DriverSettings
    private let key: Ed25519PrivateKey
    private let profile: DeviceProfile

    init(
        _ registry: TestRegistry, at now: UTCTime, name: String = "device",
        model: ModelName = TestRegistry.model
    ) throws {
        self.registry = registry
        self.now = now
        store = MemoryMetadataStore(
            files: [MetadataFileName(.root): registry.simulator.trustedRoot])
        key = TestKeys.key(name)
        profile = DeviceProfile(
            id: DeviceID(publicKeyDigest: SHA256.digest(of: key.publicKey.bytes)),
            model: model, channel: .main,
            attributes: DeviceAttributes(
                number: 1, region: try #require(AttributeName("eu")),
                deviceClass: try #require(AttributeName("hub")),
                locale: try #require(AttributeName("en-GB"))),
            agent: try #require(SemanticVersion("0.1.0")))
        settings = DriverSettings()
        settings.pollInterval = 60
        settings.reportInterval = 300
        settings.verifyInterval = 3_600
        driver = try Self.driver(journal, slots, key, profile, settings, now)
        try driver.start(at: now)
        work()
    }

    private static func driver(
        _ journal: MemoryJournal, _ slots: MemorySlots, _ key: Ed25519PrivateKey,
        _ profile: DeviceProfile, _ settings: DriverSettings, _ now: UTCTime
    ) throws -> AgentDriver<MemoryJournal> {
        try AgentDriver(
            DriverParts(
                journal: journal, slots: slots, surroundings: TestSurroundings(), key: key,
                random: SeededGenerator(seed: 7)),
            profile: profile, settings: settings, isEnrolled: true, at: now)
    }

    /// The process is gone and comes again; the journal, slots and metadata stay.
    func restart() throws {
        driver = try Self.driver(journal, slots, key, profile, settings, now)
        try driver.start(at: now)
        work()
    }

    /// Lets time pass, a second a step, and does what becomes due.
    func pass(_ seconds: Int64) {
        let end = now + seconds
        while now < end {
            let wake = driver.nextWake.map { max($0, now + 1) } ?? end
            now = min(end, wake)
            driver.tick(at: now)
            work()
        }
    }

    /// Runs what the driver has ordered, until it orders nothing more.
    func work() {
        let runner = JobRunner(
            fetching: registry, reporting: registry, slots: slots, probing: probing, store: store,
            cache: cache)
        var orders = driver.takeOrders()
        var cancelled: Set<Ticket> = []
        while !orders.isEmpty {
            for order in orders {
                switch order {
                case .start(let ticket, let job, _):
                    guard !cancelled.contains(ticket) else { continue }
                    driver.finish(ticket, runner.run(job, until: Interrupt()), at: now)
                case .cancel(let ticket): cancelled.insert(ticket)
                case .announce(let version): announced.append(version)
                case .log(let level, let text): log.append("<\(level.rawValue)>\(text)")
                }
            }
            // What is due now is part of the present moment.
            driver.tick(at: now)
            orders = driver.takeOrders()
        }
    }

    var active: String? { driver.machine.memory.slots.activeBundle?.version.description }
    var state: String { driver.machine.state.name }

    /// Turns of the version in force, each of so many milliseconds.
    func speak(_ count: Int, milliseconds: Int64 = 400, error: Bool = false) {
        for _ in 0..<count {
            guard let version = driver.observation.version else { return }
            var turn = TurnRecord(
                latencyMicroseconds: milliseconds * 1_000, cpuMicroseconds: milliseconds * 100)
            turn.error = error
            driver.record([(version, turn)], at: now)
            work()
        }
    }
}
