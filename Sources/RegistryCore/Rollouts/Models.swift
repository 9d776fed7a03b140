package import Primitives
package import Rollouts
import TUF

/// Shows the models and their versions.
package struct Models: Sendable {
    package enum VersionState: String, Sendable, Hashable {
        /// In a proposal that waits for signatures.
        case held
        case live
        /// Named as withdrawn by a plan of any channel.
        case withdrawn
    }

    package struct Version: Sendable, Hashable {
        package let bundle: BundleReference
        package let state: VersionState
        /// The paths of its policies, approvals and lifts.
        package let policies: [TargetPath]

        package var json: JSON {
            [
                "version": .string(bundle.version.description),
                "manifest_sha256": .string(bundle.sha256.hex), "state": .string(state.rawValue),
                "policies": .array(policies.map { .string($0.description) }),
            ]
        }
    }

    package struct Model: Sendable, Hashable {
        package let name: ModelName
        /// Newest first.
        package let versions: [Version]

        package var json: JSON {
            [
                "type": "model", "model": .string(name.description),
                "versions": .array(versions.map(\.json)),
            ]
        }
    }

    private let store: any RegistryStoring
    private let blobs: any BlobStoring

    package init(store: any RegistryStoring, blobs: any BlobStoring) {
        self.store = store
        self.blobs = blobs
    }

    package func list(by actor: Principal) throws(RegistryError) -> [Model] {
        try authorise(actor, .read, on: .registry)
        return try store.read { (records) throws(RegistryError) in
            let roles = try LiveRepository(records).roles
            var models: [Model] = []
            for name in roles.filter(\.isModel).compactMap(\.modelName).sorted() {
                models.append(try model(name, in: records))
            }
            return models
        }
    }

    package func model(_ name: ModelName, by actor: Principal) throws(RegistryError) -> Model {
        try authorise(actor, .read, on: .model(name))
        return try store.read { (records) throws(RegistryError) in
            try model(name, in: records)
        }
    }

    private func model(
        _ name: ModelName, in records: any RegistryRecords
    ) throws(RegistryError) -> Model {
        let role = RoleName.model(name)
        guard try LiveRepository(records).verifiers(of: role) != nil else {
            throw .notFound("model", name.description)
        }
        let live: Draft<Targets>? = try LiveRepository.draft(role, in: records)
        let held: Draft<Targets>? =
            if let stored = try records.proposal(role) {
                try LiveRepository.draft(stored)
            } else { nil }
        let plans = try records.rollouts(of: name).map(\.state.plan)
        let withdrawn = Set(plans.flatMap(\.withdrawn).map(\.sha256))
        let liveTargets = live?.content.targets ?? [:]
        let all = (held?.content.targets ?? [:]).merging(liveTargets) { _, live in live }
        let versions = all.compactMap { path, target -> Version? in
            guard case .manifest(let version) = TargetPlace(path, model: name),
                let digest = target.hashes.sha256
            else { return nil }
            let state: VersionState =
                liveTargets[path] == nil
                ? .held : withdrawn.contains(digest) ? .withdrawn : .live
            return Version(
                bundle: BundleReference(
                    version: version, sha256: digest, length: target.length),
                state: state, policies: Self.policies(of: version, name, among: all.keys))
        }
        return Model(
            name: name, versions: versions.sorted { $0.bundle.version > $1.bundle.version })
    }

    private static func policies(
        of version: SemanticVersion, _ model: ModelName, among paths: some Sequence<TargetPath>
    ) -> [TargetPath] {
        let prefix = "policies/\(model)/\(version)."
        return paths.filter { $0.description.hasPrefix(prefix) }.sorted()
    }
}
