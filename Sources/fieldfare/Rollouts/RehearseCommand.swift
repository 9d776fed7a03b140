import ArgumentParser
import Console
import CurlTransport
import Primitives
import RegistryAccess

/// Whether a bad release would be stopped: `fieldfare rollout rehearse`.
struct RehearseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rehearse",
        abstract: "Tries the brake: a bad candidate on made-up devices must be rolled back.",
        discussion: """
            Before the start: the registry copies its records, adds made-up devices that report a bad candidate as real \
            ones would, and lets its own gate and controller judge, with time sped up. Nothing of it stays but the \
            outcome. A policy with 'rehearsal: true' starts only after a success.

            Exits with 10 where the bad candidate was not rolled back before the first stage could end.

            EXAMPLE
              fieldfare rollout rehearse commands-en
            """)

    @Argument(help: "The model.")
    var model: String

    @Option(help: "The channel.")
    var channel = "main"

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let line = "\(try Word.model(model))/\(try Word.channel(channel))"
        let answer = try server.api().send(.post, "/v1/rollouts/\(line)/rehearsal").json()
        let evidence = answer["evidence"]?.string?.visible ?? ""
        guard answer["braked"]?.bool == true else {
            throw Failure(
                .refused, "brake rehearsal: \(evidence)",
                hint: "do not start: find out why this registry did not stop a bad release")
        }
        guard !output.isJSON else { return Output.json(answer) }
        Output.line(
            "braked: \(answer["exposed"]?.integer ?? 0) made-up devices ran a bad candidate, and were taken back after "
                + "\((answer["after_s"]?.integer ?? 0) / 60) minutes of the rehearsal's time")
        Output.line(evidence)
    }
}
