import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

struct RepositoryRevisionTests {
    static let repository = RepositorySimulator(models: ["commands-en", "commands-de"]).repository

    static func revision() throws -> RepositoryRevision {
        RepositoryRevision(
            root: repository.root, targets: try #require(repository.roles[.targets]))
    }

    static func publicKey(_ name: String) -> Ed25519PublicKey { TestKeys.key(name).publicKey }

    /// A call that throws changes nothing.
    static func refuses(
        _ error: RevisionError, sourceLocation: SourceLocation = #_sourceLocation,
        _ change: (inout RepositoryRevision) throws -> Void
    ) throws {
        var revision = try revision()
        #expect(throws: error, sourceLocation: sourceLocation) { try change(&revision) }
        #expect(revision == (try Self.revision()), sourceLocation: sourceLocation)
        #expect(error.description.contains("expected"), sourceLocation: sourceLocation)
    }

    static func model(
        _ name: String, releases: [String], plans: [String] = ["plans.commands-en"]
    ) throws -> RepositoryLayout.Model {
        RepositoryLayout.Model(
            name: try #require(ModelName(name)), releases: KeyHolders(releases.map(publicKey)),
            plans: KeyHolders(plans.map(publicKey)))
    }

    @Test func `adds a model as the layout has it, and leaves the others and root alone`() throws {
        var revision = try Self.revision()
        let model = try Self.model("commands-fr", releases: ["fr"])
        try revision.add(model)
        var expected = try Self.revision().targets
        expected.delegate(to: model)
        #expect(revision.targets == expected)
        #expect(revision.targets.delegations?.roles.count == 6)
        #expect(revision.root == Self.repository.root)
        #expect(revision.plansHolders == model.plans)
    }

    @Test func `one release key may serve two models`() throws {
        var revision = try Self.revision()
        try revision.add(Self.model("commands-fr", releases: ["model.commands-en-1"]))
        #expect(revision.roles(of: Self.publicKey("model.commands-en-1")).count == 2)
    }

    @Test func `refuses a model that exists`() throws {
        let model = try Self.model("commands-en", releases: ["fr"])
        try Self.refuses(.modelExists(model.name)) { try $0.add(model) }
    }

    @Test(arguments: [
        ("root-1", RoleName.root), ("targets", .targets), ("snapshot", .snapshot),
        ("timestamp", .timestamp), ("plans.commands-en", .plans),
    ])
    func `refuses a release key that serves another kind of role`(
        name: String, role: RoleName
    ) throws {
        let model = try Self.model("commands-fr", releases: [name])
        let id = Self.publicKey(name).keyID
        try Self.refuses(.keyServesOther(id, role, wanted: .model(model.name))) {
            try $0.add(model)
        }
    }

    @Test func `refuses a model whose release key signs its plans too`() throws {
        let model = try Self.model("commands-fr", releases: ["new"], plans: ["new"])
        let id = Self.publicKey("new").keyID
        try Self.refuses(
            .keyServesOther(id, .plans(model.name), wanted: .model(model.name))
        ) { try $0.add(model) }
    }

    @Test func `puts a key in the place of another, in all of its roles`() throws {
        var revision = try Self.revision()
        try revision.add(Self.model("commands-fr", releases: ["model.commands-en-1"]))
        let changed = try revision.replace(
            Self.publicKey("model.commands-en-1"), with: Self.publicKey("new"))
        #expect(changed.map(\.description) == ["model.commands-en", "model.commands-fr"])
        let role = try #require(revision.targets.delegations?[.releases])
        #expect(
            role.keys.keyIDs == [
                Self.publicKey("new").keyID, Self.publicKey("model.commands-en-2").keyID,
            ])
        #expect(role.keys.threshold == .two)
        #expect(revision.key(Self.publicKey("model.commands-en-1").keyID) == nil)
        #expect(revision.root == Self.repository.root)
    }

