import AgentCore
import Primitives
import Rollouts
import TUF
import Telemetry
import TestSupport
import Testing

/// Plans that go beyond their policy, signed with the true keys: published in a repository, polled by the agent, and
/// refused by it with the reason of the rule they break.
@Suite struct SignedPlanTests {
    /// The last one is not offered by a poll, which refuses such a timestamp: see the test of its own.
    private static let cases = RefusalCase.all.filter { $0.reason != .timestampExpired }

    private static let unreadable = [
        "{}", #"{"schema":"fieldfare.plan/2"}"#, "no JSON", "",
    ]

    /// A registry that has published the world, and a device in it whose agent runs.
    private func device(in world: RolloutWorld, plan: [UInt8]?) throws -> TestDevice {
        let registry = MemoryRegistry(now: world.now)
        // A device without a model polls as soon as it runs, and shall have a plan in its next poll only.
        registry.publish(world, plan: nil)
        let device = try TestDevice(registry, at: world.now, knowing: world.device)
        if let plan { registry.publish(world, plan: plan) }
        return device
    }

    private func poll(_ device: TestDevice) throws -> Decision {
        device.driver.check(at: device.time)
        device.work()
        #expect(device.driver.pollError == nil)
        return try #require(device.driver.judgement?.decision)
    }

    @Test func `a healthy plan is obeyed`() throws {
        let world = RolloutWorld()
        let device = try device(in: world, plan: world.plan.json.canonicalBytes)
        #expect(device.active == "1.3.0")
        #expect(try poll(device).action == .forward(RolloutWorld.reference("1.4.0")))
        device.pass(60)
        #expect(device.active == "1.4.0" && device.state == "probation")
    }

    @Test(arguments: cases) func `every device refuses`(_ item: RefusalCase) throws {
        var world = RolloutWorld()
        item.breakIt(&world)
        let device = try device(in: world, plan: world.plan.json.canonicalBytes)
        let before = device.active
        // What is taken instead arrives after we have looked at the decision.
        device.registry.holdBlobs(item.target != nil)
        let decision = try poll(device)
        #expect(Set(decision.refusals) == item.reasons)
        #expect(decision.target?.version.description == item.target)
        try checkReport(of: decision, by: device)
        if item.target != nil {
            device.registry.holdBlobs(false)
            device.pass(3_600)
        }
        #expect(device.active == item.target ?? before)
        #expect(device.registry.reports.allSatisfy { $0["candidate"] != "1.4.0" })
    }

    /// A plan that breaks its policy is told to the registry: here with the transition that an order makes.
    private func checkReport(of decision: Decision, by device: TestDevice) throws {
        guard decision.target == nil, !device.driver.machine.memory.isHeld else { return }
        device.driver.handle(.ordered(.hold), at: device.time)
        device.work()
        // A device that has just started keeps its reports for a moment.
        let waiting = try device.journal.queue(limit: QueuedReport.queueLimit).map(\.body)
        let made = device.registry.reports + waiting
        let report = try #require(made.last(where: { $0["kind"]?.string == "transition" }))
        let told = report["reasons"]?.array?.compactMap(\.string) ?? []
        let standing = StandingReasons.codes(
            [.heldOnDevice], material: device.driver.material, error: nil, decision: decision)
        #expect(told.sorted() == standing.map(\.rawValue).sorted())
    }

    @Test func `every device refuses to go without a plan`() throws {
        let device = try device(in: RolloutWorld(), plan: nil)
        #expect(try poll(device).refusals == [.noPlan])
        #expect(device.active == "1.3.0")
    }

    @Test(arguments: unreadable) func `every device refuses what is no plan`(text: String) throws {
        let device = try device(in: RolloutWorld(), plan: Array(text.utf8))
        #expect(try poll(device).refusals == [.planUnreadable])
        #expect(device.active == "1.3.0")
    }

    /// The poll saw a good timestamp; when the bundle has come, nobody has signed a newer one.
    @Test func `a timestamp that expires during the download ends the way forward`() throws {
        var world = RolloutWorld()
        world.device.freshness = DeviceFacts.Freshness(
            timestampSigned: world.now + -60, timestampExpires: world.now + 600)
        let device = try device(in: world, plan: world.plan.json.canonicalBytes)
        device.registry.holdBlobs(true)
        #expect(try poll(device).refusals == [])
        device.pass(700)
        #expect(device.state == "downloading")
        device.registry.holdBlobs(false)
        device.pass(3_600)
        #expect(device.state == "verified" && device.active == "1.3.0")
        #expect(device.driver.judgement?.decision.refusals == [.timestampExpired])
    }

    @Test func `every reason has a case here`() {
        let own: Set<RefusalReason> = [.noPlan, .planUnreadable, .timestampExpired]
        let covered = Set(Self.cases.map(\.reason)).union(own)
        #expect(covered == Set(RefusalReason.allCases))
    }
}
