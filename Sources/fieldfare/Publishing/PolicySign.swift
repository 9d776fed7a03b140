import ArgumentParser
import Console
import ModelBundle
import Primitives
import Rollouts
import TUF

/// `fieldfare policy sign`: one more policy of a version that is published.
struct PolicySign: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Signs one more policy of a version that is published, such as a faster one.",
        discussion: """
            The version is the one that the file names; its manifest is the one that the model's role lists, verified \
            from --root. The policy is added to the role and signed, as a bundle is by 'fieldfare publish': where the role \
            needs more than one signature it ends with "held", and a second person runs 'fieldfare repo sign' or this \
            command. Run again, it does nothing twice. 'rollout create --policy' then rolls out under it.

            Exits with 10 where the role does not list the version, or the policy has problems.

            EXAMPLE
              fieldfare policy sign emergency=fast.yaml --model commands-en --key release-anna.json
            """)

    @Argument(help: "NAME=rollout.yaml, or rollout.yaml, whose name is then 'standard'.")
    var file: String

    @Option(help: "The model.")
    var model: String

    @OptionGroup var options: ProposalOptions

    func run() throws {
        let model = try Word.model(model, "--model")
        let file = try PolicyFile(argument: file)
        let version = try file.candidate()
        let proposal = try options.proposal(
            to: model, expires: try Moment.expiry(inDays: options.days))
        let place = TargetPath.manifest(of: model, version)
        let (bytes, digest) = try proposal.existing(place, limit: Manifest.byteLimit)
        let manifest = try Failure.catching("target '\(place)'", .refused) {
            try Manifest(parsing: bytes)
        }
        let bundle = BundleReference(
            version: version, sha256: digest, length: Int64(bytes.count))
        let (path, document) = try file.target(for: manifest, bundle, unlessIn: proposal)
        try options.publish(
            document, at: path, proposal, "signed_policy",
            "\(model) \(version), policy \(file.name)",
            [
                "model": .string(model.description), "version": .string(version.description),
                "policy": .string(file.name.description),
            ])
    }
}
