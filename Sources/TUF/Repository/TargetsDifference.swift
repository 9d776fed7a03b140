package import Cryptography
package import Primitives

/// What a new version of targets metadata changes: what a person is shown before signing it.
package struct TargetsDifference: Sendable, Hashable {
    /// Nil for the first version.
    package let oldVersion: MetadataVersion?
    package let newVersion: MetadataVersion
    package let oldExpires: UTCTime?
    package let newExpires: UTCTime
    package let targets: [Change<TargetPath, TargetDescription>]
    package let roles: [Change<RoleName, DelegatedRole>]
    package let keys: [Change<KeyID, Key>]
    /// Whether the order of the delegations changed among roles that stay: order is priority.
    package let isReordered: Bool

    package init(from old: Targets?, to new: Targets) {
        oldVersion = old?.version
        newVersion = new.version
        oldExpires = old?.expires
        newExpires = new.expires
        targets = Change.between(old?.targets ?? [:], new.targets)
        let oldRoles = old?.delegations?.roles ?? []
        let newRoles = new.delegations?.roles ?? []
        roles = Change.between(Self.table(oldRoles), Self.table(newRoles))
        keys = Change.between(old?.delegations?.keys ?? [:], new.delegations?.keys ?? [:])
        let names = (old: Set(oldRoles.map(\.name)), new: Set(newRoles.map(\.name)))
        isReordered =
            oldRoles.map(\.name).filter(names.new.contains)
            != newRoles.map(\.name).filter(names.old.contains)
    }

    private static func table(_ roles: [DelegatedRole]) -> [RoleName: DelegatedRole] {
        Dictionary(roles.map { ($0.name, $0) }) { first, _ in first }
    }
}

/// What a new version of root metadata changes.
package struct RootDifference: Sendable, Hashable {
    /// Nil for the first version.
    package let oldVersion: MetadataVersion?
    package let newVersion: MetadataVersion
    package let oldExpires: UTCTime?
    package let newExpires: UTCTime
    package let roles: [Change<RoleName, RoleKeys>]
    package let keys: [Change<KeyID, Key>]

    package init(from old: Root?, to new: Root) {
        oldVersion = old?.version
        newVersion = new.version
        oldExpires = old?.expires
        newExpires = new.expires
        roles = Change.between(old?.roles ?? [:], new.roles)
        keys = Change.between(old?.keys ?? [:], new.keys)
    }
}
