import ArgumentParser
import Console
import Cryptography
import ModelBundle
import Primitives
import RegistryAccess
import Rollouts

/// `fieldfare policy check`: everything that is wrong with a policy, by itself or against a registry.
struct PolicyCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Lists everything that is wrong with a policy, at once.",
        discussion: """
            With --server (the variable is not looked at) the registry holds it against what 'rollout create' would look \
            at: signed manifests, withdrawn versions, the rollback floor, and the regions, device classes, labels and \
            locales of the devices that follow the channel. The bundle need not be published. Stages that can never \
            show what the policy asks for are warnings here, which 'rollout create' wants to be acknowledged. The \
            token needs one of the scopes publish, operate and read.

            Exits with 10 where there are problems, with 0 where there are warnings alone.

            EXAMPLE
              fieldfare policy check rollout.yaml --bundle build
              fieldfare policy check rollout.yaml --bundle build --server https://registry.example --channel main
            """)

    @Argument(help: "rollout.yaml, or NAME=rollout.yaml")
    var file: String

    @Option(help: "The built bundle that it is for.")
    var bundle: String

    @Option(help: "The channel that it is meant for; with --server.")
    var channel = "main"

    @OptionGroup var turns: TurnsOption
    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let channel = try Word.channel(channel)
        let turns = try turns.checked()
        let (manifest, bytes) = try BuiltFolder(path: bundle).manifest()
        let reference = BundleReference(
            version: manifest.version, sha256: SHA256.digest(of: bytes),
            length: Int64(bytes.count))
        let file = try PolicyFile(argument: file)
        guard server.server != nil else {
            return tell(file, try file.policy(for: manifest, reference), nil)
        }
        let policy = try file.completed(for: manifest, reference)
        var request: JSONObject = [
            "policy": policy.json, "channel": .string(channel.description),
        ]
        request["turns_per_day"] = turns.map { .integer($0) }
        let answer = try server.api().post("/v1/rollouts/check", .object(request))
        let problems = answer["problems"]?.array?.compactMap(\.string) ?? []
        if !problems.isEmpty { note(answer) }
        try file.refuse(problems)
        tell(file, policy, answer)
    }

    private func tell(_ file: PolicyFile, _ policy: Policy, _ answer: JSON?) {
        guard output.isJSON else {
            Output.line("\(file.path): good")
            if let answer { note(answer) }
            return
        }
        var fields: JSONObject = ["type": "policy", "state": "good", "policy": policy.json]
        for key in ["warnings", "notes"] {
            guard let lines = answer?[key]?.array, !lines.isEmpty else { continue }
            fields[key] = .array(lines)
        }
        Output.json(.object(fields))
    }

    private func note(_ answer: JSON) {
        for (key, word) in [("warnings", "warning"), ("notes", "note")] {
            for line in answer[key]?.array?.compactMap(\.string) ?? [] {
                Output.note("\(word): \(line.visible)")
            }
        }
    }
}
