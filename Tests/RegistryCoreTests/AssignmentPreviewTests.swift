import Primitives
import RegistryCore
import RegistryTestSupport
import Rollouts
import Testing

/// Who would be in a stage that has yet to begin.
struct AssignmentPreviewTests {
    /// What a decision comes to.
    private struct Place: Hashable {
        let action: Decision.Action
        let arm: Arm?
        let stage: Int?

        init(_ decision: Decision) {
            action = decision.action
            arm = decision.arm
            stage = decision.stage
        }

        var isForward: Bool { if case .forward = action { true } else { false } }
    }

    private func places(
        _ scene: ControllerTests.Scene, _ stage: String? = nil
    ) throws -> [DeviceID: Place] {
        let assignments = Assignments(store: scene.registry.store, blobs: scene.registry.blobs)
        var places: [DeviceID: Place] = [:]
        for device in scene.fleet.devices {
            let answer = try assignments.decide(
                for: device.id, scene.registry.model, .main,
                stage: stage.map { try #require(AttributeName($0)) }, by: scene.registry.admin,
                at: scene.now)
            #expect(answer.json["preview"]?["stage"]?.string == stage)
            places[device.id] = Place(answer.decision)
        }
        return places
    }

    @Test func `the preview of a stage is what devices decide once it has begun`() throws {
        // Shares so small that the numbers of devices decide.
        var policy = try #require(ControllerTests.policy.object)
        policy["hold_back"] = ["share": 100, "least_devices": 10, "cap": 5_000]
        let scene = try ControllerTests.Scene(policy: .object(policy))
        try scene.create("1.1.0")
        let records = try scene.registry.auditRecords()
        let canary = try places(scene, "canary")
        let first = canary.values.count { $0.stage == 0 }
        #expect((10..<30).contains(first))
        #expect(canary.values.count(where: \.isForward) == first)
        #expect(canary.values.count { $0.arm == .control } == 10)
        #expect(try scene.registry.auditRecords() == records)
        try scene.order(.start)
        #expect(try places(scene) == canary)
        // The last stage, beside what has begun: all but those held back, an hour later.
        let stable = try places(scene, "stable")
        let reached = stable.values.count { $0.stage != nil }
        #expect(reached > first && reached < 40)
        #expect(stable.values.allSatisfy { $0.arm != nil })
        for (device, place) in canary where place.stage == 0 {
            #expect(stable[device]?.stage == 0)
        }
        #expect(try places(scene) == canary)
    }

    @Test func `a preview waits for no approval, and says when the stage could begin`() throws {
        var policy = try #require(ControllerTests.policy.object)
        var stages = (policy["stages"]?.array ?? []).compactMap(\.object)
        stages[1]["promote"] = "signed"
        policy["stages"] = .array(stages.map { .object($0) })
        let scene = try ControllerTests.Scene(policy: .object(policy))
        try scene.create("1.1.0")
        #expect(try places(scene, "stable").values.contains(where: \.isForward))
        let assignments = Assignments(store: scene.registry.store, blobs: scene.registry.blobs)
        let device = try #require(scene.fleet.devices.first)
        let answer = try assignments.decide(
            for: device.id, scene.registry.model, .main, stage: AttributeName("stable"),
            by: scene.registry.admin, at: scene.now)
        #expect(answer.preview?.at == scene.now + 3_600)
        #expect(answer.assumed.contains("verdicts, orders and approvals that the stage waits for"))
    }

    @Test func `there is no preview of a stage that is not there, or of what has ended`() throws {
        let scene = try ControllerTests.Scene()
        #expect(
            throws: RegistryError.stateConflict(
                order: "preview",
                reason: "rollout: expected one that has not ended, got completed")
        ) { try places(scene, "all") }
        try scene.create("1.1.0")
        #expect(throws: RegistryError.notFound("stage", "gamma")) { try places(scene, "gamma") }
    }
}
