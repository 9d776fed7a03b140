import Console
import Cryptography
import ModelBundle
import PosixFiles
import Primitives
import TUF

/// A whole repository, looked through from a trusted root: every role, every target, every file that a manifest names.
struct RepositoryCheck {
    private static let hint =
        "copy the file from the registry again; if it is the registry's, restore its backup"
    private let source: any PartialSource
    private let refresh: Refresh<SourceFetcher, MetadataMemory>
    private(set) var targets = 0
    private(set) var files = 0
    /// Files that have been read; versions share most of theirs.
    private var known: Set<SHA256Digest> = []

    init(_ source: any PartialSource) {
        self.source = source
        refresh = Refresh(
            fetcher: SourceFetcher(source: source), store: MetadataMemory(),
            start: SystemClock.now())
    }

    /// Looks through all of it; the files that manifests name only where that is asked for.
    ///
    /// - Throws: `Failure` `refused` for the first thing that a device would refuse.
    mutating func run(
        from root: TrustedRootFile, readsFiles: Bool
    ) throws(Failure) -> TrustedRepository {
        try Failure.refreshing("root of trust '\(root.path)'") {
            () throws(RefreshError<Failure, Never>) in
            try refresh.install(trustedRoot: root.bytes)
        }
        var repository: TrustedRepository
        do { repository = try refresh.run() } catch { throw Failure("repository", error) }
        let delegated = repository.targets.content.delegations?.roles.map(\.name) ?? []
        for role in [.targets] + delegated {
            for path in try paths(of: role, &repository) {
                let bytes = try target(at: path, of: role, in: &repository)
                targets += 1
                if readsFiles, role.kind == .release, path.parts[0] == "bundles" {
                    try checkFiles(of: bytes, path)
                }
            }
        }
        return repository
    }

    private func paths(
        of role: RoleName, _ repository: inout TrustedRepository
    ) throws(Failure) -> [TargetPath] {
        guard role != .targets else { return repository.targets.content.targets.keys.sorted() }
        // A role that is delegated to, and has not been published yet.
        guard repository.version(of: role) != nil else { return [] }
        let metadata: Trusted<Targets>?
        do { metadata = try refresh.load(role, into: &repository) } catch {
            throw Failure("repository", error)
        }
        guard metadata?.content.delegations == nil else {
            throw Failure(.refused, "role '\(role)': expected no delegations, got some")
        }
        return metadata?.content.targets.keys.sorted() ?? []
    }

    /// The bytes of a target, as the search for its path finds it.
    private func target(
        at path: TargetPath, of role: RoleName, in repository: inout TrustedRepository
    ) throws(Failure) -> [UInt8] {
        let target: TargetFile?
        do { target = try refresh.target(at: path, in: &repository) } catch {
            throw Failure("repository", error)
        }
        guard let target, target.role == role else {
            throw Failure(
                .refused,
                "target '\(path)': expected '\(role)', which lists it, to be trusted with it, got \(target.map { "'\($0.role)'" } ?? "nobody")"
            )
        }
        let name = "targets/\(repository.urlPath(of: target))"
        guard let bytes = try source.bytes(name, limit: Int(clamping: target.length)) else {
            throw Failure(
                .refused, "target '\(path)': expected its file, got none", hint: Self.hint)
        }
        var check = TargetCheck(target)
        do throws(TUFError) {
            try unsafe check.take(bytes.span.bytes)
            try check.finish()
        } catch {
            throw Failure(.refused, "repository: \(error)", hint: error.hint)
        }
        return bytes
    }

    private mutating func checkFiles(of bytes: [UInt8], _ path: TargetPath) throws(Failure) {
        let manifest = try Failure.catching("target '\(path)'", .refused) {
            try Manifest(parsing: bytes)
        }
        for file in manifest.files where known.insert(file.sha256).inserted {
            try check(file, of: path)
            files += 1
        }
    }

    private func check(_ file: ManifestFile, of manifest: TargetPath) throws(Failure) {
        let thing = "file '\(file.path)' of '\(manifest)'"
        var whole = SHA256()
        for (index, expected) in file.chunks.enumerated() {
            let range = file.range(ofChunk: index)
            guard let bytes = try source.bytes("blobs/sha256/\(file.sha256)", range: range) else {
                throw Failure(
                    .refused, "\(thing): expected \(file.length) bytes, got no file",
                    hint: Self.hint)
            }
            let found = SHA256.digest(of: bytes)
            guard found == expected else {
                throw Failure(
                    .refused,
                    "\(thing), bytes \(range.lowerBound) to \(range.upperBound): expected SHA-256 \(expected), got \(found)",
                    hint: Self.hint)
            }
            whole.update(bytes)
        }
        let end = file.length..<file.length + 1
        let rest = try source.bytes("blobs/sha256/\(file.sha256)", range: end) ?? []
        guard rest.isEmpty else {
            throw Failure(
                .refused, "\(thing): expected \(file.length) bytes, got more", hint: Self.hint)
        }
        let found = whole.finish()
        guard found == file.sha256 else {
            throw Failure(
                .refused, "\(thing): expected SHA-256 \(file.sha256), got \(found)",
                hint: Self.hint)
        }
    }
}

/// A repository's static files as the client of devices asks for them.
struct SourceFetcher: MetadataFetching {
    let source: any StaticSource

    func fetch(_ name: MetadataFileName, limit: Int) throws(Console.Failure) -> [UInt8]? {
        try source.bytes("tuf/\(name)", limit: limit)
    }
}
