import AgentCore
import AgentJournal
import Cryptography
import FieldfareAgent
import Glibc
import ModelBundle
import PosixFiles
import Primitives
import Rollouts
import SlotHost
import TUF
import Telemetry
import TestSupport
import Testing

/// A whole agent on a disk: its real journal, slots, metadata and targets, with the connections that a test gives it.
///
/// Jobs run at once on the test's thread, and time passes only as the test says.
final class DiskDevice {
    /// What fetches and reports, and for how long.
    struct Connections {
        let polls: any Fetching & Reporting
        let downloads: any Fetching
        let stop = Interrupt()

        init(_ polls: any Fetching & Reporting, downloads: any Fetching) {
            self.polls = polls
            self.downloads = downloads
        }
    }

    let scratch = ScratchFolder("device", isInMemory: true)
    let slots: SlotFolder
    private(set) var driver: AgentDriver<Journal>
    /// Every line that was logged.
    private(set) var log: [String] = []
    private let connections: Connections
    private let probing: PassingProbing
    private let metadata: MetadataFolder
    private let targets: TargetFolder
    private let clocks: Clocks
    private var clock: DeviceClock

    /// The clocks of a machine.
    private final class Clocks {
        var real: UTCTime
        init(real: UTCTime) { self.real = real }
    }

    /// Starts an agent that is enrolled, in an empty folder.
    ///
    /// - Parameters:
    ///   - root: the root of trust that it has from its maker.
    ///   - now: the time.
    ///   - connections: to its registry.
    ///   - observer: asked before each change of its disk, SQLite's among them; nil for nobody.
    ///   - vfs: SQLite's VFS under the same observer.
    /// - Throws: what the parts throw.
    init(
        trusting root: [UInt8], at now: UTCTime, by connections: Connections,
        observer: (any SyscallObserving)? = nil, vfs: String? = nil
    ) throws {
        self.connections = connections
        let clocks = Clocks(real: now)
        self.clocks = clocks
        let state = try StateDirectory(scratch.path("state"), observer: observer)
        let rootFile = try #require(TargetPath("root.json"))
        try Directory(opening: scratch.path).replace(rootFile, with: root)
        try state.installRoot(from: TrustedRootFile(path: scratch.path("root.json")), at: now)
        slots = try SlotFolder(try state.folder("slots", mode: .shared), clock: { now })
        probing = PassingProbing(slots: slots)
        metadata = MetadataFolder(try state.folder("metadata"))
        targets = TargetFolder(try state.folder("targets"))
        clock = DeviceClock(
            realtime: { clocks.real.seconds * 1_000_000_000 },
            boot: { clocks.real.seconds * 1_000_000_000 })
        let key = try state.keys.key()
        driver = try AgentDriver(
            DriverParts(
                journal: Journal(in: state.folder, vfs: vfs), slots: slots,
                surroundings: TestSurroundings(), key: key, random: SeededGenerator(seed: 7)),
            profile: try Self.profile(key), settings: DriverSettings(), isEnrolled: true, at: now)
        driver.heed(&clock)
        try driver.start(at: clock.now)
        work()
    }

