import ArgumentParser
import Console
import PosixFiles
import Primitives

/// How a release may spread: `fieldfare policy`.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Writes and checks policies; signs what they wait for.",
        discussion: """
            A policy is published and signed with its bundle; a further one of a version that is live is signed alone.

            EXAMPLE
              fieldfare policy init --model my-model --version 1.1.0
              fieldfare policy check rollout.yaml --bundle build
              fieldfare publish build --key release-ci.json --policy rollout.yaml
              fieldfare policy sign emergency=fast.yaml --model my-model --key release-ci.json
            """,
        subcommands: [
            Initialise.self, PolicyCheck.self, PolicySign.self, PolicyApprove.self, PolicyLift.self,
        ])

    struct Initialise: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init", abstract: "Writes a rollout.yaml to change: beta, canary, stable.",
            discussion: """
                It begins at the next 08:00 UTC after SOURCE_DATE_EPOCH; without that, after now.

                The template 'standard' leaves the last stage to an operator's advance, 'signed' to the people who hold \
                the release keys.

                EXAMPLE
                  fieldfare policy init --model my-model --version 1.0.0 --initial
                  fieldfare policy init --model my-model --version 1.1.0 --out next.yaml
                  fieldfare policy init --model my-model --version 1.1.0 --template signed
                """)

        @Option(help: "The model.")
        var model: String

        @Option(help: "The version that spreads under it.")
        var version: String

        @Flag(help: "The first release of the model: replaces nothing, holds nothing back.")
        var initial = false

        @Option(help: "What the last stage waits for: an operator, or the release keys.")
        var template = PolicyTemplate.standard

        @Option(help: "The file to write.")
        var out = "rollout.yaml"

        @OptionGroup var output: OutputOptions

        func run() throws {
            let name = try Word.model(model, "--model")
            let version = try Word.version(version, "--version")
            guard try !FileBytes.exists(out) else {
                throw Failure(.refused, "'\(out)': expected none yet, got one")
            }
            let text = template.text(
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
}
