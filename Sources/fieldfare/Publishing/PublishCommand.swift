import ArgumentParser
import Console
import Cryptography
import ModelBundle
import Primitives
import Rollouts
import TUF

/// `fieldfare publish`: uploads a bundle, and adds it with its policies to the model's role.
struct PublishCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Publishes a built bundle with its policies.",
        discussion: """
            Uploads what the registry does not have, adds manifest and policies to the role of the model, and signs it. \
            What can be refused is refused before anything is uploaded. Where the role needs more than one signature it ends with "held", and a second person runs \
            'fieldfare repo sign'. Run again, it does nothing twice.

            EXAMPLE
              fieldfare publish build --key release-ci.json --policy standard=rollout.yaml
            """)

    @Argument(help: "A folder that 'fieldfare bundle build' made.")
    var folder: String

    @Option(
        help:
            "A policy: NAME=rollout.yaml, or rollout.yaml, whose name is then 'standard'; may be repeated."
    )
    var policy: [String] = []

    @Flag(help: "Sign the role's metadata anew though all of this is live: for a later end.")
    var renew = false

    @OptionGroup var options: ProposalOptions

    func run() throws {
        let expires = try Moment.expiry(inDays: options.days)
        let policies = try policies()
        let built = BuiltFolder(path: folder)
        let (manifest, bytes) = try built.manifest()
        let bundle = BundleReference(
            version: manifest.version, sha256: SHA256.digest(of: bytes),
            length: Int64(bytes.count))
        for file in policies { _ = try file.policy(for: manifest, bundle) }
        let proposal = try options.proposal(to: manifest.model, expires: expires)
        var targets = [(manifest.targetPath, bytes)]
        for file in policies {
            targets.append(try file.target(for: manifest, bundle, unlessIn: proposal))
        }
        var additions: [TargetPath: TargetDescription] = [:]
        for (path, bytes) in targets { additions[path] = TargetDescription(of: bytes) }
        try proposal.check(additions)
        try check(built, manifest)
        let uploader = options.uploader(to: proposal)
        for file in manifest.files {
            let blob = try built.blob(file.sha256)
            try uploader.upload(
                blob, file.length, file.sha256, named: file.path.description)
        }
        for (path, bytes) in targets {
            try uploader.upload(bytes, SHA256.digest(of: bytes), named: path.description)
        }
        options.tell(
            try proposal.add(additions, renewing: renew), "publication",
            "\(manifest.model) \(manifest.version)",
            [
                "model": .string(manifest.model.description),
                "version": .string(manifest.version.description),
                "manifest_sha256": .string(bundle.sha256.hex),
            ])
    }

    private func policies() throws(Failure) -> [PolicyFile] {
        var files: [PolicyFile] = []
        for argument in policy {
            let file = try PolicyFile(argument: argument)
            guard !files.contains(where: { $0.name == file.name }) else {
                throw Failure(
                    .usage, "--policy: expected each name once, got '\(file.name)' twice",
                    hint: "name them: --policy slow=slow.yaml --policy fast=fast.yaml")
            }
            files.append(file)
        }
        return files
    }

    /// A file that changed since the build would be refused by its digest only after others were uploaded.
    private func check(_ built: BuiltFolder, _ manifest: Manifest) throws(Failure) {
        let problems = built.problems(of: manifest)
        guard problems.isEmpty else {
            let lines = problems.map { "  \($0)" }.joined(separator: "\n")
            throw Failure(
                .failed,
                "bundle '\(folder)': expected no problem, got \(problems.count)\n\(lines)",
                hint: "build it again with 'fieldfare bundle build'")
        }
    }
}
