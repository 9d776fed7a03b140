import AgentCore
import Cryptography
import ModelBundle
import Primitives
import Rollouts
import Speech
import TUF
import Telemetry
import TestSupport
import Testing

/// Many agents at one registry, each with its own driver, journal and slots, in one thread and in told time.
///
/// What a poll brings was verified once and is the same for all: so thousands of agents cost seconds. All that makes load is the
/// real code: schedules, jitter, budgets, queues of reports and downloads.
final class Herd {
    /// One device, and the requests that it has made.
    private struct Member {
        let driver: AgentDriver<PlainJournal>
        let journal: PlainJournal
        let slots: MemorySlots
        /// Moments of its requests.
        var requests: [UTCTime] = []
        var wake: UTCTime
    }

    private var members: [Member] = []
    private let registry: MemoryRegistry
    private let cache = MemoryCache()
    /// What a poll brings; nil while the registry cannot be reached.
    var material: PollMaterial?
    /// What every request fails with while there is no material.
    var failure = FetchError.unreachable("no route")
    private(set) var now: UTCTime

    static let interval: Int64 = 900
    static let reportInterval: Int64 = 3_600

    /// Devices that run `bundle`, all switched on at once.
    init(
        _ count: Int, of registry: MemoryRegistry, running bundle: ManifestTarget,
        material: PollMaterial, at start: UTCTime
    ) throws {
        self.registry = registry
        self.material = material
        now = start
        for number in 0..<count {
            let slots = MemorySlots()
            _ = try slots.stage(bundle, into: .a, from: registry, until: Interrupt())
            try slots.activate(.a)
            let journal = PlainJournal()
            let driver = try Self.driver(UInt64(number), journal, slots, at: start)
            try driver.start(at: start)
            members.append(Member(driver: driver, journal: journal, slots: slots, wake: start))
            carryOut(number)
        }
    }

    private static func driver(
        _ number: UInt64, _ journal: PlainJournal, _ slots: MemorySlots, at start: UTCTime
    ) throws -> AgentDriver<PlainJournal> {
        let key = TestKeys.key("herd-\(number)")
        let profile = DeviceProfile(
            id: key.deviceID,
            model: MemoryRegistry.model, channel: .main,
            attributes: DeviceAttributes(
                number: 1, region: try #require(AttributeName("eu")),
                deviceClass: try #require(AttributeName("hub")),
                locale: try #require(AttributeName("en-GB"))),
            agent: try #require(SemanticVersion("0.1.0")))
        var settings = DriverSettings()
        settings.pollInterval = interval
        settings.reportInterval = reportInterval
        return try AgentDriver(
            DriverParts(
                journal: journal, slots: slots, surroundings: TestSurroundings(), key: key,
                random: SeededGenerator(seed: number)),
            profile: profile, settings: settings, isEnrolled: true, at: start)
    }

    // MARK: Time

    /// Lets time pass, second by second, for those who have something to do.
    func pass(_ seconds: Int64) {
        let end = now + seconds
        var due: [Int64: [Int]] = [:]
        for index in members.indices { due[members[index].wake.seconds, default: []].append(index) }
        while now < end {
            now = now + 1
            for index in (due.removeValue(forKey: now.seconds) ?? []).sorted() {
                members[index].driver.tick(at: now)
                carryOut(index)
                due[members[index].wake.seconds, default: []].append(index)
            }
        }
    }

    private func carryOut(_ index: Int) {
        let driver = members[index].driver
        var orders = driver.takeOrders()
        while !orders.isEmpty {
            var cancelled: Set<Ticket> = []
            for order in orders {
                switch order {
                case .start(let ticket, let job, _) where !cancelled.contains(ticket):
                    driver.finish(ticket, result(of: job, index), at: now)
                case .cancel(let ticket): cancelled.insert(ticket)
                case .start, .announce, .log: break
                }
            }
            driver.tick(at: now)
            orders = driver.takeOrders()
        }
        members[index].wake = max(now + 1, driver.nextWake ?? now + 86_400)
    }

    private func result(of job: Job, _ index: Int) -> JobResult {
        switch job {
        case .poll:
            members[index].requests.append(now)
            guard let material else { return .polled(.failure(.fetch(failure))) }
            return .polled(.success(material))
        case .post(let batch):
            members[index].requests.append(now)
            guard material != nil else { return .posted(batch, .failure(failure)) }
            return .posted(batch, .success(ReportReceipt(accepted: batch.sequences)))
        case .enrol: return .enrolled(.success(()))
        case .stage(let target, let slot, let limit):
            members[index].requests.append(now)
            let slots = members[index].slots
            guard material != nil else {
                return .staged(.failure(.fetch(failure, of: MemoryBundle.path("model.onnx"))))
            }
            return .staged(
                Result { () throws(SlotError) in
                    try slots.stage(
                        target, into: slot, from: [registry], atMost: limit, until: Interrupt())
                })
        case .probe: return .probed(.success(.passed(Fixture.measurement)))
        case .verify(let slot, _): return .verified(slot, .success(()))
        case .discard(let slot): return .discarded(slot, .success(()))
        }
    }

    // MARK: What was seen

    /// Requests of all in each minute from a moment on.
    func perMinute(from start: UTCTime) -> [Int] {
        var minutes = [Int](repeating: 0, count: Int((now - start) / 60) + 1)
        for member in members {
            for request in member.requests where request >= start {
                minutes[Int((request - start) / 60)] += 1
            }
        }
        return minutes
    }

    /// The requests of the busiest device in any hour that begins with one of its requests from a moment on.
    func busiestHour(from start: UTCTime) -> Int {
        members.map { member in
            let requests = member.requests.filter { $0 >= start }
            return requests.map { first in
                requests.count { $0 >= first && $0 < first + 3_600 }
            }.max() ?? 0
        }.max() ?? 0
    }

    /// How many devices run a version.
    func count(running version: String) -> Int {
        members.count {
            $0.driver.machine.memory.slots.activeBundle?.version.description == version
        }
    }

    /// Reports that wait, of all devices.
    var waitingReports: Int { members.reduce(0) { $0 + $1.journal.queue(limit: .max).count } }
}

/// A journal without bytes: that they can be written and read is tested elsewhere.
final class PlainJournal: Journaling {
    private var state: JournalState?
    private var reports: [QueuedReport] = []

    var lasting: LastingMemory? { nil }

    func giveUpReserve() -> Bool { false }

    func load() -> JournalState? { state }

    func save(_ state: JournalState, queueing queued: [QueuedReport]) {
        self.state = state
        for report in queued {
            reports.removeAll { report.series != nil && $0.series == report.series }
            reports.append(report)
        }
    }

    func queue(limit: Int) -> [QueuedReport] { Array(reports.prefix(limit)) }

    func dequeue(_ sequences: [Int64]) { reports.removeAll { sequences.contains($0.sequence) } }
}
