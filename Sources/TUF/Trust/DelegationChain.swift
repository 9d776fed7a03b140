/// The way by which a role was reached, from the top-level `targets` down.
///
/// Trust belongs to the way, not to the name: two delegators can name one role with different keys.
package struct DelegationChain: Sendable, Hashable {
    package static let top = DelegationChain(roles: [.targets])

    /// The top-level role first, the role itself last.
    package let roles: [RoleName]

    package func appending(_ role: RoleName) -> DelegationChain {
        DelegationChain(roles: roles + [role])
    }

    package var role: RoleName { roles[roles.count - 1] }

    /// The way to the delegator; nil for the top-level role.
    package var delegator: DelegationChain? {
        roles.count > 1 ? DelegationChain(roles: roles.dropLast()) : nil
    }
}
