/// What a role is for.
///
/// A key serves roles of one kind: a thief of it then has that kind's power and no other.
package enum RoleKind: String, Sendable, Hashable, CustomStringConvertible {
    case root, targets, snapshot, timestamp, release, plans

    package var description: String { rawValue }
}

extension RoleName {
    /// Nil for a role that no repository of Fieldfare has.
    package var kind: RoleKind? {
        switch self {
        case .root: .root
        case .targets: .targets
        case .snapshot: .snapshot
        case .timestamp: .timestamp
        default:
            modelName.map { self == .model($0) ? .release : .plans }
        }
    }
}
