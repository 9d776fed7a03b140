package import Cryptography
import ModelBundle
package import Primitives
package import RegistryCore
package import Rollouts
package import TUF
import TestSupport

/// A registry on any stores, with keys from fixed seeds, and what its owners do with it.
///
/// One model, `commands-en`, whose release keys have threshold 2 unless said otherwise; root is 2 of 3.
package struct TestRegistry: Sendable {
    package static let day: Int64 = 86_400

    package let store: any RegistryStoring
    package let blobs: any BlobStoring
    package let model: ModelName
    package let admin: Principal
    package let schedule: MetadataSchedule

    package init(
        store: any RegistryStoring = MemoryStore(), blobs: any BlobStoring = MemoryBlobs(),
        schedule: MetadataSchedule = MetadataSchedule()
    ) {
        guard let model = ModelName("commands-en"), let id = TokenID("00000000000000ad") else {
            preconditionFailure("constants are well formed")
        }
        self.store = store
        self.blobs = blobs
        self.model = model
        self.schedule = schedule
        admin = Principal(id: id, name: "admin", scopes: [Scope(.admin)])
    }

    /// The same records seen by another process.
    package func restarted(with store: (any RegistryStoring)? = nil) -> TestRegistry {
        TestRegistry(store: store ?? self.store, blobs: blobs, schedule: schedule)
    }

    // MARK: Use cases

    package static let onlineKeys = OnlineKeys([
        .snapshot: [TestKeys.key("snapshot")], .timestamp: [TestKeys.key("timestamp")],
        .plans: [TestKeys.key("plans")],
    ])

    package var roles: Roles {
        Roles(store: store, blobs: blobs, keys: Self.onlineKeys, schedule: schedule)
    }

    package var desk: RolloutDesk {
        RolloutDesk(store: store, blobs: blobs, keys: Self.onlineKeys, schedule: schedule)
    }

    package var pins: Pins {
        Pins(store: store, blobs: blobs, keys: Self.onlineKeys, schedule: schedule)
    }

    package var controller: Controller {
        Controller(store: store, blobs: blobs, keys: Self.onlineKeys, schedule: schedule)
    }

    package var reports: Reports { Reports(store: store) }
    package var devices: Devices { Devices(store: store) }

    // MARK: Keys

    package static let rootKeys = TestKeys.keys("root", count: 3)
    package static let targetsKey = TestKeys.key("targets")
    package static let releaseKeys = TestKeys.keys("release", count: 2)

    private static func holders(
        _ keys: [Ed25519PrivateKey], _ threshold: Threshold = .one
    ) -> KeyHolders {
        KeyHolders(keys.map(\.publicKey), threshold: threshold)
    }

    /// The first root, unsigned.
    package static func firstRoot(at now: UTCTime) -> Root {
        RepositoryLayout(
            root: holders(rootKeys, .two), targets: holders([targetsKey]),
            snapshot: holders([TestKeys.key("snapshot")]),
            timestamp: holders([TestKeys.key("timestamp")])
        ).firstRoot(expires: now + 365 * day)
    }

    /// The first targets, unsigned, with the models' delegations.
    package static func firstTargets(
        _ models: [ModelName], releases: Threshold = .two, at now: UTCTime
    ) -> Targets {
        RepositoryLayout.firstTargets(
            models: models.map {
                RepositoryLayout.Model(
                    name: $0, releases: holders(releaseKeys, releases),
                    plans: holders([TestKeys.key("plans")]))
            }, expires: now + 90 * day)
    }

    package static func signed<Content: RoleMetadata>(
        _ content: Content, of role: RoleName, by keys: [Ed25519PrivateKey],
        naming name: RoleName? = nil
    ) -> [UInt8] {
        var content = content
        if var targets = content as? Targets {
            targets.role = name ?? role
            if let named = targets as? Content { content = named }
        }
        var draft = Draft(content, of: role)
        for key in keys { draft.sign(with: key) }
        return draft.bytes
    }

    // MARK: What owners do

    /// Posts root and targets, signed by all.
    package func found(releases: Threshold = .two, at now: UTCTime) throws {
        let root = Self.signed(Self.firstRoot(at: now), of: .root, by: Self.rootKeys)
        _ = try roles.post(root, as: .root, by: admin, at: now)
        let targets = Self.firstTargets([model], releases: releases, at: now)
        _ = try roles.post(
            Self.signed(targets, of: .targets, by: [Self.targetsKey]), as: .targets, by: admin,
            at: now)
    }

    /// The live metadata of the model, or what it begins with.
    package func modelTargets(at now: UTCTime) throws -> Targets {
        let live = try store.read { (records) throws(RegistryError) in
            try records.live(.model(model))
        }
        guard let live else { return Targets(expires: now + 60 * Self.day) }
        return try Draft<Targets>(parsing: live.bytes, as: .model(model)).content
    }

    /// Stores a bundle's files and manifest as blobs.
    package func upload(_ bundle: SampleBundle) throws {
        for bytes in bundle.files.values { try upload(bytes) }
        try upload(bundle.manifest.bytes)
    }

    package func upload(_ bytes: [UInt8]) throws {
        try blobs.put(bytes, SHA256.digest(of: bytes))
    }

    /// Posts the model's next metadata, after a change, signed by all release keys unless said otherwise.
    @discardableResult
    package func publish(
        at now: UTCTime, by signers: [Ed25519PrivateKey] = releaseKeys, as actor: Principal? = nil,
        _ change: (inout Targets) -> Void
    ) throws -> RolePosting {
        var targets = try modelTargets(at: now)
        let isFirst = try store.read { (records) throws(RegistryError) in
            try records.live(.model(model)) == nil
        }
        if !isFirst { targets = targets.next(expires: now + 60 * Self.day) }
        change(&targets)
        let bytes = Self.signed(targets, of: .model(model), by: signers)
        return try roles.post(bytes, as: .model(model), by: actor ?? admin, at: now)
    }

    /// Creates the rollout of a model's first release, by its policy `standard`.
    package func createFirst(_ version: String, at now: UTCTime) throws {
        guard let version = SemanticVersion(version), let policy = AttributeName("standard") else {
            throw SampleError.impossible
        }
        _ = try desk.create(
            RolloutRequest(
                model: model, channel: .main, candidate: version, policy: policy, isInitial: true),
            by: admin, at: now)
    }

    /// Uploads a release, a bundle with a policy named `standard`, and publishes both.
    ///
    /// `policy` is what `rollout.yaml` would say; the defaults are filled in.
    @discardableResult
    package func release(
        _ version: String, replaces: [String], policy: JSON = .object([:]),
        rollbackFloor: SemanticVersion? = nil, at now: UTCTime
    ) throws -> SampleBundle {
        guard let version = SemanticVersion(version), let name = AttributeName("standard") else {
            throw SampleError.impossible
        }
        let bundle = try SampleBundle(model, version, rollbackFloor: rollbackFloor)
        let whole = try self.policy(of: bundle, replaces: replaces, policy, at: now)
        let policyBytes = whole.json.canonicalBytes
        try upload(bundle)
        try upload(policyBytes)
        try publish(at: now) { targets in
            targets.targets[.manifest(of: model, version)] = TargetDescription(
                of: bundle.manifest.bytes)
            targets.targets[.policy(of: model, version, name: name)] = TargetDescription(
                of: policyBytes)
        }
        return bundle
    }

    /// The policy of a bundle; `policy` is what `rollout.yaml` would say.
    package func policy(
        of bundle: SampleBundle, replaces: [String], _ policy: JSON = .object([:]),
        at now: UTCTime
    ) throws -> Policy {
        var draft = policy.object ?? [:]
        draft["model"] = .string(model.description)
        draft["candidate"] = .string(bundle.manifest.version.description)
        draft["replaces"] = .array(replaces.map { .string($0) })
        return try PolicyDraft.complete(.object(draft), candidate: bundle.reference, now: now)
    }

    /// Makes changed metadata of the model live without the checks of a publication, as if an older registry had let it
    /// through.
    package func slip(at now: UTCTime, _ change: (inout Targets) -> Void) throws {
        var targets = try modelTargets(at: now).next(expires: now + 60 * Self.day)
        change(&targets)
        let role = RoleName.model(model)
        let file = StoredRole(
            role: role, version: targets.version,
            bytes: Self.signed(targets, of: role, by: Self.releaseKeys))
        try store.write { (records) throws(RegistryError) in try records.add(file, at: now) }
    }

    /// Publishes the release keys' word that a bundle may be taken again.
    package func lift(_ bundle: BundleReference, until: UTCTime, at now: UTCTime) throws {
        let lift = Lift(model: model, version: bundle.version, sha256: bundle.sha256, until: until)
        let bytes = lift.json.canonicalBytes
        try upload(bytes)
        try publish(at: now) { targets in
            targets.targets[.lift(of: model, bundle.version)] = TargetDescription(of: bytes)
        }
    }

    func requirements(_ manifest: [UInt8]) throws -> Requirements {
        try Manifest(parsing: manifest).requirements
    }

    // MARK: What clients see

    /// Goes through the live metadata as a client with the first root does, down to one role.
    package func clientView(
        of role: RoleName, at now: UTCTime
    ) throws -> Trusted<Targets> {
        func live(_ role: RoleName) throws -> [UInt8] {
            let stored = try store.read { (records) throws(RegistryError) in
                try records.live(role)
            }
            guard let stored else { throw SampleError.impossible }
            return stored.bytes
        }
        let verifier = Verifier(start: now)
        let root = try verifier.initialRoot(live(.root))
        let timestamp = try verifier.timestamp(live(.timestamp), under: root, replacing: nil)
        let snapshot = try verifier.snapshot(
            live(.snapshot), under: root, named: timestamp, replacing: nil)
        let targets = try verifier.targets(live(.targets), under: root, listedIn: snapshot)
        guard role != .targets else { return targets }
        return try verifier.delegated(live(role), of: role, under: targets, listedIn: snapshot)
    }

    /// The audit log's events, oldest first.
    package func events() throws -> [String] {
        try auditRecords().compactMap { $0.json?["event"]?.string }
    }

    package func auditRecords() throws -> [StoredAuditRecord] {
        try store.read { (records) throws(RegistryError) in
            try records.auditRecords(after: 0, limit: .max, subject: nil)
        }
    }
}
