import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

struct TargetsTests {
    static let path = "bundles/commands-en/1.0.0.json"

    static func requests(_ roles: String...) -> [String] {
        ["2.root.json", "timestamp.json"] + roles.map { "\($0).json" }
    }

    @Test func `refuses a delegated role that one of two keys has signed`() throws {
        let device = try Device()
        device.simulator.edit {
            $0.signers[.releases] = TestKeys.keys("model.commands-en", count: 1)
            $0.update(.releases)
        }
        device.expectRefusal(
            .tooFewSignatures(.releases, delegator: .targets, threshold: 2, valid: 1),
            following: [Self.path],
            requests: Self.requests("2.snapshot", "1.targets", "2.model.commands-en"),
            storing: [.timestamp, .snapshot, .targets])
    }

    @Test func `refuses a plan that the release keys of another model have signed`() throws {
        let simulator = RepositorySimulator(models: ["commands-en", "commands-de"])
        simulator.edit {
            $0.signers[.plans] = [TestKeys.key("plans.commands-de")]
            $0.update(.plans)
        }
        try Device(simulator).expectRefusal(
            .tooFewSignatures(.plans, delegator: .targets, threshold: 1, valid: 0),
            following: ["rollouts/commands-en/main.json"],
            requests: Self.requests("2.snapshot", "1.targets", "2.plans.commands-en"),
            storing: [.timestamp, .snapshot, .targets])
    }

    @Test(arguments: [RoleName.targets, .releases])
    func `refuses a role of another version than the one listed`(role: RoleName) throws {
        let device = try Device()
        device.simulator.edit {
            $0.files[MetadataFileName(role, version: version(2))] =
                $0.files[MetadataFileName(role, version: version(1))]
            $0.snapshot.meta[role] = MetaFile(version: version(2))
            $0.updateSnapshot()
        }
        device.expectRefusal(
            .wrongVersion(role, expected: version(2), found: version(1)), following: [Self.path],
            requests: Self.requests(upTo: role), storing: Self.stored(before: role))
    }

    /// What a refresh asks for up to a role's second version, and what it has stored by then.
    static func requests(upTo role: RoleName) -> [String] {
        role == .targets
            ? requests("2.snapshot", "2.targets")
            : requests("2.snapshot", "1.targets", "2.\(role)")
    }

    static func stored(before role: RoleName) -> [RoleName] {
        role == .targets ? [.timestamp, .snapshot] : [.timestamp, .snapshot, .targets]
    }

    @Test(arguments: [RoleName.targets, .releases])
    func `refuses a role whose digest is not the one listed`(role: RoleName) throws {
        let device = try Device()
        device.simulator.edit {
            $0.listsDigests = true
            $0.update(role)
            $0.files[MetadataFileName(role, version: version(2))]?[20] ^= 1
        }
        let repository = device.simulator.repository
        let hashes = try #require(repository.snapshot.meta[role]?.hashes)
        let bytes = try #require(repository.files[MetadataFileName(role, version: version(2))])
        device.expectRefusal(
            .wrongDigest(role, expected: hashes, found: SHA256.digest(of: bytes)),
            following: [Self.path], requests: Self.requests(upTo: role),
            storing: Self.stored(before: role))
    }

    @Test(arguments: [RoleName.targets, .releases], [1, -1])
    func `refuses a role whose length is not the one listed`(role: RoleName, by: Int) throws {
        let device = try Device()
        device.simulator.edit { $0.update(role) }
        let name = MetadataFileName(role, version: version(2))
        let length = try #require(device.simulator.repository.files[name]).count
        device.simulator.edit {
            $0.snapshot.meta[role] = MetaFile(version: version(2), length: length + by)
            $0.publishSnapshot()
        }
        let failure: Device.Failure =
            by > 0
            ? .refused(.wrongLength(role, expected: length + by, found: length))
            : .fetching(.tooLong(name, limit: length - 1))
        device.expectFailure(
            failure, following: [Self.path], requests: Self.requests(upTo: role),
            storing: Self.stored(before: role))
    }

    @Test(arguments: [RoleName.targets, .releases])
    func `reads no more of a role than any may have`(role: RoleName) throws {
        var device = try Device()
        device.limits.targets = 100_000
        let name = MetadataFileName(role, version: version(2))
        device.simulator.edit {
            $0.update(role)
            $0.files[name] = [UInt8](repeating: 0x20, count: 100_001)
        }
        device.expectFailure(
            .fetching(.tooLong(name, limit: 100_000)), following: [Self.path],
            requests: Self.requests(upTo: role), storing: Self.stored(before: role))
    }

    @Test func `refuses expired targets in the strict workflow`() throws {
        let device = try Device()
        let end = device.simulator.repository.now + 60
        device.simulator.edit { $0.update(.targets) { $0.expires = end } }
        device.expectRefusal(
            .expired(.targets, at: end, start: end), at: end,
            requests: Self.requests("2.snapshot", "2.targets"), storing: [.timestamp, .snapshot])
    }

    @Test func `refuses a delegated role that the snapshot does not list`() throws {
        let device = try Device()
        device.simulator.edit {
            $0.snapshot.meta[.releases] = nil
            $0.updateSnapshot()
        }
        device.expectRefusal(
            .roleNotListed(.releases), following: [Self.path],
            requests: Self.requests("2.snapshot", "1.targets"),
            storing: [.timestamp, .snapshot, .targets])
    }

    @Test func `says nothing of targets whose roles are not loaded`() throws {
        let repository = try Device().run()
        let path = try #require(TargetPath(Self.path))
        #expect(throws: TUFError.roleNotLoaded(.releases)) { try repository.target(at: path) }
        let elsewhere = try #require(TargetPath("elsewhere/x.json"))
        #expect(try repository.target(at: elsewhere) == nil)
    }

    @Test func `loads a role by name, and nothing for a name that is not delegated to`() throws {
        let device = try Device()
        var repository = try device.run()
        let refresh = device.refresh(at: device.simulator.repository.now)
        #expect(try refresh.load(.plans, into: &repository)?.version == version(1))
        #expect(try refresh.load(.plans, into: &repository)?.version == version(1))
        let unknown = try #require(RoleName("model.nothing"))
        #expect(try refresh.load(unknown, into: &repository) == nil)
        #expect(device.simulator.requests.suffix(1) == ["1.plans.commands-en.json"])
    }
}
