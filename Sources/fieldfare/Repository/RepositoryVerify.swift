import ArgumentParser
import Console
import Primitives
import RegistryAccess
import TUF

/// `fieldfare repo verify`: the whole repository, as a device that trusts the given root would.
struct RepositoryVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Verifies a whole repository from a trusted root.",
        discussion: """
            Every role, the bytes of every target that one lists, and every file that a manifest names, chunk by chunk. \
            With --dir, a folder with tuf/, targets/ and blobs/ is verified without any network; otherwise the registry's \
            static files are.

            EXAMPLE
              fieldfare repo verify --root repo/root.json
              fieldfare repo verify --root repo/root.json --dir mirror
            """)

    @OptionGroup var trust: RootOptions

    @Option(help: "A folder with tuf/, targets/ and blobs/.")
    var dir: String?

    @Flag(help: "Leave out the files that manifests name.")
    var skipFiles = false

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let root = try trust.file()
        let source: any PartialSource =
            if let dir { try FolderSource(dir) } else { try server.api() }
        var check = RepositoryCheck(source)
        let repository = try check.run(from: root, readsFiles: !skipFiles)
        let version = repository.root.version
        let end = repository.timestamp.content.expires
        if output.isJSON {
            Output.json([
                "type": "verification", "state": "good", "root": .integer(version.number),
                "targets": .integer(Int64(check.targets)), "files": .integer(Int64(check.files)),
                "timestamp_expires": .string(end.description),
            ])
        } else {
            let files = skipFiles ? "files not read" : "\(check.files) files"
            Output.line(
                "good: root \(version), \(check.targets) targets, \(files), fresh until \(end)")
        }
    }
}
