import Console
import Primitives
import TUF

/// Root, with its whole chain, and targets, as a registry or mirror publishes them.
///
/// The chain is verified from its first version as a device verifies it, expired or not: who renews expired metadata
/// must be able to read it. Whether the first version is the right one is for the caller to see.
struct PublishedRoles {
    /// From version 1 on.
    let roots: [[UInt8]]
    let targets: [UInt8]

    init(_ source: any StaticSource) throws(Failure) {
        let verifier = Verifier(start: .epoch)
        var roots = [try Self.file("1.root.json", source, verifier.limits.root)]
        do {
            var trusted = try verifier.initialRoot(roots[0])
            while let bytes = try source.bytes(
                "tuf/\(trusted.version.next).root.json", limit: verifier.limits.root)
            {
                trusted = try verifier.root(bytes, after: trusted)
                roots.append(bytes)
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.refused, "published root: \(error)")
        }
        self.roots = roots
        let snapshot = try Self.version(of: "snapshot", in: "timestamp.json", source)
        let version = try Self.version(of: "targets", in: "\(snapshot).snapshot.json", source)
        targets = try Self.file("\(version).targets.json", source, verifier.limits.targets)
        try checkTargets()
    }

    /// Targets must be signed under a root of the chain: a new root may have come before its targets.
    private func checkTargets() throws(Failure) {
        let staged = try StagedRole(targets, as: .targets)
        for bytes in roots.reversed() {
            guard case .root(let root) = try StagedRole(bytes, as: .root) else { continue }
            let verifiers = root.content.verifiers(of: .targets)
            if staged.progress(towards: verifiers).isComplete { return }
        }
        throw Failure(
            .refused, "published targets: expected the signatures of its keys, got too few")
    }

    private static func version(
        of role: String, in name: String, _ source: any StaticSource
    ) throws(Failure) -> Int64 {
        let bytes = try file(name, source, Limits.standard.snapshot)
        let json = try Failure.catching("metadata '\(name)'") {
            try JSON(parsing: bytes, limit: bytes.count)
        }
        guard let version = json["signed"]?["meta"]?["\(role).json"]?["version"]?.integer else {
            throw Failure(
                .failed, "metadata '\(name)': expected a version of '\(role)', got none")
        }
        return version
    }

    private static func file(
        _ name: String, _ source: any StaticSource, _ limit: Int
    ) throws(Failure) -> [UInt8] {
        guard let bytes = try source.bytes("tuf/\(name)", limit: limit) else {
            throw Failure(.failed, "metadata '\(name)': expected it, got none")
        }
        return bytes
    }
}
