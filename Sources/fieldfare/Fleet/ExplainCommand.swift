import AgentCore
import ArgumentParser
import Console
import ModelBundle
import PosixFiles
import Primitives
import RegistryAccess
import Rollouts

/// `fieldfare explain`: why a device runs what it runs.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Says why a device runs what it runs.",
        discussion: """
            The registry evaluates the same function as the device, on what it knows of it, and says how old that \
            knowledge is. On the device itself, 'fieldfare-agent explain' shows the decision that was made there.

            With --root the decision is made here, offline or from any mirror: the static files of --dir, or of --server, \
            are verified from that root as a device verifies them, and the device is what the options say. No token \
            is needed.

            With --stage the registry says what the device would decide once that stage of the rollout has begun, also before \
            the start: the same function, on the plan as it would then be.

            EXAMPLE
              fieldfare explain 3f0c6e1f9a2b4c5d6e7f8091a2b3c4d5 --model commands-en
              fieldfare explain 3f0c6e1f9a2b4c5d6e7f8091a2b3c4d5 --model commands-en --stage canary
              fieldfare explain 3f0c6e1f9a2b4c5d6e7f8091a2b3c4d5 --model commands-en \\
                  --root root.json --dir mirror --region eu --device-class hub --current 1.3.0
            """)

    @Argument(help: "The device id.")
    var device: String

    @Option(help: "The model.")
    var model: String

    @Option(help: "The channel.")
    var channel = "main"

    @Option(help: "A stage of the rollout that has yet to begin: what is decided in it.")
    var stage: String?

    @Option(help: "Decide here: the root of trust, as the ceremony made it.")
    var root: String?

    @Option(help: "With --root: a folder with tuf/ and targets/, instead of a server.")
    var dir: String?

    @OptionGroup(title: "The device, with --root") var facts: FactOptions
    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let device = try Word.device(device)
        let model = try Word.model(model, "--model")
        let channel = try Word.channel(channel)
        let answer =
            if let root { try decide(device, model, channel, root) } else {
                try ask(device, model, channel)
            }
        guard !output.isJSON else { return Output.json(answer) }
        for line in DecisionView(answer).lines { Output.line(line) }
    }

    private func ask(
        _ device: DeviceID, _ model: ModelName, _ channel: ChannelName
    ) throws(Failure) -> JSON {
        guard dir == nil, facts.isEmpty else {
            throw Failure(
                .usage, "explain: expected --root with --dir and the device's options, got none",
                hint: "without --root the registry is asked, on what it knows of the device")
        }
        var path = "/v1/assignments/\(device)?model=\(model)&channel=\(channel)"
        if let stage { path += "&stage=\(try Word.attribute(stage, "--stage"))" }
        return try server.api().get(path)
    }

    private func decide(
        _ device: DeviceID, _ model: ModelName, _ channel: ChannelName, _ root: String
    ) throws(Failure) -> JSON {
        guard stage == nil else {
            throw Failure(
                .usage, "--stage: expected it without --root, got both",
                hint: "how many devices there are, only the registry knows")
        }
        let given = try facts.parsed()
        let files =
            if let dir { try StaticFiles(folder: dir) } else {
                StaticFiles(server: try server.address())
            }
        let reader = ModelReader(files: files, device: device, model: model, channel: channel)
        let now = given.at ?? SystemClock.now()
        let (material, bundles) = try reader.read(
            root: try FileBytes.read(root, limit: 4 << 20), naming: given.versions, at: now)
        let facts = given.device(device, model, channel, material, bundles)
        let decision = Rollouts.decide(
            plan: material.plan, listing: material.listing, device: facts, now: now)
        var fields = decision.json.object ?? [:]
        fields["attributes"] = facts.attributes.json
        fields["assumed"] = .array(FactOptions.assumed.map { .string($0) })
        return .object(fields)
    }
}
