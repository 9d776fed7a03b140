import ArgumentParser
import Console
import Cryptography
import ModelBundle
import PosixFiles
import Primitives
import Rollouts
import TUF

/// `fieldfare publish`: uploads a bundle, and adds it with its policies to the model's role.
struct PublishCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Publishes a built bundle with its policies.",
        discussion: """
            Uploads what the registry does not have, adds manifest and policies to the role of the model, and signs it. \
            Where the role needs more than one signature it ends with "held", and a second person runs \
            'fieldfare repo sign'. Run again, it does nothing twice.

            EXAMPLE
              fieldfare publish build --key release-ci.json --policy standard=rollout.yaml
            """)

    @Argument(help: "A folder that 'fieldfare bundle build' made.")
    var folder: String

    @Option(help: "The key file to sign with.")
    var key: String

    @Option(
        help:
            "A policy: NAME=rollout.yaml, or rollout.yaml, whose name is then 'standard'; may be repeated."
    )
    var policy: [String] = []

    @Option(help: "Days until the role's metadata expires.")
    var days: Int64 = 90

    @OptionGroup var passphrase: PassphraseOptions
    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let built = BuiltFolder(path: folder)
        let (manifest, bytes) = try built.manifest()
        let bundle = BundleReference(
            version: manifest.version, sha256: SHA256.digest(of: bytes),
            length: Int64(bytes.count))
        let policies = try policy.map { try PolicyFile(argument: $0) }
        for file in policies { _ = try file.policy(for: manifest, bundle) }
        let signer = try passphrase.signer(at: key)
        let api = try server.api()
        let proposal = RoleProposal(
            api: api, role: .model(manifest.model), key: signer,
            expires: SystemClock.now() + days * 86_400)
        var targets = [(manifest.targetPath, bytes)]
        for file in policies {
            targets.append(try file.target(for: manifest, bundle, unlessIn: proposal))
        }
        let uploader = Uploader(api: api, showsProgress: !output.isJSON)
        for file in manifest.files {
            let blob = try built.blob(file.sha256)
            try uploader.upload(
                blob, file.length, file.sha256, named: file.path.description)
        }
        var additions: [TargetPath: TargetDescription] = [:]
        for (path, bytes) in targets {
            try uploader.upload(bytes, SHA256.digest(of: bytes), named: path.description)
            additions[path] = TargetDescription(of: bytes)
        }
        tell(try proposal.add(additions), manifest, bundle)
    }

    private func tell(_ answer: JSON, _ manifest: Manifest, _ bundle: BundleReference) {
        let state = answer["state"]?.string ?? "held"
        let threshold = answer["threshold"]?.integer ?? 1
        let signed = Int64(answer["proposal"]?["signed_by"]?.array?.count ?? Int(threshold))
        let words = state == "live" ? "live" : "held: \(signed) of \(threshold) signatures"
        if output.isJSON {
            Output.json([
                "type": "publication", "model": .string(manifest.model.description),
                "version": .string(manifest.version.description),
                "manifest_sha256": .string(bundle.sha256.hex), "state": .string(state),
                "signatures": .integer(signed), "threshold": .integer(threshold),
                "summary": .string(words),
            ])
        } else {
            Output.line("\(manifest.model) \(manifest.version): \(words)")
        }
    }
}

/// A policy as a person names it: `NAME=FILE` or `FILE`.
struct PolicyFile {
    let name: AttributeName
    let path: String

    init(argument: String) throws(Failure) {
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        let name = parts.count == 2 ? parts[0] : "standard"
        guard let parsed = AttributeName(name) else {
            throw Failure(.usage, "--policy: expected \(AttributeName.expected), got '\(name)'")
        }
        self.name = parsed
        path = parts.last ?? argument
    }

    /// The policy, completed for a bundle and checked.
    ///
    /// - Throws: `Failure` `refused` listing everything that is wrong.
    func policy(
        for manifest: Manifest, _ bundle: BundleReference, from start: UTCTime = SystemClock.now()
    ) throws(Failure) -> Policy {
        let draft = try YAMLFile.read(path)
        let policy: Policy
        do {
            policy = try PolicyDraft.complete(draft, candidate: bundle, now: start)
        } catch {
            throw Failure(.refused, "policy '\(path)': \(error)")
        }
        let problems = policy.problems()
        guard problems.isEmpty else {
            let lines = problems.map { "  \($0)" }.joined(separator: "\n")
            throw Failure(
                .refused, "policy '\(path)': expected no problem, got \(problems.count)\n\(lines)")
        }
        return policy
    }

    /// The target to publish: the one that is there already where this file says the same, so that a
    /// pipeline may run again although a policy without `not_before` counts from the moment it was published.
    func target(
        for manifest: Manifest, _ bundle: BundleReference, unlessIn proposal: RoleProposal
    ) throws(Failure) -> (TargetPath, [UInt8]) {
        let path = TargetPath.policy(of: manifest.model, manifest.version, name: name)
        if let digest = try proposal.existing(path)?.hashes.sha256,
            let bytes = try proposal.api.file("/blobs/sha256/\(digest)"),
            let published = try? Policy(parsing: bytes)
        {
            let again = try policy(for: manifest, bundle, from: published.notBefore)
            if again.json.canonicalBytes == bytes { return (path, bytes) }
        }
        return (path, try policy(for: manifest, bundle).json.canonicalBytes)
    }
}
