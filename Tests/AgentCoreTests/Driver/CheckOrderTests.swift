import AgentCore
import Rollouts
import TestSupport
import Testing

/// An order to poll now.
struct CheckOrderTests {
    @Test(arguments: ["downloading", "announcing"])
    func `ends the wait of a device that has just started`(state: String) throws {
        let (device, old, new) = try UpdateTests().device()
        device.registry.refuseReports(state == "announcing")
        device.registry.holdBlobs(state == "downloading")
        device.registry.touch(device.now)
        device.registry.plan(new, over: old, stages: [device.now])
        device.pass(120)
        #expect(device.state == state)
        device.settings.pollInterval = 86_400
        try device.restart()
        device.registry.refuseReports(false)
        device.registry.holdBlobs(false)
        device.driver.check(at: device.time)
        device.work()
        #expect(device.active == "1.1.0")
    }
}
