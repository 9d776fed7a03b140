import Cryptography
import FleetSimulation
import ModelBundle
package import Primitives
import Rollouts
import Speech
import TUF

/// A repository for a simulation, in stores that are empty: one model, a key to each role, a first release that is
/// complete, and a candidate to roll out.
///
/// All of it is posted, checked and signed as in any other repository; the bundles' files are short texts.
package struct MadeUpRepository: Sendable {
    package static let model = constant(ModelName("commands-en"))
    package static let baseline = constant(SemanticVersion("1.0.0"))
    package static let candidate = constant(SemanticVersion("1.1.0"))
    package static let admin = Principal(
        id: .registry, name: "simulation", scopes: [Scope(.admin)])
    private static let policyName = constant(AttributeName("standard"))
    /// Seconds that the first release takes.
    package static let firstSoak: Int64 = 86_400
    /// How long root, targets and the model's metadata live.
    private static let life: Int64 = 365 * 86_400

    package let roles: Roles
    package let desk: RolloutDesk
    let keys: OnlineKeys
    private let store: any RegistryStoring
    private let blobs: any BlobStoring
    private let ownerKeys: [RoleName: Ed25519PrivateKey]

    /// The keys come from the seed.
    package init(store: any RegistryStoring, blobs: any BlobStoring, seed: UInt64) {
        var random = SimulationRandom(seed: seed, part: .max)
        var online: [OnlineKeys.Purpose: [Ed25519PrivateKey]] = [:]
        for purpose in OnlineKeys.Purpose.allCases {
            online[purpose] = [Ed25519PrivateKey(using: &random)]
        }
        var owners: [RoleName: Ed25519PrivateKey] = [:]
        for role in [RoleName.root, .targets, .model(Self.model)] {
            owners[role] = Ed25519PrivateKey(using: &random)
        }
        keys = OnlineKeys(online)
        ownerKeys = owners
        self.store = store
        self.blobs = blobs
        roles = Roles(store: store, blobs: blobs, keys: keys)
        desk = RolloutDesk(store: store, blobs: blobs, keys: keys)
    }

    /// Posts root and targets, and both releases; the first is complete on return, `firstSoak` before `now`.
    ///
    /// - Parameters:
    ///   - policy: of the candidate, as `rollout.yaml` would have it.
    ///   - now: when the candidate may start.
    /// - Throws: what the use cases throw, and `FieldError` for a policy that cannot be read.
    package func found(policy: JSON, at now: UTCTime) throws {
        let before = now + -2 * Self.firstSoak
        let holders = { (role: RoleName) in
            KeyHolders([ownerKeys[role]?.publicKey].compactMap(\.self))
        }
        let online = { (purpose: OnlineKeys.Purpose) in KeyHolders(keys.publicKeys(of: purpose)) }
        let root = RepositoryLayout(
            root: holders(.root), targets: holders(.targets), snapshot: online(.snapshot),
            timestamp: online(.timestamp)
        ).firstRoot(expires: now + Self.life)
        try post(root, as: .root, at: before)
        let model = RepositoryLayout.Model(
            name: Self.model, releases: holders(.model(Self.model)), plans: online(.plans))
        let targets = RepositoryLayout.firstTargets(models: [model], expires: now + Self.life)
        try post(targets, as: .targets, at: before)
        let first: JSON = [
            "replaces": [],
            "stages": [
                [
                    "name": "all", "share": 10_000, "least_devices": 0, "cap": 10_000,
                    "least_soak_s": .integer(Self.firstSoak),
                    "most_soak_s": .integer(2 * Self.firstSoak), "required_blind_spot": [:],
                ]
            ],
        ]
        var listed = Targets(expires: now + Self.life)
        try add(Self.baseline, first, to: &listed, at: before)
        var second = policy.object ?? [:]
        second["replaces"] = [.string(Self.baseline.description)]
        try add(Self.candidate, .object(second), to: &listed, at: now)
        listed.role = .model(Self.model)
        try post(listed, as: .model(Self.model), at: before)
        try create(Self.baseline, isInitial: true, at: before)
        try order(.start, at: before)
        try order(.advance, at: before + Self.firstSoak)
    }

    /// Creates the candidate's rollout, and starts it.
    package func begin(at now: UTCTime) throws {
        try create(Self.candidate, isInitial: false, at: now)
        try order(.start, at: now)
    }

    private func create(_ version: SemanticVersion, isInitial: Bool, at now: UTCTime) throws {
        let request = RolloutRequest(
            model: Self.model, channel: .main, candidate: version, policy: Self.policyName,
            isInitial: isInitial, acknowledges: true)
        _ = try desk.create(request, by: Self.admin, at: now)
    }

    private func order(_ order: RolloutOrder, at now: UTCTime) throws {
        _ = try desk.order(
            order, Self.model, .main, reason: "simulation", by: Self.admin, at: now)
    }

    private func post<Content: RoleMetadata>(
        _ content: Content, as role: RoleName, at now: UTCTime
    ) throws {
        var draft = Draft(content, of: role)
        if let key = ownerKeys[role] { draft.sign(with: key) }
        _ = try roles.post(draft.bytes, as: role, by: Self.admin, at: now)
    }

    /// Stores a bundle and its policy, and lists both.
    private func add(
        _ version: SemanticVersion, _ policy: JSON, to targets: inout Targets, at now: UTCTime
    ) throws {
        let manifest = try manifest(of: version)
        let bundle = BundleReference(
            version: version, sha256: SHA256.digest(of: manifest), length: Int64(manifest.count))
        var draft = policy.object ?? [:]
        draft["model"] = .string(Self.model.description)
        draft["candidate"] = .string(version.description)
        let whole = try PolicyDraft.complete(.object(draft), candidate: bundle, now: now)
        let bytes = whole.json.canonicalBytes
        try blobs.put(manifest, bundle.sha256)
        try blobs.put(bytes, SHA256.digest(of: bytes))
        targets.targets[.manifest(of: Self.model, version)] = TargetDescription(of: manifest)
        targets.targets[.policy(of: Self.model, version, name: Self.policyName)] =
            TargetDescription(of: bytes)
    }

    /// Stores a bundle's files, and lists them in a manifest.
    private func manifest(of version: SemanticVersion) throws -> [UInt8] {
        func path(_ name: String) -> TargetPath { Self.constant(TargetPath(name)) }
        var files: [ManifestFile] = []
        var digests: [String: SHA256Digest] = [:]
        for name in ["card.md", "io.json", "model.onnx", "telemetry.json", "tokens.txt", "u.wav"] {
            let bytes = Array("\(name) of \(version)".utf8)
            let digest = SHA256.digest(of: bytes)
            try blobs.put(bytes, digest)
            digests[name] = digest
            files.append(
                try ManifestFile(
                    path: path(name), length: Int64(bytes.count), sha256: digest, chunks: [digest]))
        }
        func schema(_ name: String) -> SchemaReference {
            SchemaReference(path: path(name), sha256: Self.constant(digests[name]))
        }
        let locale = Self.constant(AttributeName("en"))
        return try Manifest(
            model: Self.model, version: version, created: .epoch, locales: [locale],
            runtime: RecogniserSettings(
                minimumVersion: Self.baseline, family: .nemoCTC, model: path("model.onnx"),
                tokens: path("tokens.txt"),
                features: FeatureSettings(normalisation: .perFeature, subsampling: 4)),
            files: files,
            smoke: SmokeSuite(
                utterances: [
                    SmokeUtterance(wav: path("u.wav"), transcript: "turn left", locale: locale)
                ], maximumWER: 100, cpuBudget: CPUBudget(standard: 500)),
            requirements: Requirements(
                architectures: [.x86], minimumMemory: 1, minimumDisk: 1,
                minimumAgent: Self.baseline),
            ioSchema: schema("io.json"), telemetrySchema: schema("telemetry.json"),
            compatibility: Compatibility(mode: .backward, supersedes: nil),
            modelCard: path("card.md"), routingPolicy: nil,
            provenance: Provenance(
                sourceCommit: String(repeating: "0", count: 40), pipelineURL: nil,
                builder: "simulation", derivedFrom: nil), rollbackFloor: nil
        ).bytes
    }

    private static func constant<Value>(_ value: Value?) -> Value {
        guard let value else { preconditionFailure("constants are well formed") }
        return value
    }
}
