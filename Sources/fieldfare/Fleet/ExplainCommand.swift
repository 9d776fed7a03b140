import ArgumentParser
import Console
import Primitives

/// `fieldfare explain`: why a device runs what it runs.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Says why a device runs what it runs.",
        discussion: """
            The registry evaluates the same function as the device, on what it knows of it, and says how old that \
            knowledge is. On the device itself, 'fieldfare-agent explain' shows the decision that was made there.
            """)

    @Argument(help: "The device id.")
    var device: String

    @Option(help: "The model.")
    var model: String

    @Option(help: "The channel.")
    var channel = "main"

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let answer = try server.api().get(
            "/v1/assignments/\(device)?model=\(model)&channel=\(channel)")
        guard !output.isJSON else { return Output.json(answer) }
        Output.bytes(answer.prettyBytes)
    }
}
