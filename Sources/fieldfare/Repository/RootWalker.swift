import Console
import PosixFiles
import Primitives
import TUF

/// How far a device gets that holds one root version.
struct RootWalk {
    let start: MetadataVersion
    /// The newest root that it trusts.
    let reached: MetadataVersion
    /// Nil where it does not get to targets.
    let targets: MetadataVersion?
    /// Nil where it gets to the newest root and on to targets.
    let reason: String?
}

/// The client that devices run, over memory, from any root version of a chain.
struct RootWalker {
    let newest: MetadataVersion
    private let source: any StaticSource
    /// Targets that no snapshot lists yet; nil to refresh as devices do, by timestamp and snapshot.
    private let staged: [UInt8]?
    private let start = SystemClock.now()

    /// Walks the chain of a folder, to the targets that are staged there.
    ///
    /// - Throws: `Failure` for a folder without root, or with a version that no device follows.
    init(_ folder: CeremonyFolder) throws(Failure) {
        newest = try folder.standing(of: .root).version
        guard newest.number <= RootChain.most else { throw RootChain.tooLong }
        staged = try folder.newest(.targets)
        source = CeremonySource(folder: folder)
    }

    /// Walks what is published.
    ///
    /// - Throws: `Failure` where there is no first root, or no end of them.
    init(published source: any StaticSource) throws(Failure) {
        staged = nil
        var roots: [String: [UInt8]] = [:]
        var version = MetadataVersion.first
        while let bytes = try Self.root(version, source) {
            guard version.number <= RootChain.most else { throw RootChain.tooLong }
            roots[Self.path(version)] = bytes
            version = version.next
        }
        guard let newest = MetadataVersion(version.number - 1) else {
            throw Failure(.failed, "metadata '1.root.json': expected it, got none")
        }
        self.newest = newest
        self.source = KnownRoots(roots: roots, source: source)
    }

    var versions: [MetadataVersion] { (1...newest.number).compactMap { MetadataVersion($0) } }

    /// - Throws: `Failure` where the source cannot be read; a refusal is part of the answer.
    func walk(from version: MetadataVersion) throws(Failure) -> RootWalk {
        guard let bytes = try Self.root(version, source) else {
            return RootWalk(
                start: version, reached: version, targets: nil,
                reason: "expected root \(version), got none")
        }
        let memory = MetadataMemory()
        let refresh = Refresh(
            fetcher: SourceFetcher(source: source), store: memory, start: start)
        do {
            try refresh.install(trustedRoot: bytes)
            let (root, targets) = try end(of: refresh)
            let isThere = root >= newest
            return RootWalk(
                start: version, reached: root, targets: isThere ? targets : nil,
                reason: isThere ? nil : "expected root \(root.next) to follow, got none")
        } catch {
            switch error {
            case .fetching(let failure): throw failure
            case .refused(let error):
                return RootWalk(
                    start: version, reached: held(memory) ?? version, targets: nil,
                    reason: "\(error)")
            }
        }
    }

    private func end(
        of refresh: Refresh<SourceFetcher, MetadataMemory>
    ) throws(Refresh<SourceFetcher, MetadataMemory>.Failure) -> (MetadataVersion, MetadataVersion) {
        guard let staged else {
            let repository = try refresh.run()
            return (repository.root.version, repository.targets.version)
        }
        let (root, targets) = try refresh.rehearse(targets: staged)
        return (root.version, targets.version)
    }

    /// What the device has stored by then.
    private func held(_ memory: MetadataMemory) -> MetadataVersion? {
        memory.load(MetadataFileName(.root), limit: Limits.standard.root).flatMap {
            try? Draft<Root>(parsing: $0, as: .root).content.version
        }
    }

    private static func root(
        _ version: MetadataVersion, _ source: any StaticSource
    ) throws(Failure) -> [UInt8]? {
        try source.bytes(path(version), limit: Limits.standard.root)
    }

    private static func path(_ version: MetadataVersion) -> String {
        "tuf/\(MetadataFileName(.root, version: version))"
    }
}

/// A repository whose roots have been read once, because each device asks for most of them again.
private struct KnownRoots: StaticSource {
    /// By path.
    let roots: [String: [UInt8]]
    let source: any StaticSource

    func bytes(_ path: String, limit: Int) throws(Failure) -> [UInt8]? {
        if let bytes = roots[path] { return bytes }
        return try source.bytes(path, limit: limit)
    }
}

/// The roots of a ceremony's folder, under the names that a registry will publish them by.
private struct CeremonySource: StaticSource {
    let folder: CeremonyFolder

    func bytes(_ path: String, limit: Int) throws(Failure) -> [UInt8]? {
        let parts = path.split(separator: "/").last?.split(separator: ".") ?? []
        guard parts.count == 3, parts[1] == "root", let number = Int64(parts[0]) else { return nil }
        return try folder.version(number, of: .root)
    }
}
