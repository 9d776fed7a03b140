import ArgumentParser
import Console
import Cryptography
import PosixFiles
import Primitives
import TUF

/// `fieldfare repo verify`: the whole repository, as a device that trusts the given root would.
struct RepositoryVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Verifies a whole repository from a trusted root.",
        discussion: """
            Every role, and the bytes of every target that one lists. With --dir, a folder with tuf/ and targets/ is \
            verified without any network; otherwise the registry's static files are.

            EXAMPLE
              fieldfare repo verify --root repo/root.json
            """)

    @Option(help: "The root of trust, as the ceremony made it.")
    var root: String

    @Option(help: "A folder with tuf/ and targets/.")
    var dir: String?

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let source: any StaticSource =
            if let dir { try FolderSource(dir) } else { try server.api() }
        let memory = MetadataMemory()
        let refresh = Refresh(
            fetcher: SourceFetcher(source: source), store: memory, start: SystemClock.now())
        let rootBytes = try FileBytes.read(root, limit: Limits.standard.bytes(of: .root))
        do {
            try refresh.install(trustedRoot: rootBytes)
            var repository = try refresh.run()
            var targets = 0
            for path in try paths(&repository, refresh) {
                guard let target = try refresh.target(at: path, in: &repository) else {
                    throw Failure(.refused, "target '\(path)': expected it in its role, got none")
                }
                try check(target, in: source)
                targets += 1
            }
            tell(repository, targets: targets)
        } catch let failure as Failure {
            throw failure
        } catch let error as RefreshError<Failure, Never> {
            switch error {
            case .refused(let error): throw Failure(.refused, "repository: \(error)")
            case .fetching(let failure): throw failure
            }
        }
    }

    /// All targets that the delegated roles list; looking for a path of each role loads it.
    private func paths(
        _ repository: inout TrustedRepository,
        _ refresh: Refresh<SourceFetcher, MetadataMemory>
    ) throws -> [TargetPath] {
        var paths: [TargetPath] = []
        for role in repository.targets.content.delegations?.roles ?? [] {
            guard let model = role.name.modelName,
                let probe = TargetPath(
                    role.name == .model(model)
                        ? "bundles/\(model)/none.json" : "rollouts/\(model)/none.json")
            else { continue }
            guard repository.version(of: role.name) != nil else { continue }
            _ = try refresh.target(at: probe, in: &repository)
            paths += repository[role.name]?.content.targets.keys.sorted() ?? []
        }
        return paths
    }

    private func check(_ target: TargetFile, in source: any StaticSource) throws(Failure) {
        guard let path = target.path.consistent(target.sha256),
            let bytes = try source.bytes("targets/\(path.urlPath)", limit: Int(target.length))
        else {
            throw Failure(.refused, "target '\(target.path)': expected its file, got none")
        }
        let found = SHA256.digest(of: bytes)
        guard Int64(bytes.count) == target.length, found == target.sha256 else {
            throw Failure(
                .refused, "target '\(target.path)': expected SHA-256 \(target.sha256), got \(found)"
            )
        }
    }

    private func tell(_ repository: TrustedRepository, targets: Int) {
        let version = repository.root.content.version
        if output.isJSON {
            Output.json([
                "type": "verification", "state": "good", "root": .integer(version.number),
                "targets": .integer(Int64(targets)),
                "timestamp_expires": .string(repository.timestamp.content.expires.description),
            ])
        } else {
            Output.line(
                "good: root \(version), \(targets) targets, fresh until \(repository.timestamp.content.expires)"
            )
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
