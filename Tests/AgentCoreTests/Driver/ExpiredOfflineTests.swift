import AgentCore
import Primitives
import Rollouts
import TUF
import TestSupport
import Testing

/// A whole device where people have forgotten to sign: `targets` or the model's role has ended (ADR 0001).
@Suite struct ExpiredOfflineTests {
    private static let roles = [RoleName.targets, .model(MemoryRegistry.model)]

    /// Signs a role with this end.
    private func end(_ role: RoleName, at moment: UTCTime, _ registry: MemoryRegistry) {
        registry.simulator.edit {
            $0.roles[role]?.expires = moment
            $0.update(role)
        }
    }

    /// A device that runs 1.1.0, committed after 1.0.0, and a role that has ended.
    private func device(
        _ role: RoleName
    ) throws -> (TestDevice, old: BundleReference, new: BundleReference) {
        let (device, old, new) = try UpdateTests().device()
        device.registry.plan(new, over: old, stages: [device.now])
        device.pass(120)
        device.speak(250)
        try #require(device.state == "committed" && device.active == "1.1.0")
        end(role, at: device.now, device.registry)
        return (device, old, new)
    }

    private func refusals(_ device: TestDevice) -> [RefusalReason] {
        device.driver.judgement?.decision.refusals ?? []
    }

    @Test(arguments: roles)
    func `takes nothing new until somebody has signed again`(role: RoleName) throws {
        let (device, _, new) = try device(role)
        let next = try device.registry.publish(
            "1.2.0", policy: UpdateTests.everybody, now: UpdateTests.start)
        device.registry.plan(next, over: new, stages: [device.now])
        device.pass(600)
        #expect(device.driver.pollError == nil, "the plan is read")
        #expect(device.driver.material?.readablePlan?.candidate == next)
        #expect(device.active == "1.1.0" && device.state == "committed")
        #expect(refusals(device).contains(.offlineMetadataExpired))

        end(role, at: device.now + 90 * SimulatedRepository.day, device.registry)
        device.pass(180)
        #expect(device.active == "1.2.0")
    }

    @Test(arguments: roles)
    func `stays, or goes back, as a newer plan says`(role: RoleName) throws {
        let (device, old, new) = try device(role)
        device.registry.plan(new, over: old, state: .paused, stages: [device.now])
        device.pass(120)
        #expect(device.driver.material?.readablePlan?.state == .paused)
        #expect(device.active == "1.1.0" && device.state == "committed")
        device.registry.plan(
            new, over: old, state: .rolledBack, stages: [device.now],
            withdrawn: [Withdrawal(version: new.version, sha256: new.sha256, at: device.now)])
        device.pass(120)
        #expect(device.active == "1.0.0")
    }

    @Test(arguments: roles)
    func `pauses on its way to a new version`(role: RoleName) throws {
        let (device, old, new) = try UpdateTests().device()
        device.registry.refuseReports(true)
        device.registry.plan(new, over: old, stages: [device.now])
        device.pass(120)
        try #require(device.state == "announcing")
        end(role, at: device.now, device.registry)
        device.registry.plan(new, over: old, state: .paused, stages: [device.now])
        device.pass(120)
        device.registry.refuseReports(false)
        device.pass(1_200)
        #expect(device.active == "1.0.0", "announced, and not taken")
    }
}
