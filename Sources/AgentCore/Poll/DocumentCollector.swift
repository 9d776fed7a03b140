import Cryptography
import ModelBundle
import Primitives
import Rollouts
import TUF

/// Reads the targets that a refreshed repository lists, as far as one device needs them.
struct DocumentCollector {
    let question: PollQuestion
    let repository: TrustedRepository
    let fetching: any Fetching
    let cache: any TargetCaching
    let stop: Interrupt
    /// The digests of all that was read, for the cache.
    private(set) var used: Set<SHA256Digest> = []
    private(set) var material: PollMaterial

    static let documentLimit = 64

    init(
        question: PollQuestion, repository: TrustedRepository, fetching: any Fetching,
        cache: any TargetCaching, stop: Interrupt
    ) {
        self.question = question
        self.repository = repository
        self.fetching = fetching
        self.cache = cache
        self.stop = stop
        let plans = RoleName.plans(question.model)
        let timestamp = repository.timestamp.content
        material = PollMaterial(
            plan: .none, planVersion: repository[plans]?.version.number,
            planKeys: repository.verifiers(of: plans)?.fingerprint, listing: Listing(),
            // Of a foreign repository, which does not say when it signed, nothing counts as fresh.
            timestampSigned: timestamp.signedAt ?? .epoch, timestampExpires: timestamp.expires,
            timestampKeys: repository.root.content.verifiers(of: .timestamp).fingerprint,
            expiredOfflineRoles: repository.expired.map(\.description))
        material.missing = MissingPlans(plans, in: repository)
        material.versions = [
            "root": repository.root.version.number,
            "timestamp": repository.timestamp.version.number,
            "snapshot": repository.snapshot.version.number,
            "targets": repository.targets.version.number,
        ]
        for role in [plans, .model(question.model)] {
            material.versions[role.description] = repository[role]?.version.number
        }
    }

    mutating func collect() throws(PollError) {
        try readPlan()
        let bundles = concerned
        listManifests()
        for bundle in bundles { try readManifest(bundle) }
        for version in Set(bundles.map(\.version)).sorted() { try readDocuments(of: version) }
    }

    /// What the plan names for this device, and what the device has.
    private var concerned: [BundleReference] {
        guard let plan = material.readablePlan else { return question.concerned }
        let hash = DeviceHash(of: question.device, model: question.model)
        let pinned = plan.pin(of: hash, at: repository.start)?.bundle
        return [plan.candidate] + [plan.baseline, pinned].compactMap { $0 } + question.concerned
    }

    private mutating func readPlan() throws(PollError) {
        let path = TargetPath.plan(of: question.model, question.channel)
        let role = RoleName.plans(question.model)
        guard let target = repository[role]?.content.targets[path] else { return }
        guard let bytes = try read(path, target, limit: Plan.longest) else {
            material.plan = .unreadable("longer than \(Plan.longest) bytes")
            return
        }
        material.plan = HeldPlan(parsing: bytes)
    }

    private var released: [TargetPath: TargetDescription] {
        repository[.model(question.model)]?.content.targets ?? [:]
    }

    private mutating func listManifests() {
        let prefix = "bundles/\(question.model)/"
        for (path, target) in released where path.description.hasPrefix(prefix) {
            let name = path.description.dropFirst(prefix.count)
            guard name.hasSuffix(".json"), let version = SemanticVersion(String(name.dropLast(5)))
            else { continue }
            material.listing.manifests[version] = target.hashes.sha256
        }
    }

    private mutating func readManifest(_ bundle: BundleReference) throws(PollError) {
        let path = TargetPath.manifest(of: question.model, bundle.version)
        guard material.manifests[bundle.sha256] == nil, let target = released[path],
            target.hashes.sha256 == bundle.sha256
        else { return }
        guard let bytes = try read(path, target, limit: Manifest.byteLimit) else {
            return note(path, "longer than \(Manifest.byteLimit) bytes")
        }
        do {
            let manifest = try Manifest(parsing: bytes)
            guard manifest.model == question.model, manifest.version == bundle.version else {
                return note(path, "of \(manifest.model) \(manifest.version)")
            }
            material.listing.requirements[bundle.sha256] = manifest.requirements
            material.manifests[bundle.sha256] = ManifestTarget(
                manifest: manifest, bytes: bytes, sha256: bundle.sha256)
        } catch {
            note(path, "\(error)")
        }
    }

    /// The policies, approvals and lifts of one version.
    private mutating func readDocuments(of version: SemanticVersion) throws(PollError) {
        let prefix = "policies/\(question.model)/\(version)."
        let paths = released.keys.filter { $0.description.hasPrefix(prefix) }.sorted()
        for path in paths.prefix(Self.documentLimit) {
            guard let target = released[path], let digest = target.hashes.sha256 else { continue }
            guard let bytes = try read(path, target, limit: Policy.longest) else {
                note(path, "longer than \(Policy.longest) bytes")
                continue
            }
            do {
                try take(bytes, path, digest)
            } catch {
                note(path, error.description)
            }
        }
    }

    private mutating func take(
        _ bytes: [UInt8], _ path: TargetPath, _ digest: SHA256Digest
    ) throws(DocumentError) {
        switch try ReleaseDocument(parsing: bytes, at: path) {
        case .policy(let policy):
            material.listing.policies.append(
                Listing.ListedPolicy(path: path, sha256: digest, policy: policy))
        case .approval(let approval): material.listing.approvals.append(approval)
        case .lift(let lift): material.listing.lifts.append(lift)
        }
    }

    private mutating func note(_ path: TargetPath, _ problem: String) {
        material.problems.append("\(path): \(problem)")
    }

    /// A target's bytes, verified by length and every digest that is listed; nil where it is longer than it may be.
    private mutating func read(
        _ path: TargetPath, _ target: TargetDescription, limit: Int
    ) throws(PollError) -> [UInt8]? {
        guard target.length <= Int64(limit) else { return nil }
        guard let digest = target.hashes.sha256, let place = path.consistent(digest) else {
            throw .refused(.noSHA256(.model(question.model), path))
        }
        used.insert(digest)
        if let bytes = cache.cached(digest, limit: limit), target.hashes.match(bytes) {
            return bytes
        }
        let bytes: [UInt8]
        do {
            bytes = try fetching.target(place, limit: Int(target.length), until: stop)
        } catch .interrupted { throw .interrupted } catch { throw .fetch(error, of: path) }
        guard target.hashes.match(bytes) else {
            throw .wrongTarget(path, expected: digest, found: SHA256.digest(of: bytes))
        }
        cache.keep(bytes, as: digest)
        return bytes
    }
}
