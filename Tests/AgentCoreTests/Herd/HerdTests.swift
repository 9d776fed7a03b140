import AgentCore
import Glibc
import Primitives
import Rollouts
import TUF
import TestSupport
import Testing

/// What a registry has to bear when it comes back after an hour in which nobody could reach it.
///
/// `HERD` in the environment says how many devices; 5,000 in `make test-crash`.
@Suite struct HerdTests {
    private static let count: Int = {
        guard let text = unsafe getenv("HERD") else { return 500 }
        return unsafe Int(String(cString: text)) ?? 500
    }()
    private static let retries = 12

    private let registry = TestRegistry(now: UpdateTests.start)

    /// What a poll brings now, fetched and verified once.
    private func material() throws -> PollMaterial {
        let store = MemoryMetadataStore(
            files: [MetadataFileName(.root): registry.simulator.trustedRoot])
        let runner = JobRunner(
            fetching: registry, reporting: registry, slots: MemorySlots(),
            probing: ScriptedProbing(), store: store, cache: MemoryCache(),
            systemTime: { UpdateTests.start })
        let question = PollQuestion(
            model: TestRegistry.model, channel: .main,
            device: try #require(DeviceID(bytes: [UInt8](repeating: 7, count: 16))), concerned: [],
            start: UpdateTests.start, floor: nil)
        guard case .polled(let result) = runner.run(.poll(question), until: Interrupt()) else {
            preconditionFailure("a poll ends as one")
        }
        return try result.get()
    }

    private func policy() -> JSON {
        var policy = UpdateTests.everybody.object ?? [:]
        let budget = DownloadRules.Budget(retries: Self.retries)
        policy["download"] =
            DownloadRules(meteredBudget: budget, unmeteredBudget: budget).json
        return .object(policy)
    }

    /// A herd that has run for an hour; with the release that it is offered when the test says.
    private func herd() throws -> (Herd, next: PollMaterial) {
        let old = try registry.publish("1.0.0", policy: policy(), now: UpdateTests.start)
        registry.plan(
            old, over: nil, state: .completed,
            stages: [UpdateTests.start + -20 * 86_400, UpdateTests.start + -10 * 86_400])
        let first = try material()
        let target = try #require(first.manifests[old.sha256])
        let herd = try Herd(
            Self.count, of: registry, running: target, material: first, at: UpdateTests.start)
        herd.pass(3_600)
        let new = try registry.publish("1.1.0", policy: policy(), now: UpdateTests.start)
        registry.plan(new, over: old, stages: [UpdateTests.start])
        return (herd, try material())
    }

    @Test func `after an hour without the registry no device has gone beyond its budget`() throws {
        let (herd, next) = try herd()
        let steady = herd.perMinute(from: UpdateTests.start + 1_800).dropLast().max() ?? 0
        // A fifth of them begin a download, and the registry goes.
        herd.material = next
        herd.pass(180)
        #expect(herd.count(running: "1.1.0") > 0)
        let outage = herd.now
        herd.material = nil
        herd.pass(3_600)
        let regular = 3_600 / Int(Herd.interval) + 1 + 3_600 / Int(Herd.reportInterval) + 1
        #expect(herd.busiestHour(from: outage) <= regular + Self.retries)
        let back = herd.now
        herd.material = next
        herd.pass(7_200)
        print("during", herd.perMinute(from: outage), "steady", steady)
        let after = herd.perMinute(from: back)
        let busiest = after.max() ?? 0
        #expect(
            busiest <= 3 * steady,
            "the busiest minute after the return: \(busiest), before: \(steady); \(after.prefix(30))"
        )
        #expect(herd.count(running: "1.1.0") == Self.count)
        #expect(herd.waitingReports <= Self.count / 50)
    }
}
