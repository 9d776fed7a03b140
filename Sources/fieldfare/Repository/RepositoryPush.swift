import ArgumentParser
import Console
import CurlTransport
import Primitives
import TUF

/// `fieldfare repo push`: gives a registry its first root and targets.
struct RepositoryPush: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Gives a registry the signed root and targets.",
        discussion: """
            Both must have reached their thresholds. The token needs the scope 'sign'.

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
            let answer = try api.send(
                .post, "/v1/roles/\(role)", try folder.standing(of: role).bytes
            ).json()
            if output.isJSON {
                Output.json(answer)
            } else {
                Output.line("\(role): \(answer["state"]?.string ?? "unknown")")
            }
        }
    }
}
