import Console
import Cryptography
import ModelBundle
import PosixFiles
import Primitives
import RegistryAccess
import Rollouts
import TUF

/// A policy as a person names it: `NAME=FILE` or `FILE`.
struct PolicyFile {
    let name: AttributeName
    let path: String

    init(argument: String) throws(Failure) {
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        name = try Word.attribute(parts.count == 2 ? parts[0] : "standard", "--policy")
        path = parts.last ?? argument
        let kind = name.description.split(separator: ".").last
        guard kind != "approval", kind != "lift" else {
            throw Failure(
                .usage, "--policy: expected a name that is no approval's or lift's, got '\(name)'")
        }
    }

    /// The policy, completed for a bundle and checked.
    ///
    /// - Throws: `Failure` `refused` listing everything that is wrong.
    func policy(
        for manifest: Manifest, _ bundle: BundleReference, from start: UTCTime = SystemClock.now()
    ) throws(Failure) -> Policy {
        let policy = try completed(for: manifest, bundle, from: start)
        try refuse(policy.problems().map(\.description))
        return policy
    }

    /// The policy for a bundle that does not exist yet, completed and checked.
    ///
    /// - Throws: `Failure` `refused` listing everything that is wrong.
    func draft() throws(Failure) -> Policy {
        let draft = try YAMLFile.read(path)
        guard let version = draft["candidate"]?.string.flatMap({ SemanticVersion($0) }) else {
            throw Failure(
                .refused,
                "policy '\(path)': field 'candidate': expected \(SemanticVersion.expected), got another"
            )
        }
        let bundle = BundleReference(
            version: version, sha256: SHA256.digest(of: Array(path.utf8)), length: 1)
        let policy: Policy
        do {
            policy = try PolicyDraft.complete(draft, candidate: bundle, now: SystemClock.now())
        } catch { throw malformed(error) }
        try refuse(policy.problems().map(\.description))
        return policy
    }

    /// The policy, completed for a bundle, and not checked yet.
    ///
    /// - Throws: `Failure` `refused` for what cannot be read, or is of another model or version.
    func completed(
        for manifest: Manifest, _ bundle: BundleReference, from start: UTCTime = SystemClock.now()
    ) throws(Failure) -> Policy {
        let draft = try YAMLFile.read(path)
        let policy: Policy
        do {
            policy = try PolicyDraft.complete(draft, candidate: bundle, now: start)
        } catch { throw malformed(error) }
        guard policy.model == manifest.model else {
            throw Failure(
                .refused,
                "policy '\(path)': field 'model': expected the bundle's model, \(manifest.model), got '\(policy.model)'"
            )
        }
        return policy
    }

    private func malformed(_ error: PolicyDraft.Malformed) -> Failure {
        guard error.problems.count == 1 else {
            let lines = error.problems.map { "  \($0)".visible }.joined(separator: "\n")
            return Failure(
                .refused,
                "policy '\(path)': expected values that can be read, got \(error.problems.count) that cannot\n\(lines)"
            )
        }
        return Failure(.refused, "policy '\(path)': \(error.problems[0])")
    }

    /// - Throws: `Failure` `refused` with all problems, where there are any.
    func refuse(_ problems: [String]) throws(Failure) {
        guard !problems.isEmpty else { return }
        let lines = problems.map { "  \($0.visible)" }.joined(separator: "\n")
        throw Failure(
            .refused, "policy '\(path)': expected no problem, got \(problems.count)\n\(lines)")
    }

    /// The version that the file is for.
    ///
    /// - Throws: `Failure` `refused` where it names none.
    func candidate() throws(Failure) -> SemanticVersion {
        let text = try YAMLFile.read(path)["candidate"]?.string
        guard let version = text.flatMap({ SemanticVersion($0) }) else {
            let found = text.map { "'\($0.visible)'" } ?? "none"
            throw Failure(
                .refused,
                "policy '\(path)': field 'candidate': expected \(SemanticVersion.expected), got \(found)"
            )
        }
        return version
    }

    /// The target to publish: the one that is there already where this file says the same, so that a
    /// pipeline may run again although a policy without `not_before` counts from the moment it was published.
    func target(
        for manifest: Manifest, _ bundle: BundleReference, unlessIn proposal: RoleProposal
    ) throws(Failure) -> (TargetPath, [UInt8]) {
        let path = TargetPath.policy(of: manifest.model, manifest.version, name: name)
        if let digest = try proposal.existing(path)?.hashes.sha256,
            let bytes = try proposal.api.file("/blobs/sha256/\(digest)"),
            let published = try? Policy(parsing: bytes)
        {
            let again = try policy(for: manifest, bundle, from: published.notBefore)
            if again.json.canonicalBytes == bytes { return (path, bytes) }
        }
        return (path, try policy(for: manifest, bundle).json.canonicalBytes)
    }
}
