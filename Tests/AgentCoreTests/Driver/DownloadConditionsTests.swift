import AgentCore
import Primitives
import Rollouts
import TestSupport
import Testing

/// A whole device whose link, battery and windows change while an update is on its way.
@Suite struct DownloadConditionsTests {
    /// A device with 1.0.0 that is offered 1.1.0 under these rules.
    private func device(
        _ rules: DownloadRules, prepare: (TestDevice) -> Void = { _ in }
    ) throws -> (TestDevice, BundleReference) {
        let registry = MemoryRegistry(now: UpdateTests.start)
        let old = try registry.publish(
            "1.0.0", policy: UpdateTests.everybody, now: UpdateTests.start)
        registry.plan(
            old, over: nil, state: .completed,
            stages: [UpdateTests.start + -20 * 86_400, UpdateTests.start + -10 * 86_400])
        let device = try TestDevice(registry, at: UpdateTests.start)
        device.pass(60)
        device.speak(250)
        #expect(device.state == "committed")
        prepare(device)
        var policy = UpdateTests.everybody.object ?? [:]
        policy["download"] = rules.json
        let new = try registry.publish("1.1.0", policy: .object(policy), now: device.now)
        registry.touch(device.now)
        registry.plan(new, over: old, stages: [device.now])
        device.pass(180)
        return (device, new)
    }

    private func blobs(_ device: TestDevice) -> Int {
        device.registry.requests.count { $0.hasPrefix("blobs") }
    }

    @Test func `waits for a link that the policy allows, and asks for no byte before`() throws {
        let (device, _) = try device(DownloadRules(metered: false)) { device in
            device.conditions = Conditions(link: .metered)
        }
        #expect(device.state == "downloading")
        #expect(device.driver.downloadWait == .metered)
        let before = blobs(device)
        device.pass(3_600)
        #expect(blobs(device) == before)
        #expect(device.log.count { $0.contains("the download waits: metered_link") } == 1)
        device.conditions = Conditions(link: .unmetered)
        device.pass(120)
        #expect(device.driver.downloadWait == nil)
        #expect(device.active == "1.1.0")
    }

    @Test func `waits for the battery`() throws {
        let (device, _) = try device(DownloadRules(leastBattery: 500)) { device in
            device.conditions = Conditions(link: .unmetered, batteryCharge: 499)
        }
        #expect(device.driver.downloadWait == .battery)
        device.conditions = Conditions(link: .unmetered, batteryCharge: 500)
        device.pass(120)
        #expect(device.active == "1.1.0")
    }

    @Test func `waits for its owner's window, to the minute`() throws {
        let minute = Int(UpdateTests.start.seconds / 60 % 1_440)
        let window = try #require(
            DailyWindow(from: (minute + 120) % 1_440, until: (minute + 180) % 1_440))
        let (device, _) = try device(DownloadRules()) { device in
            device.settings.downloadWindows = [window]
            #expect(throws: Never.self) { try device.restart() }
        }
        #expect(device.driver.downloadWait == .window)
        let opens = window.start(after: device.now)
        device.pass(opens - device.now - 60)
        #expect(device.driver.downloadWait == .window)
        device.pass(120)
        #expect(device.active == "1.1.0")
    }

    @Test func `a download that does not fit is not begun, and fits a link that carries more`()
        throws
    {
        let (device, new) = try device(
            DownloadRules(meteredBudget: DownloadRules.Budget(bytes: 1))
        ) { device in device.conditions = Conditions(link: .metered) }
        let before = blobs(device)
        #expect(device.state == "failed")
        #expect(device.driver.machine.memory.trials[new]?.lastTrouble == .byteBudget)
        device.conditions = Conditions(link: .unmetered)
        device.pass(3_600)
        #expect(blobs(device) > before)
        #expect(device.active == "1.1.0")
    }

    @Test func `a download under way stops where its link changes, and goes on where it may`()
        throws
    {
        let (device, _) = try device(DownloadRules(metered: false)) { device in
            device.conditions = Conditions(link: .unmetered)
            device.keepsDownloading = true
        }
        device.pass(600)
        #expect(device.state == "downloading" && device.driver.downloadWait == nil)
        #expect(device.cancelledDownloads == 0, "nothing has changed")
        device.conditions = Conditions(link: .metered)
        device.pass(60)
        #expect(device.cancelledDownloads == 1)
        #expect(device.driver.downloadWait == .metered)
        device.keepsDownloading = false
        device.conditions = Conditions(link: .unmetered)
        device.pass(120)
        #expect(device.active == "1.1.0")
    }

    @Test func `a download under way is planned anew where its link has another budget`() throws {
        let (device, new) = try device(
            DownloadRules(meteredBudget: DownloadRules.Budget(bytes: 1))
        ) { device in
            device.conditions = Conditions(link: .unmetered)
            device.keepsDownloading = true
        }
        device.keepsDownloading = false
        device.conditions = Conditions(link: .metered)
        device.pass(60)
        #expect(device.cancelledDownloads == 1)
        #expect(device.driver.machine.memory.trials[new]?.lastTrouble == .byteBudget)
    }

    @Test func `a transfer that breaks is begun again as often as the policy says`() throws {
        let (device, new) = try device(
            DownloadRules(meteredBudget: DownloadRules.Budget(retries: 3))
        ) { device in
            device.conditions = Conditions(link: .metered)
            device.registry.holdBlobs(true)
        }
        device.pass(300)
        #expect(device.driver.machine.memory.trials[new]?.lastTrouble == .unreachable)
        // Counted from the last progress, which the files that both bundles share were once.
        #expect(device.log.count { $0.contains("cannot stage") } == 5)
    }
}
