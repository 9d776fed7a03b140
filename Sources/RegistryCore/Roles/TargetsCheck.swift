import Cryptography
import ModelBundle
import Primitives
import Rollouts
import TUF

/// Holds offered `model.<m>` metadata against what it names: blobs are present, manifests and policies
/// can be read and belong where they stand.
///
/// All problems are found, not only the first. Targets that are live already were checked when they came.
struct TargetsCheck {
    /// Problems beyond this many are not listed.
    static let problemLimit = 100

    let model: ModelName
    let offered: Targets
    let live: Targets?
    let blobs: any BlobStoring
    private var problems: [String] = []

    init(model: ModelName, offered: Targets, live: Targets?, blobs: any BlobStoring) {
        self.model = model
        self.offered = offered
        self.live = live
        self.blobs = blobs
    }

    /// - Throws: `.refusedByPolicy` with all problems.
    mutating func run() throws(RegistryError) {
        for (path, target) in offered.targets.sorted(by: { $0.key < $1.key })
        where live?.targets[path] != target {
            guard problems.count < Self.problemLimit else { break }
            try check(path, target)
        }
        guard problems.isEmpty else { throw .refusedByPolicy(problems) }
    }

    private mutating func check(
        _ path: TargetPath, _ target: TargetDescription
    ) throws(RegistryError) {
        guard let place = TargetPlace(path, model: model) else {
            problem(path, TargetPlace.expected, "another path")
            return
        }
        guard let digest = target.hashes.sha256 else {
            problem(path, "a SHA-256 digest", "none")
            return
        }
        guard let blob = try blobs.open(digest) else {
            problem(path, "its bytes to be uploaded", "no blob \(digest)")
            return
        }
        guard blob.length == target.length else {
            problem(path, "length \(target.length)", "\(blob.length)")
            return
        }
        guard blob.length <= Int64(place.byteLimit) else {
            problem(path, "at most \(place.byteLimit) bytes", "\(blob.length)")
            return
        }
        let bytes = try blob.read(0..<blob.length)
        switch place {
        case .manifest(let version): try checkManifest(path, version, bytes)
        case .policyFile(let stem): checkPolicyFile(path, stem, bytes)
        }
    }

    // MARK: Bundles

    private mutating func checkManifest(
        _ path: TargetPath, _ version: SemanticVersion, _ bytes: [UInt8]
    ) throws(RegistryError) {
        let manifest: Manifest
        do { manifest = try Manifest(parsing: bytes) } catch {
            problem(path, "a manifest", "\(error)")
            return
        }
        if manifest.model != model { problem(path, "model '\(model)'", "'\(manifest.model)'") }
        if manifest.version != version {
            problem(path, "version \(version)", "\(manifest.version)")
        }
        for file in manifest.files {
            let length = try blobs.open(file.sha256)?.length
            guard length != file.length else { continue }
            problem(
                path, "file '\(file.path)' to be uploaded, \(file.length) bytes",
                length.map { "\($0) bytes" } ?? "no blob \(file.sha256)")
        }
    }

    // MARK: Policies, approvals, lifts

    private mutating func checkPolicyFile(_ path: TargetPath, _ stem: String, _ bytes: [UInt8]) {
        do {
            switch try ReleaseDocument(parsing: bytes, at: path) {
            case .policy(let policy):
                check(path, policy.model)
                check(path, stem, policy.candidate.version)
                check(path, policy)
                for problem in policy.problems() {
                    problems.append("target '\(path)': \(problem)")
                }
            case .approval(let approval):
                check(path, approval.model)
                let listed = offered.targets.values.contains {
                    $0.hashes.sha256 == approval.policy
                }
                if !listed {
                    problem(path, "an approval of a listed policy", "of \(approval.policy)")
                }
            case .lift(let lift):
                check(path, lift.model)
                check(path, stem, lift.version)
            }
        } catch {
            problem(path, "a policy, an approval or a lift", "\(error)")
        }
    }

    private mutating func check(_ path: TargetPath, _ found: ModelName) {
        if found != model { problem(path, "model '\(model)'", "'\(found)'") }
    }

    private mutating func check(_ path: TargetPath, _ stem: String, _ found: SemanticVersion) {
        guard !stem.hasPrefix("\(found).") else { return }
        problem(path, "a name that begins with its version, \(found)", "another")
    }

    private mutating func check(_ path: TargetPath, _ policy: Policy) {
        let candidate = policy.candidate
        let manifest = offered.targets[.manifest(of: model, candidate.version)]
        guard let manifest else {
            problem(path, "its bundle \(candidate.version) in the same metadata", "none")
            return
        }
        guard manifest.hashes.sha256 == candidate.sha256, manifest.length == candidate.length
        else {
            problem(
                path, "the manifest \(candidate.sha256) of \(candidate.length) bytes",
                "\(manifest.hashes.sha256?.hex ?? "none") of \(manifest.length) bytes")
            return
        }
    }

    private mutating func problem(_ path: TargetPath, _ expected: String, _ found: String) {
        guard problems.count < Self.problemLimit else { return }
        problems.append("target '\(path)': expected \(expected), got \(found)")
    }
}
