import Cryptography
import Primitives
import TUF

/// Weighs offered role metadata against what is live and what is proposed, by signatures and versions only.
struct Proposing<Content: RoleMetadata> {
    let role: RoleName
    /// The delegator's keys; for a root, those of the root before and its own.
    let verifiers: [Verifiers]
    let liveVersion: MetadataVersion?
    /// The open proposal, unless it was overtaken.
    private let open: Draft<Content>?

    /// What offered metadata amounts to.
    struct Result {
        /// The offered content with all valid signatures, its own and those that the proposal had.
        let draft: Draft<Content>
        /// Whether it says something else than the open proposal.
        let isNew: Bool
        /// Valid signatures that the registry did not have.
        let added: Int
    }

    init(
        _ role: RoleName, verifiers: [Verifiers], live: MetadataVersion?,
        proposal: StoredRole?, at now: UTCTime
    ) throws(RegistryError) {
        self.role = role
        self.verifiers = verifiers
        liveVersion = live
        let draft: Draft<Content>? =
            if let proposal { try LiveRepository.draft(proposal) } else { nil }
        open = draft.flatMap {
            $0.content.version == Self.version(after: live) && now < $0.content.expires ? $0 : nil
        }
    }

    /// Judges offered content; `difference` tells what the open proposal has and it lacks.
    ///
    /// - Throws: `.versionConflict`, `.untrusted`, `.noValidSignature` or `.proposalConflict`.
    func weigh(
        _ offered: Draft<Content>, at now: UTCTime,
        difference: (Content, Content) -> [String]
    ) throws(RegistryError) -> Result {
        let content = offered.content
        guard content.version == Self.version(after: liveVersion) else {
            throw .versionConflict(role, live: liveVersion, offered: content.version)
        }
        guard now < content.expires else {
            throw .untrusted(.expired(role, at: content.expires, start: now))
        }
        var draft = offered
        try unite(&draft, with: offered)
        guard !draft.signatures.isEmpty else { throw .noValidSignature(role) }
        guard let open else {
            return Result(draft: draft, isNew: true, added: draft.signatures.count)
        }
        guard open.message == draft.message else {
            let missing = difference(open.content, content)
            guard missing.isEmpty else {
                throw .proposalConflict(role, open: open.content.version, missing: missing)
            }
            return Result(draft: draft, isNew: true, added: draft.signatures.count)
        }
        var united = open
        try unite(&united, with: draft)
        var known = open
        try unite(&known, with: open)
        return Result(
            draft: united, isNew: false,
            added: united.signatures.count - known.signatures.count)
    }

    /// Distinct keys that still have to sign.
    func missing(_ draft: Draft<Content>) -> Int {
        verifiers.map { draft.progress(towards: $0).missing }.max() ?? 0
    }

    /// The keys that have signed validly, each once.
    func signers(_ draft: Draft<Content>) -> [KeyID] {
        var signers: [KeyID] = []
        for verifiers in verifiers {
            for id in draft.progress(towards: verifiers).signedBy where !signers.contains(id) {
                signers.append(id)
            }
        }
        return signers
    }

    private func unite(
        _ draft: inout Draft<Content>, with other: Draft<Content>
    ) throws(RegistryError) {
        do { try draft.merge(other, judgedBy: verifiers) } catch { throw .untrusted(error) }
    }

    static func version(after live: MetadataVersion?) -> MetadataVersion {
        live?.next ?? .first
    }
}
