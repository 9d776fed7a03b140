import ArgumentParser
import Console
import Cryptography
import Primitives
import RegistryAccess
import TUF

/// Who signs a model's role anew, on what ground, and for how long.
struct ProposalOptions: ParsableArguments {
    @Option(help: "The key file to sign with.")
    var key: String

    @Option(help: "Days until the role's metadata expires.")
    var days: Int64 = 90

    @Option(
        help:
            "After a change of the role's keys: a metadata file of the role that you know to be good. What it lists is signed again."
    )
    var base: String?

    @OptionGroup var trust: RootOptions
    @OptionGroup var passphrase: PassphraseOptions
    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    /// A proposal to the role of a model, whose key it is known to be signed with.
    ///
    /// - Throws: `Failure` for anything that cannot be read, `refused` for a key that is none of the role.
    func proposal(to model: ModelName, expires: UTCTime) throws(Failure) -> RoleProposal {
        let role = RoleName.model(model)
        let root = try trust.file()
        let publicKey = try KeyFile.read(at: key).publicKey
        let api = try server.api()
        let registry = try TrustedRegistry(api, root: root)
        // Before the passphrase is asked for.
        try RoleProposal.check(publicKey, of: role, in: registry.repository())
        return RoleProposal(
            api: api, registry: registry, role: role, key: try passphrase.signer(at: key),
            expires: expires,
            good: try base.map { (path) throws(Failure) in
                try RoleProposal.targets(in: path, of: role)
            })
    }

    func uploader(to proposal: RoleProposal) -> Uploader {
        Uploader(api: proposal.api, showsProgress: !output.isJSON)
    }

    /// Publishes one document of the release keys: uploads its bytes, then lists it in the role.
    ///
    /// Says what became of it, as a JSON line of the type with the fields, or about the thing, for people.
    func publish(
        _ document: [UInt8], at path: TargetPath, _ proposal: RoleProposal, _ type: String,
        _ thing: String, _ fields: JSONObject
    ) throws(Failure) {
        let additions = [path: TargetDescription(of: document)]
        try proposal.check(additions)
        try uploader(to: proposal)
            .upload(document, SHA256.digest(of: document), named: path.description)
        tell(try proposal.add(additions), type, thing, fields)
    }

    /// Says how far the role is, by the registry's answer.
    func tell(_ answer: JSON, _ type: String, _ thing: String, _ fields: JSONObject) {
        let state = answer["state"]?.string ?? "held"
        let threshold = answer["threshold"]?.integer ?? 1
        let signed = Int64(answer["proposal"]?["signed_by"]?.array?.count ?? Int(threshold))
        let words = state == "live" ? "live" : "held: \(signed) of \(threshold) signatures"
        guard output.isJSON else { return Output.line("\(thing): \(words)") }
        var fields = fields
        fields["type"] = .string(type)
        fields["state"] = .string(state)
        fields["signatures"] = .integer(signed)
        fields["threshold"] = .integer(threshold)
        fields["summary"] = .string(words)
        Output.json(.object(fields))
    }
}
