import AgentCore
import CurlTransport
import FieldfareAgent
import ModelBundle
import Primitives
import Rollouts
import TUF
import TestSupport
import Testing

/// A registry that lies about each thing in each way, and a whole agent that asks it over real sockets.
struct LyingRegistryTests {
    private static let start = UTCTime(clamping: 1_800_000_000)
    private static let day: Int64 = 86_400

    /// Two releases, signed once: the repository before the second one, and with it.
    private struct Releases {
        let old: MemoryBundle
        let new: MemoryBundle
        /// The one before, with a timestamp that is older than that.
        let stale: SimulatedRepository
        let before: SimulatedRepository
        let after: SimulatedRepository

        init() throws {
            let registry = MemoryRegistry(now: start)
            old = try MemoryBundle("1.0.0", ["large.bin": MemoryBundle.noise(5_000, seed: 1)])
            new = try MemoryBundle("1.1.0", ["large.bin": MemoryBundle.noise(5_000, seed: 2)])
            let policy = MemoryRegistry.everybody(from: start)
            let first = try registry.publish(old, policy: policy, now: start)
            registry.sign(first, over: nil, state: .completed, at: start)
            stale = registry.simulator.repository
            registry.simulator.edit { $0.updateTimestamp() }
            before = registry.simulator.repository
            let second = try registry.publish(new, policy: policy, now: start)
            registry.sign(second, over: first, at: start + 1)
            after = registry.simulator.repository
        }
    }

    private static let releases = Result { try Releases() }

    private static func client(_ server: LoopbackServer) -> RegistryClient {
        var settings = HTTPClientSettings()
        settings.allowsPlainHTTP = true
        settings.stall = .seconds(1)
        return RegistryClient(base: server.url, settings: settings, documentLimit: .seconds(10))
    }

    @Test(arguments: LieCase.all)
    func `keeps its model while the registry lies, and goes on once it is honest`(
        _ item: LieCase
    ) throws {
        let releases = try Self.releases.get()
        let registry = MemoryRegistry(now: Self.start)
        for bundle in [releases.old, releases.new] { registry.serve(bundle) }
        registry.simulator.edit { $0 = releases.before }
        let liar = LyingRegistry(registry, old: releases.stale)
        let server = LoopbackServer { liar.answer($0) }
        let clients = (polls: Self.client(server), downloads: Self.client(server))
        let device = try DiskDevice(
            trusting: registry.simulator.trustedRoot, at: Self.start,
            by: .init(clients.polls, downloads: clients.downloads))
        try device.take("1.0.0", within: Self.day)

        registry.simulator.edit { $0 = releases.after }
        let sent = server.bytesSent
        let received = (clients.polls.metrics + clients.downloads.metrics).bytesReceived
        liar.tell(item)
        try device.wait(10 * Self.day) { liar.told >= item.times }
        #expect(device.version == "1.0.0")
        try device.requireServing(releases.old)
        let said = Self.words(device, item.thing)
        #expect(said.hasPrefix(Self.named(item)) && said.contains(Self.expected(item)), "\(said)")
        let most = Int64(liar.told) * item.thing.limit + (1 << 20)
        let taken = (clients.polls.metrics + clients.downloads.metrics).bytesReceived - received
        #expect(taken <= most)
        #expect(server.bytesSent - sent <= most + Int64(liar.told) * Self.socketRoom)

        liar.tell(nil)
        try device.take("1.1.0", within: 10 * Self.day)
        try device.requireServing(releases.new)
        let beacons = registry.reports(of: "swap_beacon").map { $0["candidate"]?.string }
        #expect(beacons == ["1.0.0", "1.1.0"])
    }

    /// What the kernel may hold between server and agent.
    private static let socketRoom: Int64 = 16 << 20

    @Test func `leaves out what has no sense, and nothing else`() {
        #expect(LieCase.all.count == 10 * 8 - LieCase.leftOut.count)
    }

    // MARK: What the agent says

    /// What `status` says of a poll, and the log of the rest.
    private static func words(_ device: DiskDevice, _ thing: Thing) -> String {
        let beginning =
            switch thing {
            case .blob: "cannot stage: "
            case .report: "cannot post reports: "
            default: ""
            }
        guard beginning.isEmpty else {
            return device.log.last { $0.hasPrefix(beginning) } ?? "state \(device.state)"
        }
        return device.status["metadata"]?["poll_error"]?.string ?? "no error"
    }

    /// Which file it is about; nothing for metadata and reports.
    private static func named(_ item: LieCase) -> String {
        if item.thing == .blob { return "cannot stage: file 'large.bin': expected " }
        return item.thing.target.map { "cannot take target '\($0)': expected " } ?? ""
    }

    /// What tells an operator what is the matter.
    private static func expected(_ item: LieCase) -> String {
        switch (item.lie, item.thing) {
        case (.truncates, _), (.resets, _): "connection ended after "
        case (.stalls, _): "stalled after "
        case (.notFound, .timestamp), (.notFound, .snapshot), (.notFound, .role):
            ".json, got nothing of that name"
        case (.notFound, .report): "the registry has nothing of that name"
        case (.notFound, _): "got nothing of that name"
        case (.tooMany, _) where item.thing.isNamed:
            "got a busy registry (status 429) that asks to wait 90 s"
        case (.tooMany, _): "the registry is busy (status 429), and asks to wait 90 s"
        case (.fails, _) where item.thing.isNamed: "got a busy registry (status 500)"
        case (.fails, _): "the registry is busy (status 500)"
        case (.isEndless, _) where item.thing.isNamed: "got more than "
        case (.isEndless, _): "expected at most "
        case (.wrongLength, .timestamp), (.wrongLength, .role), (.wrongLength, .report):
            "expected more, got the end of the text"
        case (.wrongLength, .snapshot): "cannot accept snapshot: expected 445 bytes, got 444"
        case (.wrongLength, .blob): "expected 1 bytes, got 0"
        case (.wrongBytes, .timestamp): "cannot read timestamp: JSON at byte "
        case (.wrongBytes, .role): "expected valid signatures of 2 keys of targets, got 0"
        case (.wrongBytes, .blob): "expected SHA-256 "
        // Nobody has said that the beacon was taken.
        case (.wrongBytes, .report): "state announcing"
        case (.isOld, .timestamp): "is older than version "
        case (.isOld, .role): "cannot accept model.commands-en: expected version 3, got 2"
        case (_, .snapshot): "cannot accept snapshot: expected SHA-256 "
        case (_, .manifest), (_, .policy), (_, .plan): "expected sha256 "
        case (.isOld, .blob), (.isOld, .report): "left out of the table"
        }
    }
}
