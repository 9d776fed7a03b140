import Console
import Primitives
import TUF

/// Root, with its whole chain from version 1 on, and targets, as a registry or mirror publishes them.
struct PublishedRoles {
    let chain: RootChain
    let targets: [UInt8]

    init(_ source: any StaticSource) throws(Failure) {
        let limits = Limits.standard
        chain = try RootChain(from: Self.file("1.root.json", source, limits.root)) {
            (version) throws(Failure) in
            try source.bytes("tuf/\(version).root.json", limit: limits.root)
        }
        let snapshot = try Self.version(of: "snapshot", in: "timestamp.json", source)
        let version = try Self.version(of: "targets", in: "\(snapshot).snapshot.json", source)
        targets = try Self.file("\(version).targets.json", source, limits.targets)
        guard try chain.verifies(targets: StagedRole(targets, as: .targets)) else {
            throw Failure(
                .refused, "published targets: expected the signatures of its keys, got too few")
        }
    }

    /// The newest root.
    var root: [UInt8] { chain.roots.last?.bytes ?? [] }

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
