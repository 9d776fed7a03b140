import ArgumentParser
import Console
import Glibc

/// The command line of release engineers and CI pipelines.
@main
struct FieldfareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fieldfare",
        abstract: "Publishes signed speech models, and rolls them out to fleets of devices.",
        discussion: """
            Commands that talk to a registry find it by --server and --ca, or FIELDFARE_SERVER and FIELDFARE_CA, and \
            show the token in FIELDFARE_TOKEN or --token-file.

            Data goes to standard output, all else to standard error; --json makes it one JSON object a line. Exit \
            codes: 0 done, 1 failed, 2 usage, 10 refused by policy or trust, 11 busy, 12 unreachable, 130 interrupted.

            A FIRST RELEASE
              fieldfare bundle init my-model       # a bundle.yaml to fill in
              fieldfare bundle check my-model
              fieldfare bundle build my-model --out build
              fieldfare policy init --model my-model --version 1.0.0 --initial
              fieldfare policy check rollout.yaml --bundle build
              fieldfare publish build --key release-ci.json --policy rollout.yaml
              fieldfare repo sign model.my-model --key release-anna.json
              fieldfare rollout create my-model 1.0.0 --initial
              fieldfare rollout start my-model
            """,
        version: "0.1.0",
        subcommands: [
            KeysCommand.self, RepositoryCommand.self, BundleCommand.self, PublishCommand.self,
            PolicyCommand.self, RolloutCommand.self, DevicesCommand.self, ExplainCommand.self,
            TokenCommand.self, AuditCommand.self,
        ])

    /// Runs the command; wrong usage exits with 2, and a `Failure` with its own code.
    static func main() {
        Output.prepare()
        var wantsJSON = false
        do {
            var command = try parseAsRoot()
            wantsJSON = CommandLine.arguments.contains("--json")
            try command.run()
        } catch let failure as Failure {
            if wantsJSON { Output.json(failure.json) }
            Output.note("fieldfare: \(failure)")
            Glibc.exit(failure.kind.rawValue)
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            Output.note(fullMessage(for: error))
            Glibc.exit(Failure.Kind.usage.rawValue)
        }
    }
}

/// `--json`, which every command has.
struct OutputOptions: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print JSON, one object a line.")
    var isJSON = false
}
