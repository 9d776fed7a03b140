package import Cryptography
package import Primitives
package import TUF

/// A repository as a value: metadata being edited, keys that sign it, and the files it has published.
///
/// Nothing is published by itself: a test edits any part, breaks what it likes, and says what is
/// published, so that every wrong state of a repository can be made.
package struct SimulatedRepository: Sendable {
    package var root: Root
    package var timestamp: Timestamp
    package var snapshot: Snapshot
    /// `targets` and the delegated roles.
    package var roles: [RoleName: Targets]
    /// Who signs each role when it is published.
    package var signers: [RoleName: [Ed25519PrivateKey]]
    /// Metadata as the server has it.
    package var files: [MetadataFileName: [UInt8]] = [:]
    /// Target files by consistent name.
    package var targetFiles: [TargetPath: [UInt8]] = [:]
    /// Whether the snapshot lists lengths and digests, beside versions.
    package var listsDigests = false
    /// What expiry is counted from.
    package var now: UTCTime

    package static let day: Int64 = 86_400

    /// The standard layout, published: root 2 of 3, `model.<m>` 2 of 2, all else one key.
    package init(models: [ModelName], now: UTCTime) {
        self.now = now
        signers = [
            .root: TestKeys.keys("root", count: 3), .targets: [TestKeys.key("targets")],
            .snapshot: [TestKeys.key("snapshot")], .timestamp: [TestKeys.key("timestamp")],
        ]
        for model in models {
            signers[.model(model)] = TestKeys.keys("model.\(model)", count: 2)
            signers[.plans(model)] = [TestKeys.key("plans.\(model)")]
        }
        let signers = signers
        func holders(_ role: RoleName, _ threshold: Threshold = .one) -> KeyHolders {
            KeyHolders((signers[role] ?? []).map(\.publicKey), threshold: threshold)
        }
        root = RepositoryLayout(
            root: holders(.root, .two), targets: holders(.targets), snapshot: holders(.snapshot),
            timestamp: holders(.timestamp)
        ).firstRoot(expires: now + 365 * Self.day)
        let delegated = models.map {
            RepositoryLayout.Model(
                name: $0, releases: holders(.model($0), .two), plans: holders(.plans($0)))
        }
        let expires = now + 90 * Self.day
        roles = [.targets: RepositoryLayout.firstTargets(models: delegated, expires: expires)]
        for model in models {
            roles[.model(model)] = Targets(expires: expires)
            roles[.plans(model)] = Targets(expires: now + 7 * Self.day)
        }
        snapshot = Snapshot(expires: now + 7 * Self.day, meta: [:])
        timestamp = Timestamp(
            expires: now + Self.day, signedAt: now, snapshot: MetaFile(version: .first))
        publishRoot()
        for role in roles.keys { publish(role) }
        publishSnapshot()
    }

    // MARK: Publishing

    /// Signs the root and puts it where clients look for it, and next to that, for nobody to fetch.
    package mutating func publishRoot() {
        let bytes = signed(root, of: .root)
        files[MetadataFileName(.root, version: root.version)] = bytes
    }

    /// Signs a targets role of this version, and lists it in the snapshot being edited.
    package mutating func publish(_ role: RoleName) {
        guard let content = roles[role] else { preconditionFailure("there is no role \(role)") }
        let bytes = signed(content, of: role)
        put(bytes, role, content.version)
        snapshot.meta[role] =
            listsDigests
            ? MetaFile(version: content.version, bytes: bytes) : MetaFile(version: content.version)
    }

    /// Signs the snapshot of this version, names it in the timestamp, and signs that.
    package mutating func publishSnapshot() {
        let bytes = signed(snapshot, of: .snapshot)
        put(bytes, .snapshot, snapshot.version)
        timestamp.snapshot = MetaFile(version: snapshot.version, bytes: bytes)
        publishTimestamp()
    }

    package mutating func publishTimestamp() {
        files[MetadataFileName(.timestamp)] = signed(timestamp, of: .timestamp)
    }

    private mutating func put(_ bytes: [UInt8], _ role: RoleName, _ version: MetadataVersion) {
        let name =
            root.consistentSnapshot
            ? MetadataFileName(role, version: version) : MetadataFileName(role)
        files[name] = bytes
    }

    private func signed<Content: RoleMetadata>(_ content: Content, of role: RoleName) -> [UInt8] {
        var draft = Draft(content, of: role)
        for key in signers[role] ?? [] { draft.sign(with: key) }
        return draft.bytes
    }

    // MARK: Honest updates

    /// Changes a targets role as its owner would: next version, then snapshot and timestamp.
    package mutating func update(_ role: RoleName, _ edit: (inout Targets) -> Void = { _ in }) {
        guard var content = roles[role] else { preconditionFailure("there is no role \(role)") }
        content.version = content.version.next
        edit(&content)
        roles[role] = content
        publish(role)
        updateSnapshot()
    }

    /// Publishes the next snapshot and timestamp.
    package mutating func updateSnapshot() {
        snapshot.version = snapshot.version.next
        timestamp.version = timestamp.version.next
        publishSnapshot()
    }

    /// Publishes the next timestamp, of the same snapshot.
    package mutating func updateTimestamp() {
        timestamp.version = timestamp.version.next
        publishTimestamp()
    }

    /// Publishes the next root.
    package mutating func updateRoot(_ edit: (inout Root) -> Void = { _ in }) {
        root.version = root.version.next
        edit(&root)
        publishRoot()
    }

    /// Lists a target in a role and serves it; the caller publishes.
    package mutating func add(_ bytes: [UInt8], at path: TargetPath, to role: RoleName) {
        roles[role]?.targets[path] = TargetDescription(of: bytes)
        if let name = path.consistent(SHA256.digest(of: bytes)) { targetFiles[name] = bytes }
    }

    /// Gives a top-level role one new key, in place of all it had, and publishes the next root.
    package mutating func rotateKey(of role: RoleName, to key: Ed25519PrivateKey) {
        signers[role] = [key]
        updateRoot { $0.setKeys(of: role, to: [key.publicKey], threshold: .one) }
    }

    /// Delegates from a role to a new, empty one, signed by one key; publishes both, and the snapshot.
    package mutating func delegate(
        from delegator: RoleName, to role: RoleName, paths: DelegatedPaths,
        isTerminating: Bool = false, key: Ed25519PrivateKey, threshold: Threshold = .one
    ) {
        let delegation = DelegatedRole(
            name: role, keys: RoleKeys(keyIDs: [key.publicKey.keyID], threshold: threshold),
            paths: paths, isTerminating: isTerminating)
        if roles[role] == nil {
            signers[role] = [key]
            roles[role] = Targets(expires: now + 90 * Self.day)
            publish(role)
        }
        update(delegator) { targets in
            var delegations = targets.delegations ?? Delegations()
            delegations.set(delegation, keys: [key.publicKey])
            targets.delegations = delegations
        }
    }
}
