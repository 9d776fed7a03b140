import ArgumentParser
import Console
import Cryptography
import ModelBundle
import PosixFiles
import Primitives
import Rollouts

/// How a release may spread: `fieldfare policy`.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Writes and checks policies; signs what they wait for.",
        discussion: """
            A policy is published and signed with its bundle.

            EXAMPLE
              fieldfare policy init --model my-model --version 1.1.0
              fieldfare policy check rollout.yaml --bundle build
              fieldfare publish build --key release-ci.json --policy rollout.yaml
            """,
        subcommands: [Initialise.self, Check.self, PolicyApprove.self, PolicyLift.self])

    struct Initialise: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init", abstract: "Writes a rollout.yaml to change: beta, canary, stable.",
            discussion: """
                It begins at the next 08:00 UTC after SOURCE_DATE_EPOCH; without that, after now.

                EXAMPLE
                  fieldfare policy init --model my-model --version 1.0.0 --initial
                  fieldfare policy init --model my-model --version 1.1.0 --out next.yaml
                """)

        @Option(help: "The model.")
        var model: String

        @Option(help: "The version that spreads under it.")
        var version: String

        @Flag(help: "The first release of the model: replaces nothing, holds nothing back.")
        var initial = false

        @Option(help: "The file to write.")
        var out = "rollout.yaml"

        @OptionGroup var output: OutputOptions

        func run() throws {
            let name = try Word.model(model, "--model")
            let version = try Word.version(version, "--version")
            guard try !FileBytes.exists(out) else {
                throw Failure(.refused, "'\(out)': expected none yet, got one")
            }
            let text = PolicyTemplate.text(
                model: name, version: version, isInitial: initial,
                after: try Moment.build(otherwise: SystemClock.now))
            try FileBytes.write(Array(text.utf8), to: out)
            if output.isJSON {
                Output.json(["type": "policy_template", "path": .string(out)])
            } else {
                Output.line("wrote \(out)")
            }
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists everything that is wrong with a policy, at once.",
            discussion: """
                EXAMPLE
                  fieldfare policy check rollout.yaml --bundle build
                """)

        @Argument(help: "rollout.yaml")
        var file: String

        @Option(help: "The built bundle that it is for.")
        var bundle: String

        @OptionGroup var output: OutputOptions

        func run() throws {
            let (manifest, bytes) = try BuiltFolder(path: bundle).manifest()
            let reference = BundleReference(
                version: manifest.version, sha256: SHA256.digest(of: bytes),
                length: Int64(bytes.count))
            let policy = try PolicyFile(argument: file).policy(for: manifest, reference)
            if output.isJSON {
                Output.json(["type": "policy", "state": "good", "policy": policy.json])
            } else {
                Output.line("\(file): good")
            }
        }
    }
}
