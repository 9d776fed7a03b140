import ArgumentParser
import Console
import Cryptography
import CurlTransport
import Primitives
import RegistryAccess
import TUF

/// `fieldfare repo add-model`: the next targets, which delegate to a new model's two roles.
struct RepositoryAddModel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add-model", abstract: "Stages the targets that a new model needs.",
        discussion: """
            The new targets delegate bundles and policies of the model to its release keys, and rollouts and packs to \
            the key that signs the plans of the other models: the registry's. With --dir it is staged in the folder, \
            from what the folder has or else the registry publishes, for the targets keys to sign with 'fieldfare \
            repo sign targets' and for 'fieldfare repo push'. Without, it is proposed to the registry, signed with --key.

            Exits with 10 where the model exists, or a key has another duty already.

            EXAMPLE
              fieldfare repo add-model commands-de --dir repo --release-key ci.json --release-key anna.json \\
                  --release-threshold 2
            """)

    @Argument(help: "The model's name.")
    var model: String

    @Option(help: "A release key file of the model; may be repeated.")
    var releaseKey: [String]

    @Option(help: "How many release keys must sign.")
    var releaseThreshold: Int = 1

    @Option(help: "What 'fieldfare-registry keys generate' printed; otherwise as the other models.")
    var online: String?

    @Option(help: "The folder of a ceremony; without it, the registry gets a proposal.")
    var dir: String?

    @Option(help: "Without --dir: the targets key file to sign the proposal with.")
    var key: String?

    @OptionGroup var stage: StageOptions
    @OptionGroup var passphrase: PassphraseOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        guard let name = ModelName(model) else {
            throw Failure(.usage, "model: expected \(ModelName.expected), got '\(model)'")
        }
        let releases = try RepositoryInitialise.holders(releaseKey, releaseThreshold, "release")
        let expires = try stage.expires()
        guard let dir else { return try propose(name, releases, expires) }
        guard key == nil else {
            throw Failure(
                .usage, "--key: expected it without --dir only, got both",
                hint: "sign with 'fieldfare repo sign targets --dir \(dir)'")
        }
        let folder = CeremonyFolder(path: dir)
        let roles = try RoleStage(folder) { () throws(Failure) in try stage.published() }
        let revision = try revised(roles.revision, name, releases)
        try RoleStage.tell(try roles.save(revision, expires: expires), in: folder, output)
    }

    private func revised(
        _ old: RepositoryRevision, _ name: ModelName, _ releases: KeyHolders
    ) throws(Failure) -> RepositoryRevision {
        let plans = try online.map { (path) throws(Failure) in
            KeyHolders([try OnlinePublicKeys(file: path).plans])
        }
        guard let plans = plans ?? old.plansHolders else {
            throw Failure(
                .usage, "--online: expected it for the first model, got none",
                hint: "it is what 'fieldfare-registry keys generate' printed")
        }
        var revision = old
        try Failure.revising { () throws(RevisionError) in
            try revision.add(.init(name: name, releases: releases, plans: plans))
        }
        return revision
    }

    /// Puts the model into the registry's open proposal of targets, or opens one.
    private func propose(
        _ name: ModelName, _ releases: KeyHolders, _ expires: UTCTime
    ) throws(Failure) {
        guard let key else {
            throw Failure(
                .usage, "add-model: expected --dir, or --key to sign a proposal with, got neither")
        }
        let api = try stage.server.api()
        let signer = try passphrase.signer(at: key)
        let answer = try RoleProposal.untilFastest { () throws(Failure) in
            let staged = try proposal(name, releases, expires, signer, api)
            return try api.send(.post, "/v1/roles/targets", staged.bytes).json()
        }
        RepositorySign.tell(.targets, answer, output)
    }

    private func proposal(
        _ name: ModelName, _ releases: KeyHolders, _ expires: UTCTime, _ signer: Signer,
        _ api: RegistryAPI
    ) throws(Failure) -> StagedRole {
        let published = try stage.published()
        guard case .root(let root) = try StagedRole(published.root, as: .root),
            case .targets(let live) = try StagedRole(published.targets, as: .targets)
        else { preconditionFailure("each role is read as what it is") }
        let verifiers = root.content.verifiers(of: .targets)
        let open = try RoleProposal.open(.targets, at: api, signedBy: verifiers)
        let revision = try revised(
            RepositoryRevision(root: root.content, targets: open?.content ?? live.content), name,
            releases)
        var next = revision.targets
        next.version = live.content.version.next
        next.expires = expires
        var staged = StagedRole.targets(Draft(next, of: .targets))
        try staged.sign(with: signer, for: [verifiers])
        return staged
    }
}
