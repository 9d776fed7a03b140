import Cryptography
package import Primitives

/// A repository as one refresh found it: all that stands in it is verified, listed and in force.
///
/// Delegated roles are there as far as somebody has asked for them; `Refresh` loads more.
package struct TrustedRepository: Sendable {
    package let root: Trusted<Root>
    package let timestamp: Trusted<Timestamp>
    package let snapshot: Trusted<Snapshot>
    package let targets: Trusted<Targets>
    /// What judged all of it, and judges what is loaded later.
    let verifier: Verifier
    private var delegated: [DelegationChain: Trusted<Targets>] = [:]

    init(
        root: Trusted<Root>, timestamp: Trusted<Timestamp>, snapshot: Trusted<Snapshot>,
        targets: Trusted<Targets>, verifier: Verifier
    ) {
        self.root = root
        self.timestamp = timestamp
        self.snapshot = snapshot
        self.targets = targets
        self.verifier = verifier
    }

    /// When the refresh began: the moment that all expiry was judged at.
    package var start: UTCTime { verifier.start }

    /// The next moment after `start` at which any of the metadata that is loaded expires; nil where all has.
    package var nextExpiry: UTCTime? {
        let topLevel = [
            root.content.expires, timestamp.content.expires, snapshot.content.expires,
            targets.content.expires,
        ]
        return (topLevel + delegated.values.map(\.content.expires)).filter { $0 > start }.min()
    }

    /// The version of a role that the snapshot lists, loaded or not; nil where it lists none.
    package func version(of role: RoleName) -> MetadataVersion? {
        snapshot.content.meta[role]?.version
    }

    /// The metadata of a role that the top-level `targets` delegates to; nil before it is loaded.
    package subscript(role: RoleName) -> Trusted<Targets>? {
        role == .targets ? targets : metadata(at: .top.appending(role))
    }

    /// The keys that a role is judged by: a top-level one, or one that `targets` delegates to.
    package func verifiers(of role: RoleName) -> Verifiers? {
        role.isTopLevel
            ? root.content.verifiers(of: role) : targets.content.delegations?.verifiers(of: role)
    }

    /// The loaded roles that had expired when the refresh began; empty unless the policy was
    /// `.reportOffline`, and then only `targets` and `model.<m>`, in order of their names.
    package var expired: [RoleName] {
        let all = [targets] + delegated.values
        return Set(all.filter { $0.content.expires <= start }.map(\.role)).sorted()
    }

    /// Where the repository serves a target, to append to the URL of its targets (TUF 1.0.34 section 5.7.3).
    ///
    /// `<folder>/<digest>.<name>` with consistent snapshots, its path without, each part percent-encoded. The digest is
    /// SHA-256, or SHA-512 where that alone is listed.
    package func urlPath(of file: TargetFile) -> String {
        var parts = file.path.parts
        if root.content.consistentSnapshot {
            let digest = file.hashes.sha256?.hex ?? Hex.encode(file.hashes.sha512 ?? [])
            parts[parts.count - 1] = "\(digest).\(parts[parts.count - 1])"
        }
        return parts.map { PercentEncoding.encode($0) }.joined(separator: "/")
    }

    func metadata(at chain: DelegationChain) -> Trusted<Targets>? {
        chain == .top ? targets : delegated[chain]
    }

    /// Takes a role in; the only callers are those that have just verified it under its delegator here.
    mutating func insert(_ metadata: Trusted<Targets>, at chain: DelegationChain) {
        delegated[chain] = metadata
    }
}

/// A target that the repository vouches for, and who does.
package struct TargetFile: Sendable, Hashable {
    package let path: TargetPath
    /// Bytes.
    package let length: Int64
    /// SHA-256, SHA-512 or both.
    package let hashes: FileHashes
    package let custom: JSON?
    /// The role that lists the target, and the version of its metadata.
    package let role: RoleName
    package let roleVersion: MetadataVersion
}
