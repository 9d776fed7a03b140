import AgentCore
import Cryptography
import Primitives
import Synchronization
import TestSupport
import Testing

/// A device that its registry does not know, or knows no more, and a key that does not sign.
@Suite struct EnrolmentStandingTests {
    private let registry = MemoryRegistry(now: UpdateTests.start)

    private func requests(_ name: String) -> Int { registry.requests.count { $0 == name } }

    @Test func `reports wait until the device is enrolled, which it asks for itself`() throws {
        let device = try TestDevice(registry, at: UpdateTests.start, isEnrolled: false)
        device.pass(3_600)
        #expect(registry.reports.isEmpty && requests("reports") == 0)
        #expect(requests("enrol") > 5 && !device.driver.isEnrolled)
        let told = device.log.filter { $0.contains("not enrolled") }
        #expect(told.count == 1, "once, and not at each report: \(told)")
        registry.failEnrolment(nil)
        device.pass(700)
        #expect(device.driver.isEnrolled && requests("enrol again") == 0)
        #expect(try !registry.reports.isEmpty && device.journal.queue(limit: 10).isEmpty)
    }

    @Test func `an enrolment that cannot be had now is asked for again, as seldom as allowed`()
        throws
    {
        registry.failEnrolment(.unreachable("busy", retryAfter: 50))
        let device = try TestDevice(registry, at: UpdateTests.start, isEnrolled: false)
        device.pass(3_600)
        // The budget's repetitions, and one at each report.
        let asked = requests("enrol")
        #expect(asked > 12 && asked <= RetryBudget.usual + 3_600 / 300 + 1, "\(asked)")
        registry.forgetRequests()
        registry.failEnrolment(.refused("the token is used"))
        device.pass(3_600)
        #expect(requests("enrol") <= 3_600 / 300 + 1)
        #expect(device.log.count { $0.contains("the token is used") } == 1)
    }

    @Test func `a registry that has forgotten the device is enrolled at again`() throws {
        let device = try TestDevice(registry, at: UpdateTests.start)
        device.pass(700)
        #expect(device.driver.isEnrolled && !registry.reports.isEmpty)
        registry.failReports(.notFound)
        registry.failEnrolment(.refused("the token is used"))
        device.pass(3_600)
        #expect(!device.driver.isEnrolled)
        let asked = requests("enrol again")
        #expect(asked > 5 && asked <= 3_600 / 300 + 1, "\(asked)")
        #expect(device.log.count { $0.contains("does not know this device") } == 1)
        let waiting = try device.journal.queue(limit: 10)
        #expect(!waiting.isEmpty)
        // A new token, and it is known again.
        registry.failEnrolment(nil)
        registry.failReports(nil)
        device.pass(700)
        #expect(device.driver.isEnrolled)
        let sent = Set(registry.reports.compactMap { $0["sequence"]?.integer })
        #expect(waiting.allSatisfy { sent.contains($0.sequence) || $0.series != nil })
    }

    @Test func `a registry that remembers the device after all takes its reports`() throws {
        let device = try TestDevice(registry, at: UpdateTests.start)
        device.pass(700)
        registry.failReports(.notFound)
        device.pass(1_000)
        registry.failReports(nil)
        registry.forgetReports()
        device.pass(700)
        #expect(device.driver.isEnrolled && !registry.reports.isEmpty)
    }

    @Test func `reports of the device that this one was under a lost key are dropped`() throws {
        registry.refuseReports(true)
        let before = try TestDevice(registry, at: UpdateTests.start)
        before.pass(700)
        before.driver.handle(.ordered(.hold), at: before.now)
        let old = try before.journal.queue(limit: 100)
        #expect(!old.isEmpty)
        registry.refuseReports(false)
        let device = try TestDevice(registry, at: UpdateTests.start + 700, name: "another") {
            (_, journal) in
            let state = try #require(try before.journal.load())
            try journal.save(state, queueing: old)
        }
        device.pass(1_000)
        #expect(!registry.reports.isEmpty)
        let own = "\(device.driver.profile.id)"
        #expect(registry.reports.allSatisfy { $0["device"]?.string == own })
        #expect(try device.journal.queue(limit: 100).isEmpty)
        #expect(device.log.contains { $0.contains("under another key") })
    }

    /// A key store that does not answer for a while.
    private final class Sleeping: DeviceSigning {
        private let key = TestKeys.key("device")
        private let sleeps = Atomic(true)

        var publicKey: Ed25519PublicKey { key.publicKey }

        func wake() { sleeps.store(false, ordering: .relaxed) }

        func signature(of message: [UInt8]) throws(SigningError) -> [UInt8] {
            if sleeps.load(ordering: .relaxed) { throw SigningError("the chip is asleep") }
            return key.sign(message)
        }
    }

    @Test func `while the key does not sign, reports wait and nothing is lost`() throws {
        let key = Sleeping()
        let device = try TestDevice(registry, at: UpdateTests.start, signer: key)
        device.pass(1_000)
        #expect(registry.reports.isEmpty)
        #expect(device.log.contains { $0.contains("the chip is asleep") })
        let waiting = try device.journal.queue(limit: 10).count
        #expect(waiting > 0)
        key.wake()
        device.pass(700)
        #expect(registry.reports.count >= waiting)
        #expect(try device.journal.queue(limit: 10).isEmpty)
    }
}
