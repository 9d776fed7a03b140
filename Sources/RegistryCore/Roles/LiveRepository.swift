import Cryptography
import Primitives
import TUF

/// The live metadata of the roles that lead to the others, read from the store.
///
/// What is in the store was verified before it came there, so it is read as drafts; `SelfCheck` goes
/// through it as a client does.
struct LiveRepository {
    let root: Draft<Root>?
    let targets: Draft<Targets>?

    init(_ records: any MetadataStoring) throws(RegistryError) {
        root = try Self.draft(.root, in: records)
        targets = try Self.draft(.targets, in: records)
    }

    /// Whether clients find metadata here: root and targets are live, and with them all the rest.
    var isComplete: Bool { root != nil && targets != nil }

    /// The roles of this repository, the top-level ones first.
    var roles: [RoleName] {
        let delegated = targets?.content.delegations?.roles.map(\.name) ?? []
        return [.root, .targets, .snapshot, .timestamp] + delegated
    }

    /// The keys and threshold of a role; nil where nobody delegates to it.
    func verifiers(of role: RoleName) -> Verifiers? {
        role.isTopLevel
            ? root?.content.verifiers(of: role)
            : targets?.content.delegations?.verifiers(of: role)
    }

    func delegation(of role: RoleName) -> DelegatedRole? {
        targets?.content.delegations?[role]
    }

    /// The newest version of a role.
    static func draft<Content: RoleMetadata>(
        _ role: RoleName, in records: any MetadataStoring
    ) throws(RegistryError) -> Draft<Content>? {
        guard let stored = try records.live(role) else { return nil }
        return try draft(stored)
    }

    static func draft<Content: RoleMetadata>(
        _ stored: StoredRole
    ) throws(RegistryError) -> Draft<Content> {
        do {
            return try Draft<Content>(parsing: stored.bytes, as: stored.role)
        } catch {
            throw .storage("metadata of role '\(stored.role)' cannot be read: \(error)")
        }
    }
}