    private static func profile(_ key: any DeviceSigning) throws -> DeviceProfile {
        DeviceProfile(
            id: key.deviceID,
            model: MemoryRegistry.model, channel: .main,
            attributes: DeviceAttributes(
                number: 1, region: try #require(AttributeName("eu")),
                deviceClass: try #require(AttributeName("hub")),
                locale: try #require(AttributeName("en-GB"))),
            agent: try #require(SemanticVersion("0.1.0")))
    }

    var now: UTCTime { clocks.real }
    var state: String { driver.machine.state.name }
    var version: String? { driver.machine.memory.slots.activeBundle?.version.description }
    var status: JSON { AgentStatus(of: driver, slots: try? slots.survey()).json }
    var isCommitted: Bool {
        guard let bundle = driver.machine.memory.slots.activeBundle else { return false }
        return driver.machine.state.attempt == nil
            && driver.machine.memory.committed.contains(bundle)
    }

    // MARK: Time

    /// Lets time pass until something is so; at most so many seconds.
    func wait(_ seconds: Int64, until isSo: () -> Bool) throws {
        let end = now + seconds
        while !isSo() {
            try #require(now < end, "after \(seconds) s: \(state), \(version ?? "-"), \(status)")
            step(until: end)
        }
    }

    func pass(_ seconds: Int64) {
        let end = now + seconds
        while now < end { step(until: end) }
    }

    private func step(until end: UTCTime) {
        driver.heed(&clock)
        let wait = driver.nextWake.map { max(1, $0 - clock.now) } ?? .max
        clocks.real = clocks.real + min(wait, end - now)
        driver.tick(at: clock.now)
        work()
    }

    /// Good turns of the version in force.
    func speak(_ count: Int) {
        guard let version = driver.observation.version else { return }
        let turn = TurnRecord(latencyMicroseconds: 400_000, cpuMicroseconds: 40_000)
        driver.record((0..<count).map { _ in (version, turn) }, at: clock.now)
        work()
    }

    /// Lets a version come into force and be committed.
    func take(_ expected: String, within seconds: Int64) throws {
        try wait(seconds) { version == expected }
        speak(250)
        try wait(seconds) { isCommitted }
        #expect(version == expected)
    }

    /// Runs what the driver has ordered, until it orders nothing more.
    private func work() {
        driver.heed(&clock)
        let now = now
        func runner(_ fetching: any Fetching) -> JobRunner<MetadataFolder> {
            JobRunner(
                fetching: fetching, reporting: connections.polls, enrolling: AlreadyEnrolled(),
                slots: slots, probing: probing, store: metadata, cache: targets, systemTime: { now }
            )
        }
        let runners = [
            Job.Lane.registry: runner(connections.polls), .slots: runner(connections.downloads),
        ]
        var orders = driver.takeOrders()
        var cancelled: Set<Ticket> = []
        while !orders.isEmpty {
            for order in orders {
                switch order {
                case .start(let ticket, let job, _):
                    guard !cancelled.contains(ticket), let runner = runners[job.lane] else {
                        continue
                    }
                    driver.finish(ticket, runner.run(job, until: connections.stop), by: &clock)
                case .cancel(let ticket): cancelled.insert(ticket)
                case .log(_, let text): log.append(text)
                case .announce: break
                }
            }
            driver.tick(at: clock.now)
            orders = driver.takeOrders()
        }
    }

    // MARK: The disk

    func requireServing(_ bundle: MemoryBundle) throws {
        try bundle.requireActive(in: scratch.path("state/slots"))
    }

    /// Every file below the state directory with its mode and length; of the journal's files the names alone.
    func tree() throws -> [String] {
        let words = [
            "/usr/bin/find", scratch.path("state"), "!", "-type", "d", "-printf", "%P %m %s\n",
        ]
        let lines = String(decoding: try ChildProcess(words).output, as: UTF8.self)
            .split(separator: "\n").map(String.init)
        return lines.map { line in
            let isJournal = line.hasPrefix("journal.db") || line.hasPrefix("memory.json")
            return isJournal ? String(line.prefix { $0 != " " }) : line
        }.sorted()
    }

    /// Descriptors of this process that are open below the state directory, one path each.
    func openFiles() throws -> [String] {
        let folder = "/proc/self/fd"
        let own = scratch.path("state")
        return try Directory(opening: folder).list().compactMap { entry in
            var buffer = [CChar](repeating: 0, count: 4_096)
            let count = unsafe readlink("\(folder)/\(entry.name)", &buffer, buffer.count)
            let path = String(
                decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return path.hasPrefix(own) ? path : nil
        }.sorted()
    }
}

/// For a device that is enrolled from the start.
private struct AlreadyEnrolled: Enrolling {
    func enrol(isForgotten: Bool, until stop: Interrupt) throws(EnrolmentFailure) {}
}
