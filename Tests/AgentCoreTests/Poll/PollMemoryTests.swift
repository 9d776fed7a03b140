import AgentCore
import Primitives
import Rollouts
import TUF
import TestSupport
import Testing

/// What a poll costs where nothing has changed, and what makes it whole again.
@Suite struct PollMemoryTests {
    private static let one = ["tuf/timestamp.json"]

    private let start = UTCTime(clamping: 1_800_000_000)
    private let registry = MemoryRegistry(now: UTCTime(clamping: 1_800_000_000))
    private let store: MemoryMetadataStore
    private let memory = PollMemory()
    private let old: BundleReference
    private let new: BundleReference

    init() throws {
        store = MemoryMetadataStore(
            files: [MetadataFileName(.root): registry.simulator.trustedRoot])
        old = try registry.publish("1.0.0", now: start)
        new = try registry.publish("1.1.0", now: start)
        registry.plan(new, over: old, stages: [start])
    }

    /// Polls, and returns what came and what was asked for.
    private func poll(
        after seconds: Int64 = 0, concerned: [BundleReference] = []
    ) throws -> (material: PollMaterial, requests: [String]) {
        registry.forgetRequests()
        let cycle = PollCycle(
            fetching: registry, store: store, cache: MemoryCache(), stop: Interrupt(),
            memory: memory)
        let material = try cycle.run(
            PollQuestion(
                model: MemoryRegistry.model, channel: .main,
                device: try #require(DeviceID(bytes: [UInt8](repeating: 7, count: 16))),
                concerned: concerned, start: start + seconds))
        return (material, registry.requests)
    }

    @Test func `one request where the repository has not changed`() throws {
        #expect(try poll().requests.count > 5)
        let (material, requests) = try poll(after: 900)
        #expect(requests == Self.one)
        #expect(material.readablePlan?.candidate == new && material.manifests.count == 2)
    }

    @Test func `a new timestamp brings all that is new, a root among it`() throws {
        _ = try poll()
        registry.plan(new, over: old, state: .paused, stages: [start])
        let (material, requests) = try poll(after: 900)
        #expect(material.readablePlan?.state == .paused)
        #expect(requests.contains("tuf/2.root.json"))
        #expect(try poll(after: 1_800).requests == Self.one)
    }

    @Test func `another question is asked in full`() throws {
        _ = try poll()
        #expect(try poll(after: 900, concerned: [old]).requests.count > 2)
        #expect(try poll(after: 900, concerned: [old]).requests == Self.one)
    }

    @Test func `what has expired is asked for in full, and refused`() throws {
        let (material, _) = try poll()
        let left = material.timestampExpires - start
        #expect(try poll(after: left - 1).requests == Self.one)
        #expect(throws: PollError.self) { try poll(after: left) }
        #expect(registry.requests.count > 1)
    }

    @Test func `after a poll that ended halfway nothing older is taken again`() throws {
        _ = try poll()
        let before = registry.simulator.repository
        registry.plan(new, over: old, state: .paused, stages: [start])
        let plan = TargetPath.plan(of: MemoryRegistry.model, .main)
        registry.tamper(with: plan)
        #expect(throws: PollError.self) { try poll(after: 900) }
        // The repository as it was: the timestamp that was trusted meanwhile is newer.
        registry.simulator.edit { $0 = before }
        #expect(throws: PollError.self) { try poll(after: 1_800) }
        #expect(registry.requests.count > 1)
    }
}
