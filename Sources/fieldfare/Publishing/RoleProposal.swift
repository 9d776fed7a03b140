import Console
import Cryptography
import CurlTransport
import Primitives
import RegistryAccess
import Rollouts
import TUF

/// Adds targets to a model's role, and signs with them only what was verified before.
///
/// That is what is live by the role's keys of today, or an open proposal that one of them has signed; which keys those
/// are is verified from a root of trust. After a change of keys a person must say what it is.
struct RoleProposal {
    /// How often another publisher may be faster before we give up.
    static let tries = 8

    let api: RegistryAPI
    let registry: TrustedRegistry
    let role: RoleName
    let key: Signer
    /// When the new version expires.
    let expires: UTCTime
    /// What a person knows to be good of the role, for when its keys were exchanged and nobody else can say.
    let good: [TargetPath: TargetDescription]?

    /// The targets of a metadata file.
    ///
    /// - Throws: `Failure` `refused` for a file that is no metadata of the role.
    static func targets(
        in path: String, of role: RoleName
    ) throws(Failure) -> [TargetPath: TargetDescription] {
        try draft(FileBytes.read(path, limit: Limits.standard.bytes(of: role)), role).content
            .targets
    }

    /// Finds out whether the repository has the role, and a key is one of it.
    ///
    /// - Throws: `Failure` `refused` where not.
    static func check(
        _ key: Ed25519PublicKey, of role: RoleName, in repository: TrustedRepository
    ) throws(Failure) {
        guard try verifiers(of: role, in: repository).publicKeys.contains(.ed25519(key)) else {
            throw Failure(
                .refused, "key \(key.keyID): expected one of role '\(role)', got another",
                hint: "'fieldfare repo status' lists the keys of each role")
        }
    }

    /// Finds out whether the targets may be added to what is live and what is proposed.
    ///
    /// - Throws: `Failure` `refused` for a target that is there with other bytes.
    func check(_ additions: [TargetPath: TargetDescription]) throws(Failure) {
        _ = try standing().targets(adding: additions)
    }

    /// Adds the targets, signs, posts; on a conflict it starts again from what has become live.
    ///
    /// - Parameters:
    ///   - additions: targets that are new, or live with the same bytes.
    ///   - renewing: whether to sign anew where all of them are live.
    /// - Returns: ROLE of the protocol, with its `state`.
    /// - Throws: `Failure` `refused` where nobody has said what was verified before, or a target is there with other bytes.
    func add(
        _ additions: [TargetPath: TargetDescription], renewing: Bool = false
    ) throws(Failure) -> JSON {
        try Self.untilFastest { () throws(Failure) in try propose(additions, renewing) }
    }

    /// Does what another may be faster at, a few times.
    static func untilFastest<Value>(
        _ work: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        for _ in 1..<tries {
            do throws(Failure) {
                return try work()
            } catch {
                guard error.kind == .busy else { throw error }
            }
        }
        return try work()
    }

    /// A target that is there already; nil where there is none.
    func existing(_ path: TargetPath) throws(Failure) -> TargetDescription? {
        try standing().base[path]
    }

    /// The digest of a target that the role has, or its open proposal.
    ///
    /// - Throws: `Failure` `refused` where there is none.
    func existingDigest(_ path: TargetPath) throws(Failure) -> SHA256Digest {
        guard let digest = try existing(path)?.hashes.sha256 else {
            throw Failure(
                .refused, "target '\(path)': expected it in role '\(role)', got none",
                hint: "publish it first: 'fieldfare publish'")
        }
        return digest
    }

    /// The bytes of such a target, which are what the digest says, and the digest.
    func existing(
        _ path: TargetPath, limit: Int
    ) throws(Failure) -> (bytes: [UInt8], digest: SHA256Digest) {
        let digest = try existingDigest(path)
        guard let bytes = try api.bytes("blobs/sha256/\(digest)", limit: limit),
            SHA256.digest(of: bytes) == digest
        else {
            throw Failure(
                .refused, "target '\(path)': expected its file, SHA-256 \(digest), got another")
        }
        return (bytes, digest)
    }

    /// What the role says now, and what of it a new version may say again.
    private struct Standing {
        let live: LiveRole?
        /// The open proposal, which a key of the role has signed.
        let open: Draft<Targets>?
        /// The keys of today that have signed it.
        let signers: [KeyID]
        /// What was verified before, and is signed again with the new targets.
        let base: [TargetPath: TargetDescription]

        /// Whether as many keys of today as a device asks for have signed what is live.
        var isVerified: Bool { live?.isVerified ?? true }

        /// What was verified before, with more.
        func targets(
            adding additions: [TargetPath: TargetDescription]
        ) throws(Failure) -> [TargetPath: TargetDescription] {
            var targets = base
            for (path, target) in additions.sorted(by: { $0.key < $1.key }) {
                if let there = targets[path], there != target, ReleaseDocument.Kind(path) != .lift {
                    throw Failure(
                        .refused,
                        "target '\(path)': expected the bytes that are published, got others",
                        hint: RoleProposal.hint(for: path))
                }
                targets[path] = target
            }
            return targets
        }
    }

