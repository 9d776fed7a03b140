import ArgumentParser
import Console
import Cryptography
import CurlTransport
import Primitives
import RegistryAccess
import TUF

/// `fieldfare repo sign`: adds one signature, after showing what will be signed.
struct RepositorySign: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "Shows what changes, and adds a signature.",
        discussion: """
            Without --dir it signs the registry's open proposal of the role. The difference is to what is live, verified \
            from a root that you trust. With --dir it signs a file of the ceremony, and the difference is to the version \
            before in the folder. Who could change that too could hide something from you: with --root it must follow \
            from a root that you trust; FIELDFARE_ROOT is not looked at.

            EXAMPLE
              fieldfare repo sign model.commands-en --key release-anna.json
            """)

    @Argument(help: "The role: root, targets or model.<model>.")
    var role: String

    @Option(help: "The key file to sign with.")
    var key: String

    @Option(help: "The folder of a ceremony; without it, the registry's proposal is signed.")
    var dir: String?

    @OptionGroup var trust: RootOptions

    @Flag(help: "Do not ask: for pipelines.")
    var yes = false

    @OptionGroup var passphrase: PassphraseOptions
    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let role = try Word.read(role, "role", "root, targets or model.<model>") { text in
            RoleName(text).flatMap { $0.isSignedOffline && $0.kind != nil ? $0 : nil }
        }
        if let dir { try sign(role, in: dir) } else { try sign(role, at: try server.api()) }
    }

    private func sign(_ role: RoleName, in dir: String) throws(Failure) {
        guard role.isTopLevel else {
            throw Failure(
                .usage, "role: expected root or targets with --dir, got '\(role)'",
                hint: "without --dir the registry's proposal is signed")
        }
        let path = "\(dir)/\(MetadataFileName(role))"
        let bytes = try FileBytes.read(path, limit: CeremonyFolder.limit)
        var staged = try StagedRole(bytes, as: role)
        let folder = CeremonyFolder(path: dir)
        let before =
            if let path = trust.root {
                try TrustedBase(root: TrustedRootFile(path: path))
                    .version(before: staged, of: role, in: folder)
            } else {
                try folder.version(staged.version.number - 1, of: role)
            }
        try confirm(try staged.difference(from: before, as: role), role)
        let signers = try folder.signers(of: role).map(\.verifiers)
        try staged.sign(with: passphrase.signer(at: key), for: signers)
        let signed = staged
        try folder.locked { () throws(Failure) in
            var whole = signed
            let now = try StagedRole(FileBytes.read(path, limit: CeremonyFolder.limit), as: role)
            try whole.unite(with: now, judgedBy: signers)
            try FileBytes.write(whole.bytes, to: path)
        }
        let state = try folder.standing(of: role)
        Self.tell(
            role, state: state.missing == 0 ? "signed" : "held", state.signedBy, state.threshold,
            output)
    }

    private func sign(_ role: RoleName, at api: RegistryAPI) throws(Failure) {
        let root = try trust.file()
        let standing = try api.get("/v1/roles/\(role)")
        guard standing["proposal"] != .null, standing["proposal"] != nil else {
            throw Failure(
                .failed, "role '\(role)': expected an open proposal, got none",
                hint: "publish first; 'fieldfare repo status' lists what waits")
        }
        let bytes = try api.send(.get, "/v1/roles/\(role)/proposal").body
        var staged = try StagedRole(bytes, as: role)
        let (before, signers) = try TrustedBase(root: root)
            .version(before: staged, of: role, at: api)
        try confirm(try staged.difference(from: before, as: role), role)
        try staged.sign(with: passphrase.signer(at: key), for: signers)
        Self.tell(role, try api.send(.post, "/v1/roles/\(role)", staged.bytes).json(), output)
    }

    /// Says how far a role is, by the registry's answer.
    static func tell(_ role: RoleName, _ answer: JSON, _ output: OutputOptions) {
        let signed = answer["proposal"]?["signed_by"]?.array?.count
        let threshold = Int(answer["threshold"]?.integer ?? 1)
        tell(
            role, state: answer["state"]?.string ?? "held", signed ?? threshold, threshold, output)
    }

    private func confirm(_ lines: [String], _ role: RoleName) throws(Failure) {
        for line in ["role \(role)"] + lines { Output.note(line) }
        guard !yes else { return }
        Output.prompt("Sign this? [y/N] ")
        let answer = readLine()
        // At the end of the input nobody has ended the line.
        if answer == nil { Output.prompt("\n") }
        guard let answer, ["y", "yes"].contains(answer.lowercased()) else {
            throw Failure(.interrupted, "nothing was signed")
        }
    }

    private static func tell(
        _ role: RoleName, state: String, _ signed: Int, _ threshold: Int, _ output: OutputOptions
    ) {
        if output.isJSON {
            Output.json([
                "type": "signature", "role": .string(role.description), "state": .string(state),
                "signatures": .integer(Int64(signed)), "threshold": .integer(Int64(threshold)),
            ])
        } else {
            Output.line(
                "\(role): \(state == "live" ? "live" : "\(state): \(signed) of \(threshold) signatures")"
            )
        }
    }
}
