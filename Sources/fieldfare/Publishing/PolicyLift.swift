import ArgumentParser
import Console
import PosixFiles
import Primitives
import Rollouts
import TUF

/// `fieldfare policy lift`: the release keys' word that a version may be taken again.
struct PolicyLift: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lift",
        abstract: "Signs that a withdrawn or rejected version may be taken again.",
        discussion: """
            It undoes withdrawals of the version, and the rejections that devices remember, up to a moment: what is \
            withdrawn or rejected after it counts again. The lift is added to the model's role and signed, as a bundle is \
            by 'fieldfare publish'; the last one of a version counts.

            Exits with 10 where the role does not list the version.

            EXAMPLE
              fieldfare policy lift commands-en 1.4.0 --key release-anna.json
            """)

    @Argument(help: "The model.")
    var model: String

    @Argument(help: "The version that may be taken again.")
    var version: String

    @Option(help: "The last moment whose withdrawals and rejections are undone; otherwise now.")
    var until: String?

    @OptionGroup var options: ProposalOptions

    func run() throws {
        let model = try Word.model(model)
        let version = try Word.version(version, "version")
        let until = try until.map { (text) throws(Failure) in
            try Word.read(text, "--until", "2026-11-21T05:06:07Z") { UTCTime(iso8601: $0) }
        }
        let proposal = try options.proposal(
            to: model, expires: try Moment.expiry(inDays: options.days))
        let digest = try proposal.existingDigest(.manifest(of: model, version))
        let lift = Lift(
            model: model, version: version, sha256: digest, until: until ?? SystemClock.now())
        try options.publish(
            lift.json.canonicalBytes, at: .lift(of: model, version), proposal, "lift",
            "\(model) \(version), lifted until \(lift.until)",
            [
                "model": .string(model.description), "version": .string(version.description),
                "until": .string(lift.until.description),
            ])
    }
}