    private func standing() throws(Failure) -> Standing {
        var repository = try registry.repository()
        return try standing(in: &repository)
    }

    private func standing(in repository: inout TrustedRepository) throws(Failure) -> Standing {
        let live = try registry.live(role, in: &repository)
        let verifiers = try Self.verifiers(of: role, in: repository)
        let open = try Self.open(role, at: api, signedBy: verifiers)
        let signers = open?.progress(towards: verifiers).signedBy ?? []
        if let live, !live.isVerified, let good {
            return Standing(live: live, open: open, signers: signers, base: good)
        }
        guard live?.isVerified ?? true || open != nil else {
            throw Failure(
                .refused,
                "role '\(role)': expected live metadata that its keys of today have signed, got that of exchanged ones",
                hint:
                    "name a version of it that you know to be good with --base: what it lists is signed again, and nothing else"
            )
        }
        return Standing(
            live: live, open: open, signers: signers,
            base: (open?.content ?? live?.content)?.targets ?? [:])
    }

    private func propose(
        _ additions: [TargetPath: TargetDescription], _ isRenewing: Bool
    ) throws(Failure) -> JSON {
        var repository = try registry.repository()
        try Self.check(key.publicKey, of: role, in: repository)
        let standing = try standing(in: &repository)
        if !isRenewing, standing.isVerified, let live = standing.live,
            additions.allSatisfy({ live.content.targets[$0.key] == $0.value })
        {
            return Self.with(try api.get("/v1/roles/\(role)"), state: "live")
        }
        if isWaiting(standing, additions) {
            return Self.with(try api.get("/v1/roles/\(role)"), state: "held")
        }
        var next =
            standing.live?.content.next(expires: expires)
            ?? Targets(expires: expires, of: role)
        next.targets = try standing.targets(adding: additions)
        for path in standing.live?.content.targets.keys.sorted() ?? []
        where next.targets[path] == nil {
            Output.note("\(role): '\(path)' is not signed again")
        }
        var draft = Draft(next, of: role)
        if let open = standing.open, open.content.targets == next.targets { draft = open }
        var staged = StagedRole.targets(draft)
        try staged.sign(with: key)
        return try api.send(.post, "/v1/roles/\(role)", staged.bytes).json()
    }

    /// Whether the open proposal has all of the targets, and there is nothing for this key to sign: it has signed, or
    /// others have added what only a person may vouch for.
    private func isWaiting(
        _ standing: Standing, _ additions: [TargetPath: TargetDescription]
    ) -> Bool {
        guard let open = standing.open,
            additions.allSatisfy({ open.content.targets[$0.key] == $0.value })
        else { return false }
        if standing.signers.contains(key.publicKey.keyID) { return true }
        var own = standing.isVerified ? standing.live?.content.targets ?? [:] : good ?? [:]
        own.merge(additions) { _, new in new }
        guard open.content.targets != own else { return false }
        Output.note(
            "\(role): the open proposal has more than this; 'fieldfare repo sign \(role)' shows it all"
        )
        return true
    }

    /// The open proposal of a role, if a key of today has validly signed it.
    ///
    /// One that none has signed is nobody's word: of keys that were exchanged since, or of a registry that lies. It is
    /// not built upon.
    static func open(
        _ role: RoleName, at api: RegistryAPI, signedBy verifiers: Verifiers
    ) throws(Failure) -> Draft<Targets>? {
        let answer = try api.send(.get, "/v1/roles/\(role)/proposal", accepting: [404])
        guard answer.status != 404 else { return nil }
        let draft = try draft(answer.body, role)
        return draft.progress(towards: verifiers).signedBy.isEmpty ? nil : draft
    }

    /// The role's keys of today.
    private static func verifiers(
        of role: RoleName, in repository: TrustedRepository
    ) throws(Failure) -> Verifiers {
        guard let verifiers = repository.verifiers(of: role) else {
            throw Failure(
                .refused, "role '\(role)': expected targets to delegate to it, got none",
                hint: "a new model needs the keys of 'targets'")
        }
        return verifiers
    }

    private static func draft(
        _ bytes: [UInt8], _ role: RoleName
    ) throws(Failure) -> Draft<Targets> {
        do {
            return try Draft<Targets>(parsing: bytes, as: role)
        } catch {
            throw Failure(.refused, "metadata of '\(role)': \(error)")
        }
    }

    private static func with(_ standing: JSON, state: String) -> JSON {
        var fields = standing.object ?? [:]
        fields["state"] = .string(state)
        return .object(fields)
    }

    private static func hint(for path: TargetPath) -> String {
        path.parts.first == "policies"
            ? "a published policy never changes: give this one another name (NAME=rollout.yaml)"
            : "a published version never changes: give this one a new version; "
                + "the same files built again need the same SOURCE_DATE_EPOCH"
    }
}
