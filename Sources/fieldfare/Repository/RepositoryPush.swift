import ArgumentParser
import Console
import CurlTransport
import Primitives
import RegistryAccess
import TUF

/// `fieldfare repo push`: gives a registry its root and targets, the first and the later ones.
struct RepositoryPush: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Gives a registry the signed root and targets.",
        discussion: """
            Both must have reached their thresholds. Versions that the folder has and the registry lacks go first. The \
            token needs the scope 'sign'.

            EXAMPLE
              fieldfare repo push --dir repo
            """)

    @Option(help: "The folder of the ceremony.")
    var dir: String

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let folder = CeremonyFolder(path: dir)
        let roles: [RoleName] = [.root, .targets]
        for role in roles {
            let standing = try folder.standing(of: role)
            guard standing.missing == 0 else {
                throw Failure(
                    .refused,
                    "role '\(role)': expected \(standing.threshold) signatures, got \(standing.signedBy)",
                    hint: "fieldfare repo sign \(role) --dir \(dir) --key FILE")
            }
        }
        let api = try server.api()
        for role in roles {
            for bytes in try unpublished(role, in: folder, at: api) {
                let answer = try api.send(.post, "/v1/roles/\(role)", bytes).json()
                if output.isJSON {
                    Output.json(answer)
                } else {
                    Output.line("\(role): \(answer["state"]?.string ?? "unknown")")
                }
            }
        }
    }

    /// The versions to send, oldest first: the newest too where it is live, because the same bytes again are harmless,
    /// and not where the registry has gone on from it.
    private func unpublished(
        _ role: RoleName, in folder: CeremonyFolder, at api: RegistryAPI
    ) throws(Failure) -> [[UInt8]] {
        var versions: [[UInt8]] = []
        for (version, bytes) in try folder.chain(of: role).reversed() {
            let name = MetadataFileName(role, version: version)
            if versions.isEmpty {
                let next = MetadataFileName(role, version: version.next)
                if try api.file("/tuf/\(next)") != nil, try api.file("/tuf/\(name)") == bytes {
                    Output.note(
                        "\(role): version \(version) was live, and a newer one is; not sent")
                    break
                }
            } else if try api.file("/tuf/\(name)") != nil {
                break
            }
            versions.insert(bytes, at: 0)
        }
        return versions
    }
}
