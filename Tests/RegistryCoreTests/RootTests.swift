import Cryptography
import Primitives
import RegistryCore
import RegistryTestSupport
import TUF
import TestSupport
import Testing

/// Root and top-level targets: the ceremony, the chain, and delegations that the registry can live with.
struct RootTests {
    private let registry = TestRegistry()
    private let now = UTCTime(clamping: 1_764_000_000)

    private func post(_ root: Root, by keys: [Ed25519PrivateKey]) throws -> RolePosting {
        try registry.roles.post(
            TestRegistry.signed(root, of: .root, by: keys), as: .root, by: registry.admin, at: now)
    }

    private func post(_ targets: Targets, by keys: [Ed25519PrivateKey]) throws -> RolePosting {
        try registry.roles.post(
            TestRegistry.signed(targets, of: .targets, by: keys), as: .targets,
            by: registry.admin, at: now)
    }

    @Test func `the first root is held until two of three have signed`() throws {
        let root = TestRegistry.firstRoot(at: now)
        guard case .held(let held) = try post(root, by: [TestRegistry.rootKeys[2]]) else {
            Issue.record("expected held")
            return
        }
        #expect(held.proposal?.missing == 1)
        #expect(held.threshold == .two)
        guard case .live = try post(root, by: [TestRegistry.rootKeys[0]]) else {
            Issue.record("expected live")
            return
        }
    }

    @Test func `clients find nothing before targets are there, and all of it after`() throws {
        _ = try post(TestRegistry.firstRoot(at: now), by: TestRegistry.rootKeys)
        let files = PublishedFiles(
            store: try LiveTimestamp(registry.store), blobs: registry.blobs)
        #expect(files.timestamp == nil)
        _ = try post(
            TestRegistry.firstTargets([registry.model], at: now), by: [TestRegistry.targetsKey])
        let plans = try registry.clientView(of: .plans(registry.model), at: now)
        #expect(plans.content.targets.isEmpty)
    }

    @Test func `the next root needs the keys of the old one and its own`() throws {
        try registry.found(at: now)
        let newKeys = TestKeys.keys("new-root", count: 2)
        var root = TestRegistry.firstRoot(at: now).next(expires: now + 365 * TestRegistry.day)
        root.setKeys(of: .root, to: newKeys.map(\.publicKey), threshold: .two)
        guard case .held(let held) = try post(root, by: newKeys) else {
            Issue.record("expected held")
            return
        }
        #expect(held.proposal?.missing == 2)
        guard case .held = try post(root, by: [TestRegistry.rootKeys[0]]) else {
            Issue.record("expected held")
            return
        }
        guard case .live = try post(root, by: [TestRegistry.rootKeys[1]]) else {
            Issue.record("expected live")
            return
        }
        let chain = try registry.store.read { (records) throws(RegistryError) in
            [try records.file(.root, .first), try records.live(.root)].compactMap(\.self)
        }
        let verifier = Verifier(start: now)
        let first = try verifier.initialRoot(chain[0].bytes)
        #expect(try verifier.root(chain[1].bytes, after: first).version.number == 2)
    }

