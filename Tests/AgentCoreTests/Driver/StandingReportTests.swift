import AgentCore
import Primitives
import Rollouts
import TestSupport
import Testing

/// What a device says of itself while nothing happens on it.
@Suite struct StandingReportTests {
    /// After so many seconds a device has reported anew.
    private static let reported: Int64 = 4_500

    private let device: TestDevice
    private let old: BundleReference
    private let new: BundleReference

    init() throws { (device, old, new) = try UpdateTests().device() }

    private func update() {
        device.registry.touch(device.now)
        device.registry.plan(new, over: old, stages: [device.now])
        device.pass(120)
        device.speak(250)
        #expect(device.active == "1.1.0" && device.state == "committed")
    }

    /// The reasons of the newest periodic report.
    private var reasons: [String] {
        device.registry.reports(of: "periodic").last?["reasons"]?.array?.compactMap(\.string) ?? []
    }

    @Test func `an application that does not take the new model is reported, until it does`() throws
    {
        device.driver.acknowledge(old.version, at: device.now)
        update()
        #expect(!reasons.contains("not_serving"))
        device.pass(Self.reported)
        #expect(reasons.contains("not_serving"))
        device.driver.acknowledge(new.version, at: device.now)
        device.pass(Self.reported)
        #expect(!reasons.contains("not_serving"))
    }

    @Test func `the first report after a start comes within the interval of the policy`() throws {
        device.settings.reportInterval = 10_000_000
        try device.restart()
        device.pass(60)
        device.registry.forgetReports()
        device.pass(3_600)
        #expect(device.registry.reports(of: "periodic").count == 1)
    }

    @Test func `an application that never says what it serves is not reported`() {
        update()
        device.pass(Self.reported)
        #expect(!device.registry.reports(of: "periodic").isEmpty && reasons.isEmpty)
    }

    @Test func `an application that keeps a slot beyond its deadline is reported`() {
        var lease = device.slots.lease()
        update()
        device.pass(Self.reported)
        #expect(lease != nil && reasons.isEmpty)
        device.slots.passDeadlines()
        device.pass(Self.reported)
        #expect(reasons == ["lease_overdue"])
        lease = nil
        device.pass(Self.reported)
        #expect(reasons.isEmpty)
    }

    @Test func `a damaged slot that serves for want of another is reported`() throws {
        let slots = device.driver.machine.memory.slots
        let active = try #require(slots.active)
        device.registry.holdBlobs(true)
        device.slots.rot(active, "model.onnx")
        device.pass(4_000)
        #expect(reasons == ["slot_damaged"])
    }
}
