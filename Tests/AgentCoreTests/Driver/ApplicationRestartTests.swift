import AgentCore
import Primitives
import Rollouts
import Telemetry
import TestSupport
import Testing

/// Which leases are a restart of the application, and what a version on probation is held to for them.
@Suite struct ApplicationRestartTests {
    private static func process(
        _ number: Int64, of application: String = "voice", ticks: Int64 = 1_000, boot: String = "b1"
    ) -> ApplicationProcess {
        ApplicationProcess(
            application: application, process: number, startTicks: ticks, boot: boot)
    }

    /// A device in probation, with whoever runs on it.
    private func device() throws -> TestDevice {
        let (device, old, new) = try UpdateTests().device()
        device.registry.touch(device.now)
        device.registry.plan(new, over: old, stages: [device.now])
        device.pass(120)
        #expect(device.state == "probation")
        return device
    }

    private func crashes(_ device: TestDevice) -> Int64 {
        device.driver.observation.tally.counters.crashes
    }

    private func lease(_ device: TestDevice, _ process: ApplicationProcess, gone: Bool = true) {
        device.driver.leased(by: process, at: device.time) { _ in !gone }
        device.work()
    }

    @Test func `a process in the place of one that is gone is a restart`() throws {
        let device = try device()
        lease(device, Self.process(7))
        lease(device, Self.process(7))
        #expect(crashes(device) == 0, "the first one, twice")
        lease(device, Self.process(8), gone: false)
        #expect(crashes(device) == 0, "both run: two processes of one application")
        lease(device, Self.process(9, of: "other"))
        #expect(crashes(device) == 0, "another application")
        lease(device, Self.process(8, ticks: 2_000))
        #expect(crashes(device) == 1, "the same number, but another process")
        lease(device, Self.process(3, boot: "b2"))
        #expect(crashes(device) == 1, "the device was switched off")
    }

    /// As where the agent lives in the application.
    @Test func `restarts are counted over those of the agent, and the version falls`() throws {
        let device = try device()
        for number in 1...12 where device.state == "probation" {
            try device.restart()
            lease(device, Self.process(Int64(number)))
        }
        #expect(device.state == "rejected")
        #expect(device.active == "1.0.0")
    }

    @Test func `so many applications are remembered, the newest of them`() throws {
        let device = try device()
        for number in 1...20 {
            lease(device, Self.process(Int64(number), of: "application-\(number)"))
        }
        let names = device.driver.applications.map(\.application)
        #expect(names == (5...20).map { "application-\($0)" })
        try device.restart()
        #expect(device.driver.applications.map(\.application) == names)
    }
}
