import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

/// What a thief of online keys made devices hold, and how they forget it (TUF 1.0.34 section 5.3.11).
struct RecoveryTests {
    /// A device that followed a thief to the highest versions and the year 2099.
    static func misled() throws -> Device {
        let device = try Device()
        try device.run()
        let last = try #require(MetadataVersion(.max))
        let honest = device.simulator.repository
        let far = try #require(UTCTime(iso8601: "2099-12-31T23:59:59Z"))
        device.simulator.edit {
            $0.roles[.plans]?.version = last
            $0.roles[.plans]?.expires = far
            $0.publish(.plans)
            $0.snapshot.version = last
            $0.snapshot.expires = far
            $0.timestamp.version = last
            $0.timestamp.expires = far
            $0.publishSnapshot()
        }
        let repository = try device.run(following: ["rollouts/commands-en/main.json"])
        #expect(repository.timestamp.version == last)
        #expect(repository[.plans]?.version == last)
        device.simulator.edit {
            $0 = honest
            $0.updateSnapshot()
        }
        return device
    }

    @Test func `refuses the honest repository before any key is rotated`() throws {
        let last = try #require(MetadataVersion(.max))
        try Self.misled().expectRefusal(
            .rollback(.timestamp, held: last, offered: version(2)),
            requests: ["2.root.json", "timestamp.json"])
    }

    @Test func `follows the honest repository again after a rotation`() throws {
        let device = try Self.misled()
        let pattern = try #require(PathPattern("rollouts/commands-en/*"))
        device.simulator.edit {
            $0.rotateKey(of: .timestamp, to: TestKeys.key("timestamp, new"))
            $0.rotateKey(of: .snapshot, to: TestKeys.key("snapshot, new"))
            let plans = TestKeys.key("plans, new")
            $0.delegate(
                from: .targets, to: .plans, paths: .patterns([pattern]), isTerminating: true,
                key: plans)
            $0.signers[.plans] = [plans]
            $0.update(.plans)
        }
        device.simulator.forgetRequests()
        let writes = device.store.writes.count
        let repository = try device.run(following: ["rollouts/commands-en/main.json"])
        #expect(
            device.simulator.requests == [
                "2.root.json", "3.root.json", "4.root.json", "timestamp.json", "4.snapshot.json",
                "2.targets.json", "2.plans.commands-en.json",
            ])
        #expect(
            device.store.writes.dropFirst(writes).prefix(4) == [
                .stored(MetadataFileName(.root)), .stored(MetadataFileName(.root)),
                .removed(MetadataFileName(.snapshot)), .removed(MetadataFileName(.timestamp)),
            ])
        #expect(repository.timestamp.version == version(4))
        #expect(repository[.plans]?.version == version(2))
    }

    /// A delegated role's version is remembered in the snapshot, so its own key is not enough.
    @Test func `forgets a delegated role's version with the snapshot key, not with its own`() throws
    {
        let device = try Device()
        let last = try #require(MetadataVersion(.max))
        device.simulator.edit {
            $0.roles[.plans]?.version = last
            $0.publish(.plans)
            $0.updateSnapshot()
        }
        try device.run()
        let pattern = try #require(PathPattern("rollouts/commands-en/*"))
        device.simulator.edit {
            let key = TestKeys.key("plans, new")
            $0.signers[.plans] = [key]
            $0.roles[.plans]?.version = version(1)
            $0.publish(.plans)
            $0.delegate(
                from: .targets, to: .plans, paths: .patterns([pattern]), isTerminating: true,
                key: key)
        }
        device.expectRefusal(
            .rollback(.plans, held: last, offered: version(1)),
            requests: ["2.root.json", "timestamp.json", "3.snapshot.json"], storing: [.timestamp])
        device.simulator.edit {
            $0.rotateKey(of: .snapshot, to: TestKeys.key("snapshot, new"))
            $0.updateSnapshot()
        }
        let repository = try device.run(following: ["rollouts/commands-en/main.json"])
        #expect(repository[.plans]?.version == version(1))
    }

    @Test(arguments: [RoleName.timestamp, .snapshot])
    func `discards timestamp and snapshot both when either key is rotated`(role: RoleName) throws {
        let device = try Device()
        device.simulator.edit { $0.updateSnapshot() }
        try device.run()
        device.simulator.edit {
            $0.rotateKey(of: role, to: TestKeys.key("new"))
            $0.timestamp.version = version(1)
            $0.snapshot.version = version(1)
            $0.publishSnapshot()
        }
        let writes = device.store.writes.count
        let repository = try device.run()
        #expect(repository.timestamp.version == version(1))
        #expect(repository.snapshot.version == version(1))
        #expect(
            device.store.writes.dropFirst(writes) == [
                .stored(MetadataFileName(.root)), .removed(MetadataFileName(.snapshot)),
                .removed(MetadataFileName(.timestamp)), .stored(MetadataFileName(.timestamp)),
                .stored(MetadataFileName(.snapshot)),
            ])
    }

    @Test func `discards nothing when another key is rotated`() throws {
        let device = try Device()
        device.simulator.edit { $0.updateTimestamp() }
        try device.run()
        device.simulator.edit {
            $0.rotateKey(of: .targets, to: TestKeys.key("new"))
            $0.publish(.targets)
            $0.timestamp.version = version(1)
            $0.publishTimestamp()
        }
        device.expectRefusal(
            .rollback(.timestamp, held: version(2), offered: version(1)),
            requests: ["2.root.json", "3.root.json", "timestamp.json"], storing: [.root])
    }

    @Test func `names a role's keys, so that what is remembered of it can be bound to them`() throws
    {
        let device = try Device()
        let before = try device.run()
        device.simulator.edit { $0.rotateKey(of: .timestamp, to: TestKeys.key("new")) }
        device.simulator.edit { $0.updateTimestamp() }
        let after = try device.run()
        let names = [before, after].map { $0.verifiers(of: .timestamp)?.fingerprint }
        #expect(names[0] != names[1])
        #expect(
            before.verifiers(of: .plans)?.fingerprint == after.verifiers(of: .plans)?.fingerprint)
        let key = TestKeys.key("new").publicKey
        #expect(names[1] == SHA256.digest(of: key.bytes))
    }
}
