import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

struct TimestampTests {
    static let requests = ["2.root.json", "timestamp.json"]

    @Test func `refuses a timestamp older than the one held`() throws {
        let device = try Device()
        device.simulator.edit { $0.updateTimestamp() }
        try device.run()
        device.simulator.edit {
            $0.timestamp.version = version(1)
            $0.publishTimestamp()
        }
        device.expectRefusal(
            .rollback(.timestamp, held: version(2), offered: version(1)), requests: Self.requests)
    }

    @Test func `refuses a timestamp that names a snapshot older than the one named before`() throws
    {
        let device = try Device()
        device.simulator.edit { $0.updateSnapshot() }
        try device.run()
        device.simulator.edit {
            $0.timestamp.snapshot = MetaFile(version: version(1))
            $0.updateTimestamp()
        }
        device.expectRefusal(
            .rollback(.snapshot, held: version(2), offered: version(1)), requests: Self.requests)
    }

    @Test func `refuses an older timestamp also when the held one has expired`() throws {
        let device = try Device()
        device.simulator.edit { $0.updateTimestamp() }
        try device.run()
        let later = device.simulator.repository.now + 2 * SimulatedRepository.day
        device.simulator.edit {
            $0.timestamp.version = version(1)
            $0.timestamp.expires = later + 60
            $0.publishTimestamp()
        }
        device.expectRefusal(
            .rollback(.timestamp, held: version(2), offered: version(1)), at: later,
            requests: Self.requests)
    }

    @Test func `goes on from an expired held timestamp to a good one`() throws {
        let device = try Device()
        try device.run()
        let later = device.simulator.repository.now + 2 * SimulatedRepository.day
        device.simulator.edit {
            $0.now = later
            $0.timestamp.expires = later + 60
            $0.updateTimestamp()
        }
        #expect(try device.run().timestamp.version == version(2))
    }

    @Test func `keeps the held file when the same version comes in other bytes`() throws {
        let device = try Device()
        let held = try device.run().timestamp.bytes
        device.simulator.edit {
            $0.timestamp.expires = $0.timestamp.expires + 10
            $0.publishTimestamp()
        }
        #expect(try device.run().timestamp.bytes == held)
        #expect(device.store[.timestamp] == held)
    }

    @Test func `judges the expiry of the held file, not of its double with a later one`() throws {
        let device = try Device()
        try device.run()
        let end = device.simulator.repository.timestamp.expires
        device.simulator.edit {
            $0.timestamp.expires = end + SimulatedRepository.day
            $0.publishTimestamp()
        }
        device.expectRefusal(
            .expired(.timestamp, at: end, start: end), at: end, requests: Self.requests)
    }

    @Test func `refuses an expired timestamp, replayed or new`() throws {
        let device = try Device()
        try device.run()
        let end = device.simulator.repository.timestamp.expires
        device.expectRefusal(
            .expired(.timestamp, at: end, start: end), at: end, requests: Self.requests)
        device.simulator.edit { $0.updateTimestamp() }
        device.expectRefusal(
            .expired(.timestamp, at: end, start: end), at: end, requests: Self.requests)
        #expect(throws: Never.self) { try device.run(at: end + -1) }
    }

    @Test func `refuses a timestamp that another key has signed`() throws {
        let device = try Device()
        try device.run()
        device.simulator.edit {
            $0.signers[.timestamp] = [TestKeys.key("thief")]
            $0.updateTimestamp()
        }
        device.expectRefusal(
            .tooFewSignatures(.timestamp, delegator: .root, threshold: 1, valid: 0),
            requests: Self.requests)
    }

    @Test func `refuses a missing timestamp`() throws {
        let device = try Device()
        let name = MetadataFileName(.timestamp)
        device.simulator.edit { $0.files[name] = nil }
        device.expectRefusal(.absent(.timestamp, name), requests: Self.requests)
    }

    @Test func `refuses a timestamp over its limit before it is read`() throws {
        let device = try Device()
        let name = MetadataFileName(.timestamp)
        device.simulator.edit { $0.files[name] = [UInt8](repeating: 0x20, count: 16_385) }
        device.expectFailure(
            .fetching(.tooLong(name, limit: 16_384)), requests: Self.requests)
    }
}
