import Cryptography
import ModelBundle
import Primitives
import Rollouts
import TUF

/// What today's live metadata of a model lists, read from its blobs: manifests by reference, policies whole.
struct ModelShelf {
    let model: ModelName
    /// Distinct keys that must sign what the model's role lists.
    let threshold: Threshold
    let targets: [TargetPath: TargetDescription]
    /// The bundles listed, by version.
    let bundles: [SemanticVersion: BundleReference]
    private(set) var listing = Listing()
    private let blobs: any BlobStoring

    /// - Throws: `.notFound` where the repository does not delegate to the model.
    init(
        _ model: ModelName, in records: any MetadataStoring, blobs: any BlobStoring
    ) throws(RegistryError) {
        let role = RoleName.model(model)
        guard let verifiers = try LiveRepository(records).verifiers(of: role) else {
            throw .notFound("model", model.description)
        }
        let live: Draft<Targets>? = try LiveRepository.draft(role, in: records)
        self.model = model
        threshold = verifiers.threshold
        self.blobs = blobs
        targets = live?.content.targets ?? [:]
        var bundles: [SemanticVersion: BundleReference] = [:]
        for (path, target) in targets {
            guard case .manifest(let version) = TargetPlace(path, model: model),
                let digest = target.hashes.sha256
            else { continue }
            bundles[version] = BundleReference(
                version: version, sha256: digest, length: target.length)
        }
        self.bundles = bundles
        listing.manifests = bundles.mapValues(\.sha256)
        for (path, target) in targets.sorted(by: { $0.key < $1.key }) {
            guard case .policyFile = TargetPlace(path, model: model),
                let digest = target.hashes.sha256
            else { continue }
            try list(path, digest)
        }
    }

    private mutating func list(_ path: TargetPath, _ digest: SHA256Digest) throws(RegistryError) {
        guard let bytes = try blobs.bytes(of: digest, limit: Policy.longest) else {
            throw .storage("blob \(digest) of target '\(path)' is missing")
        }
        guard let file = try? ReleaseDocument(parsing: bytes, at: path) else { return }
        switch file {
        case .policy(let policy):
            listing.policies.append(
                Listing.ListedPolicy(path: path, sha256: digest, policy: policy))
        case .approval(let approval): listing.approvals.append(approval)
        case .lift(let lift): listing.lifts.append(lift)
        }
    }

    /// Reads the manifest of a listed bundle, and notes what it asks of a device.
    mutating func manifest(_ bundle: BundleReference) throws(RegistryError) -> Manifest? {
        guard let bytes = try blobs.bytes(of: bundle.sha256, limit: Manifest.byteLimit),
            let manifest = try? Manifest(parsing: bytes)
        else { return nil }
        listing.requirements[bundle.sha256] = manifest.requirements
        return manifest
    }

    /// The policy of a release by its name; nil where it is not listed.
    func policy(
        _ version: SemanticVersion, name: AttributeName
    ) -> Listing.ListedPolicy? {
        let path = TargetPath.policy(of: model, version, name: name)
        return listing.policies.first { $0.path == path }
    }
}
