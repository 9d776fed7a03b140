import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

/// Searches through trees of delegations (TUF 1.0.34 section 5.6.7).
struct DelegationTests {
    static let target = "files/x"

    /// A repository whose roles delegate as listed, each with a key of its own, all paths to all.
    static func simulator(
        _ delegations: [(from: String, to: String, isTerminating: Bool)],
        targetIn holders: [String] = []
    ) throws -> RepositorySimulator {
        let simulator = RepositorySimulator(models: [])
        let everything = try #require(PathPattern("*/*"))
        let path = try #require(TargetPath(target))
        simulator.edit { repository in
            for (from, to, isTerminating) in delegations {
                guard let delegator = RoleName(from), let role = RoleName(to) else { continue }
                repository.delegate(
                    from: delegator, to: role, paths: .patterns([everything]),
                    isTerminating: isTerminating, key: TestKeys.key(to))
            }
            for role in holders.compactMap(RoleName.init) {
                repository.add(Array(role.description.utf8), at: path, to: role)
                repository.update(role)
            }
        }
        return simulator
    }

    /// The role that the target is found in, and the delegated roles that were fetched, in order.
    static func search(
        _ simulator: RepositorySimulator, limits: Limits = .standard, for path: String = target
    ) throws -> (role: String?, fetched: [String]) {
        var device = try Device(simulator)
        device.limits = limits
        var repository = try device.run()
        simulator.forgetRequests()
        let file = try device.refresh(at: simulator.repository.now).target(
            at: try #require(TargetPath(path)), in: &repository)
        let fetched = simulator.requests.map { name in
            String(name.split(separator: ".", maxSplits: 1)[1].dropLast(5))
        }
        return (file?.role.description, fetched)
    }

    @Test func `visits roles in pre-order, depth first`() throws {
        let simulator = try Self.simulator([
            ("targets", "A", false), ("targets", "B", false), ("A", "C", false), ("A", "D", false),
            ("C", "E", false), ("B", "F", false),
        ])
        let (role, fetched) = try Self.search(simulator)
        #expect(role == nil)
        #expect(fetched == ["A", "C", "E", "D", "B", "F"])
    }

    @Test func `stops at the first role that lists the target`() throws {
        let simulator = try Self.simulator(
            [
                ("targets", "A", false), ("targets", "B", false), ("A", "C", false),
                ("A", "D", false),
            ], targetIn: ["D", "B"])
        let (role, fetched) = try Self.search(simulator)
        #expect(role == "D")
        #expect(fetched == ["A", "C", "D"])
    }

    @Test func `prefers the delegator's own target to a delegated one`() throws {
        let simulator = try Self.simulator([("targets", "A", false)], targetIn: ["targets", "A"])
        let (role, fetched) = try Self.search(simulator)
        #expect(role == "targets")
        #expect(fetched == [])
    }

    @Test func `ends the search below a terminating delegation`() throws {
        let simulator = try Self.simulator(
            [
                ("targets", "A", false), ("targets", "B", true), ("targets", "C", false),
                ("B", "D", false),
            ], targetIn: ["C"])
        let (role, fetched) = try Self.search(simulator)
        #expect(role == nil)
        #expect(fetched == ["A", "B", "D"])
    }

    @Test func `ends the whole search at a terminating delegation deep in the tree`() throws {
        let simulator = try Self.simulator(
            [
                ("targets", "A", false), ("targets", "B", false), ("A", "C", true),
                ("A", "D", false),
            ], targetIn: ["D", "B"])
        let (role, fetched) = try Self.search(simulator)
        #expect(role == nil)
        #expect(fetched == ["A", "C"])
    }

    @Test func `visits no role twice, so that a cycle ends`() throws {
        let simulator = try Self.simulator([
            ("targets", "A", false), ("A", "B", false), ("B", "A", false), ("B", "C", false),
            ("targets", "C", false),
        ])
        let (role, fetched) = try Self.search(simulator)
        #expect(role == nil)
        #expect(fetched == ["A", "B", "C"])
    }

    @Test func `visits as many delegated roles as the limit says, and no more`() throws {
        let names = (1...6).map { "R\($0)" }
        let chain = zip(["targets"] + names, names).map { ($0, $1, false) }
        let simulator = try Self.simulator(chain, targetIn: ["R6"])
        var limits = Limits.standard
        limits.visitedRoles = 5
        #expect(try Self.search(simulator, limits: limits) == (nil, Array(names.prefix(5))))
        limits.visitedRoles = 6
        let found = try Self.search(simulator, limits: limits)
        #expect(found.role == "R6")
    }

    @Test func `does not ask a role for a path it is not trusted with`() throws {
        let simulator = try Self.simulator([("targets", "A", false)], targetIn: ["A"])
        let (role, fetched) = try Self.search(simulator, for: "files/deeper/x")
        #expect(role == nil)
        #expect(fetched == [])
    }

    @Test func `finds a role by the beginning of the path's digest`() throws {
        let simulator = RepositorySimulator(models: [])
        let path = try #require(TargetPath(Self.target))
        let digest = SHA256.digest(of: Array(Self.target.utf8)).hex
        let last = digest.prefix(2).last == "0" ? "1" : "0"
        let wrong = String(digest.prefix(1)) + last
        let roles = [("wrong", wrong), ("right", String(digest.prefix(2)))]
        simulator.edit { repository in
            for (name, prefix) in roles {
                guard let role = RoleName(name) else { continue }
                repository.delegate(
                    from: .targets, to: role, paths: .hashPrefixes([prefix]),
                    key: TestKeys.key(name))
                repository.add([1], at: path, to: role)
                repository.update(role)
            }
        }
        let (role, fetched) = try Self.search(simulator)
        #expect(role == "right")
        #expect(fetched == ["right"])
    }

    /// A and B both delegate to C, with different keys; C's file is signed by B's key only.
    static func diamond() throws -> RepositorySimulator {
        let simulator = RepositorySimulator(models: [])
        let names = try ["A", "B", "C"].map { try #require(RoleName($0)) }
        let left = try #require(PathPattern("left/*"))
        let right = try #require(PathPattern("right/*"))
        let path = try #require(TargetPath("right/x"))
        simulator.edit { repository in
            let ways = [(names[0], left, "key of A"), (names[1], right, "key of B")]
            for (delegator, pattern, key) in ways {
                repository.delegate(
                    from: .targets, to: delegator, paths: .patterns([pattern]),
                    key: TestKeys.key(delegator.description))
                repository.delegate(
                    from: delegator, to: names[2], paths: .patterns([pattern]),
                    key: TestKeys.key(key))
            }
            repository.signers[names[2]] = [TestKeys.key("key of B")]
            repository.add([1], at: path, to: names[2])
            repository.update(names[2])
        }
        return simulator
    }

    @Test func `judges a role by the delegator it was reached by, cached or not`() throws {
        let simulator = try Self.diamond()
        let device = try Device(simulator)
        var repository = try device.run(following: ["right/x"])
        #expect(try repository.target(at: #require(TargetPath("right/x")))?.length == 1)
        let role = try #require(RoleName("C"))
        let delegator = try #require(RoleName("A"))
        let refused = TUFError.tooFewSignatures(
            role, delegator: delegator, threshold: 1, valid: 0)
        let left = try #require(TargetPath("left/x"))
        #expect(throws: Device.Failure.refused(refused)) {
            try device.refresh(at: simulator.repository.now).target(at: left, in: &repository)
        }
        device.expectRefusal(
            refused, following: ["left/x"],
            requests: ["2.root.json", "timestamp.json", "\(try Self.cVersion(simulator)).C.json"])
        simulator.edit {
            $0.signers[role] = [TestKeys.key("key of A"), TestKeys.key("key of B")]
            $0.publish(role)
        }
        #expect(throws: Never.self) { try device.run(following: ["left/x", "right/x"]) }
    }

    /// The same key, by a lower and a higher threshold: the lower one does not open the other way.
    @Test func `judges a role by the threshold of the delegator it was reached by`() throws {
        let simulator = RepositorySimulator(models: [])
        let names = try ["A", "B", "C"].map { try #require(RoleName($0)) }
        let key = TestKeys.key("shared")
        for (delegator, side, threshold) in [(names[0], "left", 2), (names[1], "right", 1)] {
            let pattern = try #require(PathPattern("\(side)/*"))
            let count = try #require(Threshold(threshold))
            simulator.edit {
                $0.delegate(
                    from: .targets, to: delegator, paths: .patterns([pattern]),
                    key: TestKeys.key(delegator.description))
                $0.delegate(
                    from: delegator, to: names[2], paths: .patterns([pattern]), key: key,
                    threshold: count)
            }
        }
        let path = try #require(TargetPath("right/x"))
        simulator.edit {
            $0.add([1], at: path, to: names[2])
            $0.update(names[2])
        }
        let device = try Device(simulator)
        var repository = try device.run(following: ["right/x"])
        #expect(try repository.target(at: path)?.length == 1)
        let refused = TUFError.tooFewSignatures(
            names[2], delegator: names[0], threshold: 2, valid: 1)
        let left = try #require(TargetPath("left/x"))
        #expect(throws: Device.Failure.refused(refused)) {
            try device.refresh(at: simulator.repository.now).target(at: left, in: &repository)
        }
    }

    private static func cVersion(_ simulator: RepositorySimulator) throws -> MetadataVersion {
        let role = try #require(RoleName("C"))
        return try #require(simulator.repository.roles[role]).version
    }

    @Test func `fetches cached metadata again when today's delegator does not verify it`() throws {
        let simulator = RepositorySimulator()
        let device = try Device(simulator)
        let path = "rollouts/commands-en/main.json"
        try device.run(following: [path])
        let pattern = try #require(PathPattern("rollouts/commands-en/*"))
        simulator.edit {
            let key = TestKeys.key("plans, new")
            $0.delegate(
                from: .targets, to: .plans, paths: .patterns([pattern]), isTerminating: true,
                key: key)
            $0.signers[.plans] = [key]
            $0.publish(.plans)  // the same version, signed anew
        }
        simulator.forgetRequests()
        try device.run(following: [path])
        #expect(simulator.requests.last == "1.plans.commands-en.json")
        let name = MetadataFileName(.plans, version: .first)
        #expect(device.store[.plans] == simulator.repository.files[name])
    }

    /// TUF names no role in a role's file: with one key and one version a mirror can exchange two.
    @Test func `refuses a role's file in the place of another of the same key and version`() throws
    {
        let simulator = RepositorySimulator(models: ["commands-en", "commands-de"])
        let other = try #require(RoleName("plans.commands-de"))
        simulator.edit { repository in
            let key = repository.signers[.plans] ?? []
            repository.signers[other] = key
            repository.update(.targets) { targets in
                guard var delegation = targets.delegations?[other] else { return }
                delegation.keys.keyIDs = key.map(\.publicKey.keyID)
                targets.delegations?.set(delegation, keys: key.map(\.publicKey))
            }
            for role in [RoleName.plans, other] { repository.update(role) { $0.role = role } }
        }
        let device = try Device(simulator)
        let path = "rollouts/commands-en/main.json"
        let name = MetadataFileName(.plans, version: version(2))
        let honest = try #require(simulator.repository.files[name])
        let exchanged = try #require(
            simulator.repository.files[MetadataFileName(other, version: version(2))])
        simulator.edit { $0.files[name] = exchanged }
        device.expectRefusal(
            .otherRole(.plans, found: other), following: [path],
            requests: [
                "2.root.json", "timestamp.json", "4.snapshot.json", "2.targets.json",
                "2.plans.commands-en.json",
            ], storing: [.timestamp, .snapshot, .targets])
        simulator.edit { $0.files[name] = honest }
        #expect(try device.run(following: [path])[.plans]?.version == version(2))
    }
}
