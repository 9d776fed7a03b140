package import Cryptography
package import Primitives

/// What a new version of targets metadata changes of targets, delegations and keys.
package struct TargetsDifference: Sendable, Hashable {
    package let targets: [Change<TargetPath, TargetDescription>]
    package let roles: [Change<RoleName, DelegatedRole>]
    package let keys: [Change<KeyID, Key>]
    /// Whether the order of the delegations changed among roles that stay: order is priority.
    package let isReordered: Bool

    package init(from old: Targets?, to new: Targets) {
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
