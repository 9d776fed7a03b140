package import Cryptography
package import Primitives
package import TUF

/// What the registry has of a role: what is live, who may sign, and the open proposal.
package struct RoleStanding: Sendable, Hashable {
    package struct Live: Sendable, Hashable {
        package let version: MetadataVersion
        package let expires: UTCTime
        /// Of the file's bytes.
        package let sha256: SHA256Digest
        /// The keys of today whose signatures it bears.
        package let signedBy: [KeyID]
    }

    package struct Proposal: Sendable, Hashable {
        package let version: MetadataVersion
        package let sha256: SHA256Digest
        package let signedBy: [KeyID]
        /// Distinct keys that still have to sign.
        package let missing: Int
    }

    package let role: RoleName
    package let live: Live?
    package let threshold: Threshold
    package let keyIDs: [KeyID]
    package let proposal: Proposal?

    /// ROLE of `docs/protocol.md`.
    package var json: JSON {
        var fields: JSONObject = [
            "type": "role", "role": .string(role.description),
            "threshold": .integer(Int64(threshold.count)),
            "keyids": .array(keyIDs.map { .string($0.description) }),
            "live": .null, "proposal": .null,
        ]
        if let live {
            fields["live"] = [
                "version": .integer(live.version.number),
                "expires": .string(live.expires.description),
                "sha256": .string(live.sha256.hex),
                "signed_by": .array(live.signedBy.map { .string($0.description) }),
            ]
        }
        if let proposal {
            fields["proposal"] = [
                "version": .integer(proposal.version.number),
                "sha256": .string(proposal.sha256.hex),
                "signed_by": .array(proposal.signedBy.map { .string($0.description) }),
                "missing": .integer(Int64(proposal.missing)),
            ]
        }
        return .object(fields)
    }
}

/// What became of posted role metadata.
package enum RolePosting: Sendable, Hashable {
    /// The threshold is met: clients see it.
    case live(RoleStanding)
    /// It waits for more signatures.
    case held(RoleStanding)

    package var standing: RoleStanding {
        switch self {
        case .live(let standing), .held(let standing): standing
        }
    }
}

extension RoleStanding {
    /// - Throws: `.notFound` for a role that nobody delegates to; `.noRepository` before the first root.
    init(
        of role: RoleName, in repository: LiveRepository, _ records: any MetadataStoring
    ) throws(RegistryError) {
        let proposal = try records.proposal(role)
        var verifiers = repository.verifiers(of: role)
        if role == .root, verifiers == nil, let proposal {
            let draft: Draft<Root> = try LiveRepository.draft(proposal)
            verifiers = draft.content.verifiers(of: .root)
        }
        guard let verifiers else {
            guard repository.root != nil else { throw .noRepository }
            throw .notFound("role", role.description)
        }
        self.role = role
        threshold = verifiers.threshold
        keyIDs = verifiers.keys.keys.sorted()
        switch role {
        case .root:
            live = try Self.live(Root.self, role, verifiers, records)
            self.proposal = try Self.proposal(Root.self, proposal, [verifiers])
        case .snapshot:
            live = try Self.live(Snapshot.self, role, verifiers, records)
            self.proposal = nil
        case .timestamp:
            live = try Self.live(Timestamp.self, role, verifiers, records)
            self.proposal = nil
        default:
            live = try Self.live(Targets.self, role, verifiers, records)
            self.proposal = try Self.proposal(Targets.self, proposal, [verifiers])
        }
    }

    private static func live<Content: RoleMetadata>(
        _ type: Content.Type, _ role: RoleName, _ verifiers: Verifiers,
        _ records: any MetadataStoring
    ) throws(RegistryError) -> Live? {
        guard let stored = try records.live(role) else { return nil }
        let draft: Draft<Content> = try LiveRepository.draft(stored)
        return Live(
            version: stored.version, expires: draft.content.expires,
            sha256: SHA256.digest(of: stored.bytes),
            signedBy: draft.progress(towards: verifiers).signedBy)
    }

    private static func proposal<Content: RoleMetadata>(
        _ type: Content.Type, _ stored: StoredRole?, _ delegators: [Verifiers]
    ) throws(RegistryError) -> Proposal? {
        guard let stored else { return nil }
        let draft: Draft<Content> = try LiveRepository.draft(stored)
        var all = delegators
        if let root = draft.content as? Root { all.append(root.verifiers(of: .root)) }
        let progress = all.map { draft.progress(towards: $0) }
        var signers: [KeyID] = []
        for id in progress.flatMap(\.signedBy) where !signers.contains(id) { signers.append(id) }
        return Proposal(
            version: stored.version, sha256: SHA256.digest(of: stored.bytes), signedBy: signers,
            missing: progress.map(\.missing).max() ?? 0)
    }
}
