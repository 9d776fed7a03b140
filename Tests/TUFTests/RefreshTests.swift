import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

struct RefreshTests {
    static let topLevel = ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]

    @Test func `fetches the four top-level roles and stores them byte for byte`() throws {
        let device = try Device()
        let repository = try device.run()
        #expect(device.simulator.requests == Self.topLevel)
        let files = device.simulator.repository.files
        #expect(device.store[.root] == files[MetadataFileName(.root, version: .first)])
        #expect(device.store[.timestamp] == files[MetadataFileName(.timestamp)])
        #expect(device.store[.snapshot] == files[MetadataFileName(.snapshot, version: .first)])
        #expect(device.store[.targets] == files[MetadataFileName(.targets, version: .first)])
        #expect(repository.version(of: .releases) == version(1))
        #expect(repository.timestamp.content.signedAt == device.simulator.repository.now)
        #expect(repository[.releases] == nil)
    }

    @Test func `stores in the order root, timestamp, snapshot, targets, delegated`() throws {
        let device = try Device()
        device.simulator.edit { $0.updateRoot() }
        try device.run(following: ["bundles/commands-en/1.0.0.json"])
        let order: [RoleName] = [.root, .root, .timestamp, .snapshot, .targets, .releases]
        #expect(device.store.writes == order.map { .stored(MetadataFileName($0)) })
    }

    @Test func `follows one model by its own roles only`() throws {
        let simulator = RepositorySimulator(models: ["commands-en", "commands-de", "dictation"])
        let path = try #require(TargetPath("rollouts/commands-en/main.json"))
        simulator.edit {
            $0.add(Array("plan".utf8), at: path, to: .plans)
            $0.update(.plans)
        }
        let device = try Device(simulator)
        var repository = try device.run(following: ["bundles/commands-en/1.0.0.json"])
        let plan = try #require(
            try device.refresh(at: simulator.repository.now).target(at: path, in: &repository))
        #expect(
            simulator.requests == [
                "2.root.json", "timestamp.json", "2.snapshot.json", "1.targets.json",
                "1.model.commands-en.json", "2.plans.commands-en.json",
            ])
        #expect(plan.hashes.sha256 == SHA256.digest(of: Array("plan".utf8)))
        #expect(plan.length == 4)
        #expect(plan.role == .plans)
        #expect(plan.roleVersion == version(2))
        #expect(try repository.target(at: path) == plan)
        #expect(repository[.plans]?.content.targets.count == 1)
    }

    @Test func `fetches nothing but root and timestamp when nothing has changed`() throws {
        let device = try Device()
        try device.run(following: ["bundles/commands-en/1.0.0.json"])
        let before = device.store.writes
        device.simulator.forgetRequests()
        try device.run(following: ["bundles/commands-en/1.0.0.json"])
        #expect(device.simulator.requests == ["2.root.json", "timestamp.json"])
        #expect(device.store.writes == before)
    }

    @Test func `pays only timestamp and snapshot for another model's change`() throws {
        let simulator = RepositorySimulator(models: ["commands-en", "commands-de"])
        let device = try Device(simulator)
        let path = "rollouts/commands-en/main.json"
        let german = RoleName.plans(try #require(ModelName("commands-de")))
        try device.run(following: [path])
        simulator.edit { $0.update(german) }
        simulator.forgetRequests()
        try device.run(following: [path])
        #expect(simulator.requests == ["2.root.json", "timestamp.json", "2.snapshot.json"])
    }

    @Test func `works without consistent snapshots`() throws {
        let simulator = RepositorySimulator()
        simulator.edit {
            $0.updateRoot { $0.consistentSnapshot = false }
            for role in $0.roles.keys { $0.publish(role) }
            $0.updateSnapshot()
        }
        let device = try Device(simulator)
        try device.run(following: ["bundles/commands-en/1.0.0.json"])
        #expect(
            simulator.requests == [
                "2.root.json", "3.root.json", "timestamp.json", "snapshot.json", "targets.json",
                "model.commands-en.json",
            ])
    }

    @Test func `refuses to begin without a trusted root`() {
        let device = Device(RepositorySimulator(), store: MemoryMetadataStore())
        device.expectRefusal(.noTrustedRoot, requests: [])
    }

    @Test func `refuses to install a root that its own keys have not signed`() throws {
        let simulator = RepositorySimulator()
        let device = Device(simulator, store: MemoryMetadataStore())
        let bytes = try edited(simulator.trustedRoot) { $0["signatures"] = [] }
        let refused = TUFError.tooFewSignatures(.root, delegator: .root, threshold: 2, valid: 0)
        #expect(throws: Device.Failure.refused(refused)) {
            try device.refresh(at: simulator.repository.now).install(trustedRoot: bytes)
        }
        #expect(device.store.files.isEmpty)
        #expect(simulator.requests == [])
    }

    @Test func `tells a network failure from a refusal, and changes nothing`() throws {
        let device = try Device()
        try device.run()
        let before = device.store.files
        device.simulator.edit { $0.updateSnapshot() }
        let name = MetadataFileName(.timestamp)
        device.simulator.cut(name)
        #expect(throws: Device.Failure.fetching(.unreachable(name))) { try device.run() }
        #expect(device.store.files == before)
    }

    @Test func `does not take a network failure for the end of the root chain`() throws {
        let device = try Device()
        let name = MetadataFileName(.root, version: version(2))
        device.simulator.cut(name)
        #expect(throws: Device.Failure.fetching(.unreachable(name))) { try device.run() }
        #expect(device.simulator.requests == ["2.root.json"])
    }

    /// The kill may come at any of the writes of a refresh that changes everything, rotations included.
    @Test(arguments: 0..<9)
    func `goes on after a kill between any two writes`(writes: Int) throws {
        let device = try Device()
        let path = "bundles/commands-en/1.0.0.json"
        try device.run(following: [path])
        device.simulator.edit {
            $0.rotateKey(of: .timestamp, to: TestKeys.key("timestamp, new"))
            $0.rotateKey(of: .snapshot, to: TestKeys.key("snapshot, new"))
            $0.update(.targets)
            $0.update(.releases)
        }
        let killed = Device(
            device.simulator,
            store: MemoryMetadataStore(files: device.store.files, writesLeft: writes))
        let result = Result { () throws(Device.Failure) in try killed.run(following: [path]) }
        #expect(killed.store.writes.count == min(writes, 8))
        if writes < 8 { #expect(throws: Device.Failure.storing(.killed)) { try result.get() } }
        let revived = Device(
            device.simulator, store: MemoryMetadataStore(files: killed.store.files))
        let repository = try revived.run(following: [path])
        #expect(repository.root.version == version(3))
        #expect(repository[.releases]?.version == version(2))
        try device.run(following: [path])
        #expect(revived.store.files == device.store.files)
    }

    /// A search may come long after the refresh; what it loads is judged as the rest was.
    @Test func `judges a delegated role at the moment of the refresh it belongs to`() throws {
        let device = try Device()
        let path = try #require(TargetPath("rollouts/commands-en/main.json"))
        let end = device.simulator.repository.now + 60
        device.simulator.edit { $0.update(.plans) { $0.expires = end } }
        var repository = try device.run()
        #expect(try device.refresh(at: end).target(at: path, in: &repository) == nil)
        #expect(repository[.plans]?.version == version(2))
        var late = try device.run(at: end)
        #expect(throws: Device.Failure.refused(.expired(.plans, at: end, start: end))) {
            try device.refresh(at: end + -60).target(at: path, in: &late)
        }
    }

    @Test func `judges every role at the time floor, delegated ones too`() throws {
        let path = "rollouts/commands-en/main.json"
        for role in [RoleName.root, .timestamp, .snapshot, .targets, .plans] {
            var device = try Device()
            let now = device.simulator.repository.now
            let end = now + 60
            device.simulator.edit {
                switch role {
                case .root: $0.updateRoot { $0.expires = end }
                case .timestamp:
                    $0.timestamp.expires = end
                    $0.updateTimestamp()
                case .snapshot:
                    $0.snapshot.expires = end
                    $0.updateSnapshot()
                default: $0.update(role) { $0.expires = end }
                }
            }
            let keys = device.simulator.repository.root.verifiers(of: .timestamp).fingerprint
            device.floor = TimeFloor(moment: end, keys: keys)
            let error = #expect(throws: Device.Failure.self) {
                try device.run(at: now, following: [path])
            }
            #expect(error == .refused(.expired(role, at: end, start: end)))
            device.floor = TimeFloor(moment: end, keys: SHA256.digest(of: [1]))
            #expect(throws: Never.self, "of other keys") {
                try device.run(at: now, following: [path])
            }
        }
    }

    /// No key has changed: each cut leaves what the next refresh goes on from.
    @Test(arguments: 0..<6)
    func `goes on after a kill between any two writes of a plain update`(writes: Int) throws {
        let device = try Device()
        let path = "bundles/commands-en/1.0.0.json"
        try device.run(following: [path])
        device.simulator.edit {
            $0.update(.targets)
            $0.update(.releases)
        }
        let killed = Device(
            device.simulator,
            store: MemoryMetadataStore(files: device.store.files, writesLeft: writes))
        let result = Result { () throws(Device.Failure) in try killed.run(following: [path]) }
        #expect(killed.store.writes.count == min(writes, 4))
        if writes < 4 { #expect(throws: Device.Failure.storing(.killed)) { try result.get() } }
        let revived = Device(
            device.simulator, store: MemoryMetadataStore(files: killed.store.files))
        try revived.run(following: [path])
        try device.run(following: [path])
        #expect(revived.store.files == device.store.files)
    }
}
