import Console
import Primitives
import TUF

/// Root, with its whole chain from version 1 on, and targets, as a registry or mirror publishes them.
struct PublishedRoles {
    let chain: RootChain
    let targets: [UInt8]

    /// - Throws: `Failure` `refused` where a device that trusts the root would refuse them, or the chain from version 1
    ///   on does not end where that root leads.
    init(_ source: any StaticSource, root: TrustedRootFile) throws(Failure) {
        let registry = try TrustedRegistry(source, root: root)
        let newest = try registry.root()
        let first = MetadataFileName(.root, version: .first)
        let limit = Limits.standard.root
        guard let bytes = try source.bytes("tuf/\(first)", limit: limit) else {
            throw Failure(.failed, "metadata '\(first)': expected it, got none")
        }
        chain = try RootChain(from: bytes) { (version) throws(Failure) in
            guard version <= newest.version else { return nil }
            return try source.bytes(
                "tuf/\(MetadataFileName(.root, version: version))", limit: limit)
        }
        guard let live = try registry.liveTargets() else {
            throw Failure(
                .refused, "published targets: expected them, got none",
                hint: "fieldfare repo push --dir DIR")
        }
        targets = live.bytes
        guard self.root == newest.bytes else {
            throw Failure(
                .refused,
                "published root: expected the chain that '\(root.path)' leads along, got another",
                hint: "do not sign; somebody else speaks for the registry")
        }
        // A root that is newer than its targets, and has other keys for them, is about to get new ones.
        let staged = try StagedRole(targets, as: .targets)
        guard live.isVerified || chain.verifies(targets: staged) else {
            throw Failure(
                .refused, "published targets: expected the signatures of its keys, got too few")
        }
    }

    /// The newest root.
    var root: [UInt8] { chain.roots.last?.bytes ?? [] }
}
