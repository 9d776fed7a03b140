import AgentCore
import Glibc
import Primitives
import Rollouts
import TUF
import TestSupport
import Testing

/// What a registry has to bear when it comes back after an hour in which nobody could reach it.
///
/// `HERD` in the environment says how many devices; 5,000 in `make test-crash` (scripts/herd.sh).
@Suite struct HerdTests {
    private static let count: Int = {
        guard let text = unsafe getenv("HERD") else { return 500 }
        return unsafe Int(String(cString: text)) ?? 500
    }()

    /// What a poll brings now, fetched and verified once.
    private func material(of registry: MemoryRegistry) throws -> PollMaterial {
        let store = MemoryMetadataStore(
            files: [MetadataFileName(.root): registry.simulator.trustedRoot])
        let runner = JobRunner(
            fetching: registry, reporting: registry, enrolling: registry, slots: MemorySlots(),
            probing: ScriptedProbing(), store: store, cache: MemoryCache(),
            systemTime: { UpdateTests.start })
        let question = PollQuestion(
            model: MemoryRegistry.model, channel: .main,
            device: try #require(DeviceID(bytes: [UInt8](repeating: 7, count: 16))), concerned: [],
            start: UpdateTests.start, floor: nil)
        guard case .polled(let result) = runner.run(.poll(question), until: Interrupt()) else {
            preconditionFailure("a poll ends as one")
        }
        return try result.get()
    }

    private func policy(retries: Int) -> JSON {
        var policy = UpdateTests.everybody.object ?? [:]
        let budget = DownloadRules.Budget(retries: retries)
        policy["download"] =
            DownloadRules(meteredBudget: budget, unmeteredBudget: budget).json
        return .object(policy)
    }

    /// A herd that has run for an hour; with the release that it is offered when the test says.
    private func herd(retries: Int, count: Int) throws -> (Herd, next: PollMaterial) {
        let registry = MemoryRegistry(now: UpdateTests.start)
        let policy = policy(retries: retries)
        let old = try registry.publish("1.0.0", policy: policy, now: UpdateTests.start)
        registry.plan(
            old, over: nil, state: .completed,
            stages: [UpdateTests.start + -20 * 86_400, UpdateTests.start + -10 * 86_400])
        let first = try material(of: registry)
        let target = try #require(first.manifests[old.sha256])
        let herd = try Herd(
            count, of: registry, running: target, material: first, at: UpdateTests.start)
        herd.pass(3_600)
        let new = try registry.publish("1.1.0", policy: policy, now: UpdateTests.start)
        registry.plan(new, over: old, stages: [UpdateTests.start])
        return (herd, try material(of: registry))
    }

    /// Requests of the busiest device in an hour without the registry, by what the policy allows it to repeat.
    private func busiestHourWithout(_ retries: Int) throws -> Int {
        let (herd, next) = try herd(retries: retries, count: 60)
        herd.material = next
        herd.pass(300)
        let outage = herd.now
        herd.material = nil
        herd.pass(3_600)
        return herd.busiestHour(from: outage)
    }

    @Test func `in an hour without the registry no device repeats more than its policy allows`()
        throws
    {
        let regular = try busiestHourWithout(0)
        for retries in [3, 12] {
            let found = try busiestHourWithout(retries)
            #expect(
                found > regular && found <= regular + retries,
                "\(found) of \(regular) and \(retries)")
        }
    }

    @Test func `the registry comes back to no more than a release brings anyway`() throws {
        // The same release without an outage, for comparison.
        let retries = 12
        let (calm, release) = try herd(retries: retries, count: Self.count)
        let calmFrom = calm.now
        calm.material = release
        calm.pass(3_600)
        let usual = calm.perMinute(from: calmFrom).max() ?? 0
        #expect(calm.count(running: "1.1.0") == Self.count)

        let (herd, next) = try herd(retries: retries, count: Self.count)
        // Some begin the download, and the registry goes.
        herd.material = next
        herd.pass(300)
        #expect(herd.count(running: "1.1.0") > 0)
        let outage = herd.now
        herd.material = nil
        herd.pass(3_600)
        let back = herd.now
        herd.material = next
        herd.pass(2 * 3_600)
        let after = herd.perMinute(from: back)
        let busiest = after.max() ?? 0
        let most = herd.busiestHour(from: outage)
        let regular = calm.busiestHour(from: calmFrom)
        print(
            "\(Self.count) agents: \(busiest) requests in the busiest minute after the outage, \(usual) without one; "
                + "\(most) in the busiest hour of a device, \(regular) without an outage, \(retries) allowed to be repeated"
        )
        #expect(most <= regular + retries)
        #expect(
            busiest <= usual * 3 / 2,
            "the busiest minute after the return: \(busiest), of the same release without an outage: \(usual); \(after.prefix(40))"
        )
        #expect(herd.count(running: "1.1.0") == Self.count)
        #expect(herd.waitingReports <= Self.count / 50)
    }
}
