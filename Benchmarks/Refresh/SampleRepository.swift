import Cryptography
import Primitives
import TUF

/// A repository of the standard layout (ADR 0001), as large as is asked for: models, each with releases and a plan.
///
/// Each model has two release keys of its own and one plan key, as if each had a team of its own. Keys come from names:
/// anyone can make them.
struct SampleRepository {
    /// What the repository serves, by file name.
    private(set) var files: [MetadataFileName: [UInt8]] = [:]
    private var snapshot: Snapshot
    private var timestamp: Timestamp
    private let models: [ModelName]
    private let expires: UTCTime

    /// Nil where a number is not positive.
    init?(models count: Int, releases: Int, now: UTCTime) {
        guard count > 0, releases > 0 else { return nil }
        models = (1...count).compactMap { ModelName("model-\($0)") }
        expires = now + 30 * 86_400
        timestamp = Timestamp(
            expires: expires, signedAt: now, snapshot: MetaFile(version: .first))
        snapshot = Snapshot(expires: expires, meta: [.targets: MetaFile(version: .first)])

        let root = RepositoryLayout(
            root: Self.holders(["root-1", "root-2", "root-3"], .two),
            targets: Self.holders(["targets"]), snapshot: Self.holders(["snapshot"]),
            timestamp: Self.holders(["timestamp"]))
        put(root.firstRoot(expires: expires), as: .root, by: ["root-1", "root-2"])
        let targets = RepositoryLayout.firstTargets(
            models: models.map {
                .init(
                    name: $0, releases: Self.holders(Self.releaseKeys($0), .two),
                    plans: Self.holders(["plans"]))
            }, expires: expires)
        put(targets, as: .targets, by: ["targets"])
        for model in models {
            put(
                Self.releases(of: model, count: releases, expires), as: .model(model),
                by: Self.releaseKeys(model))
            putPlan(of: model, .first)
        }
        finish()
    }

    /// The paths that a device that follows this model looks for: its plan, and the manifest that it names.
    static func paths(of model: ModelName, releases: Int) -> [TargetPath] {
        guard let channel = ChannelName("main"), let newest = version(releases) else { return [] }
        return [.plan(of: model, channel), .manifest(of: model, newest)]
    }

    /// Changes a model's plan, as every move of a rollout does.
    mutating func changePlan(of model: ModelName) {
        putPlan(of: model, snapshot.meta[.plans(model)]?.version.next ?? .first)
        snapshot = snapshot.next(listing: [:], expires: expires)
        timestamp = timestamp.next(
            naming: timestamp.snapshot, expires: expires, signedAt: timestamp.signedAt ?? expires)
        finish()
    }

    // MARK: Parts

    private static func releaseKeys(_ model: ModelName) -> [String] {
        ["\(model)-ci", "\(model)-person"]
    }

    private static func version(_ number: Int) -> SemanticVersion? {
        SemanticVersion("1.\(number).0")
    }

    /// A manifest and a policy for each release.
    private static func releases(of model: ModelName, count: Int, _ expires: UTCTime) -> Targets {
        var targets = Targets(expires: expires, of: .model(model))
        for version in (1...count).compactMap(Self.version) {
            guard let standard = AttributeName("standard") else { continue }
            let manifest = TargetPath.manifest(of: model, version)
            for path in [manifest, .policy(of: model, version, name: standard)] {
                targets.targets[path] = TargetDescription(
                    length: 3_000, sha256: SHA256.digest(of: Array("\(path)".utf8)))
            }
        }
        return targets
    }

    private mutating func putPlan(of model: ModelName, _ version: MetadataVersion) {
        var plans = Targets(version: version, expires: expires, of: .plans(model))
        guard let channel = ChannelName("main") else { return }
        let path = TargetPath.plan(of: model, channel)
        plans.targets[path] = TargetDescription(
            length: 1_000, sha256: SHA256.digest(of: Array("\(path) \(version)".utf8)))
        put(plans, as: .plans(model), by: ["plans"])
    }

    /// Signs and keeps metadata, and lists it where the snapshot lists such.
    private mutating func put<Content: RoleMetadata>(
        _ content: Content, as role: RoleName, by names: [String]
    ) {
        var draft = Draft(content, of: role)
        for name in names { draft.sign(with: Self.key(name)) }
        files[MetadataFileName(role, version: content.version)] = draft.bytes
        if ![.root, .snapshot, .timestamp].contains(role) {
            snapshot.meta[role] = MetaFile(
                listing: role, version: content.version, bytes: draft.bytes)
        }
    }

    private mutating func finish() {
        put(snapshot, as: .snapshot, by: ["snapshot"])
        let name = MetadataFileName(.snapshot, version: snapshot.version)
        timestamp.snapshot = MetaFile(version: snapshot.version, bytes: files[name] ?? [])
        var draft = Draft(timestamp, of: .timestamp)
        draft.sign(with: Self.key("timestamp"))
        files[MetadataFileName(.timestamp)] = draft.bytes
    }

    private static func holders(_ names: [String], _ threshold: Threshold = .one) -> KeyHolders {
        KeyHolders(names.map { key($0).publicKey }, threshold: threshold)
    }

    private static func key(_ name: String) -> Ed25519PrivateKey {
        guard let key = Ed25519PrivateKey(seed: SHA256.digest(of: Array(name.utf8)).bytes) else {
            preconditionFailure("a digest has 32 bytes")
        }
        return key
    }
}
