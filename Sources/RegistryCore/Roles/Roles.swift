import Cryptography
package import Primitives
package import TUF

/// Takes role metadata in, unites signatures until the threshold is met, and then makes it live.
package struct Roles: Sendable {
    /// The most bytes of posted metadata.
    package static let byteLimit = 4 << 20

    let store: any RegistryStoring
    let blobs: any BlobStoring
    let signer: OnlineSigner

    package init(
        store: any RegistryStoring, blobs: any BlobStoring, keys: OnlineKeys,
        schedule: MetadataSchedule = MetadataSchedule()
    ) {
        self.store = store
        self.blobs = blobs
        signer = OnlineSigner(keys: keys, schedule: schedule)
    }

    // MARK: Reading

    private static let readers: [Scope.Verb] = [.publish, .sign, .read]

    /// All roles that the repository has, the top-level ones first.
    package func list(by actor: Principal) throws(RegistryError) -> [RoleStanding] {
        try authorise(actor, .read, on: .registry)
        return try store.read { (records) throws(RegistryError) in
            let repository = try LiveRepository(records)
            guard repository.root != nil else { return [] }
            var standings: [RoleStanding] = []
            for role in repository.roles {
                standings.append(try RoleStanding(of: role, in: repository, records))
            }
            return standings
        }
    }

    /// Whoever may propose or sign has to see what for.
    package func standing(
        of role: RoleName, by actor: Principal
    ) throws(RegistryError) -> RoleStanding {
        try authoriseAny(actor, Self.readers, on: Self.reach(of: role))
        return try store.read { (records) throws(RegistryError) in
            try RoleStanding(of: role, in: try LiveRepository(records), records)
        }
    }

    /// The bytes of the open proposal.
    package func proposal(
        of role: RoleName, by actor: Principal
    ) throws(RegistryError) -> [UInt8] {
        try authoriseAny(actor, Self.readers, on: Self.reach(of: role))
        let stored = try store.read { (records) throws(RegistryError) in
            try records.proposal(role)
        }
        guard let stored else { throw .notFound("proposal", role.description) }
        return stored.bytes
    }

    // MARK: Writing

    /// Takes signed metadata of a role; the rules are those of `docs/protocol.md`, "Publishing".
    ///
    /// When the threshold is met the metadata is live on return, durably, with a new snapshot and timestamp.
    /// The same bytes again are harmless.
    package func post(
        _ bytes: [UInt8], as role: RoleName, by actor: Principal, at now: UTCTime
    ) throws(RegistryError) -> RolePosting {
        guard bytes.count <= Self.byteLimit else {
            throw .tooLarge(
                "metadata", limit: Int64(Self.byteLimit), found: Int64(bytes.count))
        }
        try authoriseAny(actor, [.publish, .sign], on: Self.reach(of: role))
        return try store.write { (records) throws(RegistryError) in
            if let live = try records.live(role), live.bytes == bytes {
                return .live(try RoleStanding(of: role, in: try LiveRepository(records), records))
            }
            let posting = RolePost(
                role: role, bytes: bytes, actor: actor, now: now, records: records,
                repository: try LiveRepository(records), blobs: blobs, signer: signer)
            return role == .root ? try posting.postRoot() : try posting.postTargets()
        }
    }

    /// Closes the open proposal of a role, with what was proposed in it.
    ///
    /// - Throws: `.notFound` where there is none; `.forbidden` without `sign`.
    package func withdrawProposal(
        of role: RoleName, by actor: Principal, at now: UTCTime
    ) throws(RegistryError) {
        try authorise(actor, .sign, on: Self.reach(of: role))
        try store.write { (records) throws(RegistryError) in
            guard let proposal = try records.proposal(role) else {
                throw .notFound("proposal", role.description)
            }
            try records.setProposal(role, nil)
            try records.append(.proposalWithdrawn(proposal), by: Actor(actor), at: now)
        }
    }

    /// Signs anew what the registry signs itself and what has not long to live; call it every minute or so,
    /// and at the start.
    ///
    /// - Returns: the roles that were signed.
    package func renew(at now: UTCTime) throws(RegistryError) -> [RoleName] {
        try store.write { (records) throws(RegistryError) in
            try signer.renew(in: records, at: now)
        }
    }

    /// What a role belongs to, for scopes.
    static func reach(of role: RoleName) -> Reach {
        role.modelName.map { .model($0) } ?? .registry
    }
}

/// Allows what any of some verbs allows.
///
/// - Throws: `.forbidden` with the last of them.
func authoriseAny(
    _ actor: Principal, _ verbs: [Scope.Verb], on reach: Reach
) throws(RegistryError) {
    for verb in verbs.dropLast() where (try? authorise(actor, verb, on: reach)) != nil {
        return
    }
    if let last = verbs.last { try authorise(actor, last, on: reach) }
}