    @Test func `replaces in the named roles only`() throws {
        var revision = try Self.revision()
        try revision.add(Self.model("commands-fr", releases: ["model.commands-en-1"]))
        let changed = try revision.replace(
            Self.publicKey("model.commands-en-1"), with: Self.publicKey("new"),
            in: [.releases, .releases])
        #expect(changed == [.releases], "named twice, changed once")
        #expect(revision.roles(of: Self.publicKey("model.commands-en-1")).count == 1)
    }

    @Test func `replaces a root key, and forgets the old one`() throws {
        var revision = try Self.revision()
        try revision.replace(Self.publicKey("root-2"), with: Self.publicKey("new"))
        let own = revision.root.verifiers(of: .root)
        #expect(
            own.publicKeys
                == Set(["root-1", "new", "root-3"].map { .ed25519(Self.publicKey($0)) }))
        #expect(own.threshold == .two)
        #expect(revision.root.keys[Self.publicKey("root-2").keyID] == nil)
    }

    @Test func `refuses replacements that would mean nothing, or give a key two duties`() throws {
        let new = Self.publicKey("new")
        try Self.refuses(.keyUnknown(new.keyID)) { try $0.replace(new, with: new) }
        let root = Self.publicKey("root-1")
        try Self.refuses(.keyNotInRole(root.keyID, .targets)) {
            try $0.replace(root, with: new, in: [.targets])
        }
        let second = Self.publicKey("root-2")
        try Self.refuses(.alreadyHolds(second.keyID, .root)) {
            try $0.replace(root, with: second)
        }
        let targets = Self.publicKey("targets")
        try Self.refuses(.keyServesOther(targets.keyID, .targets, wanted: .root)) {
            try $0.replace(root, with: targets)
        }
    }

    @Test func `takes a key out down to the threshold, and not below`() throws {
        var revision = try Self.revision()
        #expect(try revision.remove(Self.publicKey("root-1")) == [.root])
        let left = revision
        #expect(throws: RevisionError.belowThreshold(.root, left: 1, threshold: .two)) {
            try revision.remove(Self.publicKey("root-2"))
        }
        #expect(revision == left)
        for (name, role) in [("targets", RoleName.targets), ("snapshot", .snapshot)] {
            try Self.refuses(.belowThreshold(role, left: 0, threshold: .one)) {
                try $0.remove(Self.publicKey(name))
            }
        }
    }

    /// A change of the role would publish it without that key, and nobody would have asked for it.
    @Test func `leaves a role alone that has a key which is not ours`() throws {
        let foreign = try #require(KeyID(String(repeating: "0", count: 64)))
        var root = Self.repository.root
        root.keys[foreign] = Key(Self.publicKey("foreign"))
        let key = Self.publicKey("targets")
        var held = try #require(root.roles[.root])
        held.keyIDs.append(foreign)
        root = Root(
            expires: root.expires, keys: root.keys,
            roles: root.roles.merging([.root: held]) { _, new in new })
        var revision = RepositoryRevision(root: root, targets: try Self.revision().targets)
        let before = revision
        let error = RevisionError.foreignKey(foreign, .root)
        #expect(throws: error) {
            try revision.replace(Self.publicKey("root-1"), with: Self.publicKey("new"))
        }
        #expect(throws: error) { try revision.remove(Self.publicKey("root-1")) }
        #expect(revision == before)
        #expect(revision.key(foreign) == nil, "nor is it known by that id")
        #expect(error.description.contains("expected Ed25519 keys under their own ids"))
        try revision.replace(key, with: Self.publicKey("new"))
    }

    @Test func `sets all keys of a role, and sees when they are those it has`() throws {
        var revision = try Self.revision()
        let new = Self.publicKey("new")
        #expect(try revision.setKeys(of: .snapshot, to: [new]))
        #expect(try !revision.setKeys(of: .snapshot, to: [new]))
        #expect(revision.roles(of: new) == [.snapshot])
        try Self.refuses(.belowThreshold(.root, left: 1, threshold: .two)) {
            _ = try $0.setKeys(of: .root, to: [new])
        }
        let root = Self.publicKey("root-1")
        try Self.refuses(.keyServesOther(root.keyID, .root, wanted: .snapshot)) {
            _ = try $0.setKeys(of: .snapshot, to: [root])
        }
    }
}