    @Test func `a new timestamp key signs at once, where it is loaded`() throws {
        try registry.found(at: now)
        let next = TestKeys.key("timestamp-2")
        var root = TestRegistry.firstRoot(at: now).next(expires: now + 365 * TestRegistry.day)
        root.setKeys(of: .timestamp, to: [next.publicKey], threshold: .one)
        let error = #expect(throws: RegistryError.self) {
            try post(root, by: TestRegistry.rootKeys)
        }
        guard case .refusedByPolicy(let problems) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(problems.count == 1)
        #expect(problems[0].hasPrefix("role 'timestamp': expected 1 of the registry's own keys"))
        let roles = Roles(
            store: registry.store, blobs: registry.blobs,
            keys: OnlineKeys([
                .snapshot: [TestKeys.key("snapshot")], .plans: [TestKeys.key("plans")],
                .timestamp: [TestKeys.key("timestamp"), next],
            ]))
        _ = try roles.post(
            TestRegistry.signed(root, of: .root, by: TestRegistry.rootKeys), as: .root,
            by: registry.admin, at: now)
        #expect(try registry.clientView(of: .targets, at: now).version == .first)
    }

    @Test func `targets whose plans name another key than the registry's are refused`() throws {
        _ = try post(TestRegistry.firstRoot(at: now), by: TestRegistry.rootKeys)
        var targets = Targets(expires: now + 9 * TestRegistry.day)
        targets.delegate(
            to: RepositoryLayout.Model(
                name: registry.model,
                releases: KeyHolders(TestRegistry.releaseKeys.map(\.publicKey)),
                plans: KeyHolders([TestKeys.key("stranger").publicKey])))
        let error = #expect(throws: RegistryError.self) {
            try post(targets, by: [TestRegistry.targetsKey])
        }
        guard case .refusedByPolicy(let problems) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(problems.count == 1)
        #expect(problems[0].hasPrefix("role 'plans.commands-en': expected 1 of the registry's own"))
    }

    @Test func `targets hold delegations of models and nothing else`() throws {
        _ = try post(TestRegistry.firstRoot(at: now), by: TestRegistry.rootKeys)
        var targets = TestRegistry.firstTargets([registry.model], at: now)
        let path = try #require(TargetPath("bundles/commands-en/1.0.0.json"))
        targets.targets[path] = TargetDescription(of: [1])
        #expect(throws: RegistryError.outsidePaths(.targets, [path])) {
            try post(targets, by: [TestRegistry.targetsKey])
        }
        targets.targets = [:]
        let odd = try #require(RoleName("odd"))
        targets.delegations?.set(
            DelegatedRole(
                name: odd, keys: RoleKeys(keyIDs: [], threshold: .one),
                paths: .patterns([]), isTerminating: true), keys: [])
        #expect(throws: RegistryError.self) { try post(targets, by: [TestRegistry.targetsKey]) }
    }

    @Test func `a second model gets its plans at once`() throws {
        try registry.found(at: now)
        let second = try #require(ModelName("commands-de"))
        var targets = TestRegistry.firstTargets([registry.model, second], at: now)
        targets.version = targets.version.next
        _ = try post(targets, by: [TestRegistry.targetsKey])
        #expect(try registry.clientView(of: .plans(second), at: now).version == .first)
        #expect(try registry.clientView(of: .plans(registry.model), at: now).version == .first)
        let all = try registry.roles.list(by: registry.admin).map(\.role.description)
        #expect(
            all == [
                "root", "targets", "snapshot", "timestamp", "model.commands-en",
                "plans.commands-en", "model.commands-de", "plans.commands-de",
            ])
    }

    // MARK: Renewal

    private func version(_ role: RoleName) throws -> Int64? {
        try registry.store.read { (records) throws(RegistryError) in try records.live(role) }?
            .version.number
    }

    @Test func `timestamps are signed anew every hour, the rest well before it expires`() throws {
        try registry.found(at: now)
        #expect(try registry.roles.renew(at: now) == [])
        #expect(try registry.roles.renew(at: now + 3_599) == [])
        #expect(try registry.roles.renew(at: now + 3_600) == [.timestamp])
        #expect(try version(.timestamp) == 2)
        #expect(try version(.snapshot) == 1)
        let later = now + 5 * TestRegistry.day
        #expect(try registry.roles.renew(at: later) == [.snapshot, .timestamp])
        #expect(try registry.clientView(of: .targets, at: later).version == .first)
        let month = now + 21 * TestRegistry.day
        #expect(
            try registry.roles.renew(at: month) == [
                .plans(registry.model), .snapshot, .timestamp,
            ])
        #expect(try registry.clientView(of: .plans(registry.model), at: month).version.number == 2)
    }

    @Test(arguments: 0..<60)
    func `a registry that ticks never serves what has expired`(hours: Int64) throws {
        try registry.found(at: now)
        var time = now
        for _ in 0..<20 {
            time = time + (hours + 1) * 3_600
            guard time < now + 90 * TestRegistry.day else { break }
            _ = try registry.roles.renew(at: time)
            _ = try registry.clientView(of: .plans(registry.model), at: time)
        }
    }

    @Test func `a clock that went back signs again rather than keep a time of the future`() throws {
        try registry.found(at: now)
        #expect(try registry.roles.renew(at: now + -60) == [.timestamp])
    }

    @Test func `without keys nothing is signed, and it says which is missing`() throws {
        try registry.found(at: now)
        let roles = Roles(
            store: registry.store, blobs: registry.blobs, keys: OnlineKeys([:]))
        #expect(throws: RegistryError.keyMissing(.timestamp)) {
            try roles.renew(at: now + 3_600)
        }
        #expect(try version(.timestamp) == 1)
    }
}
