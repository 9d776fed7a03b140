import ArgumentParser
import Console
import Primitives
import Rollouts
import TUF

/// `fieldfare policy approve`: the release keys' word that a stage may begin.
struct PolicyApprove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Signs that a stage with 'promote: signed' may begin.",
        discussion: """
            The approval is added to the model's role and signed, as a bundle is by 'fieldfare publish'. Every device \
            checks it: without it none enters the stage, whoever signed the plan. Run again, it does nothing twice.

            Exits with 10 where the role lists no such policy, or the policy has no such stage.

            EXAMPLE
              fieldfare policy approve commands-en 1.4.0 --stage stable --key release-anna.json
            """)

    @Argument(help: "The model.")
    var model: String

    @Argument(help: "The version that spreads under the policy.")
    var version: String

    @Option(help: "The stage that may begin.")
    var stage: String

    @Option(help: "The policy's name.")
    var policy = "standard"

    @OptionGroup var options: ProposalOptions

    func run() throws {
        let model = try Word.model(model)
        let version = try Word.version(version, "version")
        let stage = try Word.attribute(stage, "--stage")
        let name = try Word.attribute(policy, "--policy")
        let proposal = try options.proposal(
            to: model, expires: try Moment.expiry(inDays: options.days))
        let path = TargetPath.policy(of: model, version, name: name)
        let (bytes, digest) = try proposal.existing(path, limit: Policy.longest)
        let approved = try Failure.catching("policy '\(path)'", .refused) {
            try Policy(parsing: bytes)
        }
        guard let signed = approved.stages.first(where: { $0.name == stage }) else {
            let names = approved.stages.map { "'\($0.name)'" }.joined(separator: ", ")
            throw Failure(
                .refused, "policy '\(path)': expected a stage of it, \(names), got '\(stage)'")
        }
        guard signed.promote == .signed else {
            throw Failure(
                .refused,
                "stage '\(stage)': expected one with 'promote: signed', got '\(signed.promote.rawValue)'",
                hint: "it begins without an approval")
        }
        let approval = Approval(model: model, policy: digest, stage: stage)
        try options.publish(
            approval.json.canonicalBytes,
            at: .approval(of: model, version, name: name, stage: stage), proposal, "approval",
            "\(model) \(version), stage \(stage) of \(name)",
            [
                "model": .string(model.description), "version": .string(version.description),
                "policy": .string(name.description), "stage": .string(stage.description),
            ])
    }
}
