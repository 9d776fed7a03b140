import ArgumentParser
import Console
import Glibc
import HTTPAPI

/// The registry's program.
@main
struct RegistryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fieldfare-registry",
        abstract: "Publishes signed speech models, and stages their rollouts.",
        discussion: """
            One process, one data folder: metadata and fleet in SQLite, blobs as files. It signs snapshot, \
            timestamp and plans with its own three keys; what models are good is signed by people, elsewhere.

            EXAMPLE
              fieldfare-registry keys generate --keys online-keys
              fieldfare-registry token create --data data --name first --scope admin
              fieldfare-registry serve --data data --keys online-keys \\
                  --tls-cert cert.pem --tls-key key.pem
            """,
        version: RegistryVersion.text,
        subcommands: [
            ServeCommand.self, MirrorCommand.self, KeysCommand.self, TokenCommand.self,
            AuditCommand.self, ConfigCommand.self,
        ])

    /// Runs the command; wrong usage exits with 2 (`docs/cli.md`), not with the parser's own 64.
    static func main() async {
        Output.prepare()
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            Output.note("fieldfare-registry: \(failure)")
            Glibc.exit(failure.kind.rawValue)
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            Output.note(fullMessage(for: error))
            Glibc.exit(Failure.Kind.usage.rawValue)
        }
    }
}
