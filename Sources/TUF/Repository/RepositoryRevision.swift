package import Cryptography
package import Primitives

/// Root and targets of a repository while their holders change who may sign: the rules, and no version or file.
///
/// A call that throws has changed nothing. Which of the two differ from before is for the caller to see.
package struct RepositoryRevision: Sendable, Hashable {
    package private(set) var root: Root
    package private(set) var targets: Targets

    package init(root: Root, targets: Targets) {
        self.root = root
        self.targets = targets
    }

    /// The roles that a key may sign, root's own first.
    package func roles(of key: Ed25519PublicKey) -> [RoleName] {
        allRoles.filter { verifiers(of: $0)?.publicKeys.contains(.ed25519(key)) ?? false }
    }

    /// The keys of a role and their threshold; nil where there is no such role.
    package func verifiers(of role: RoleName) -> Verifiers? {
        role.isTopLevel
            ? root.verifiers(of: role) : targets.delegations?.verifiers(of: role)
    }

    /// The key that an id names anywhere in the repository.
    package func key(_ id: KeyID) -> Ed25519PublicKey? {
        Self.key(id, in: root.keys) ?? Self.key(id, in: targets.delegations?.keys ?? [:])
    }

    /// Who signs the plans of the model that was added last: the registry.
    package var plansHolders: KeyHolders? {
        guard let last = targets.delegations?.roles.last(where: { $0.name.kind == .plans }),
            let keys = try? ownKeys(of: last.name)
        else { return nil }
        return KeyHolders(keys, threshold: last.keys.threshold)
    }

    /// Finds out whether each key serves roles of one kind alone.
    ///
    /// - Throws: `.keyServesOther` or `.foreignKey`.
    package func checkDuties() throws(RevisionError) {
        for role in allRoles {
            for key in try ownKeys(of: role) { try require(key, isFreeFor: role) }
        }
    }

    /// Adds the two delegations of a new model.
    ///
    /// - Throws: `.modelExists`, or `.keyServesOther` for a key that has another duty.
    package mutating func add(_ model: RepositoryLayout.Model) throws(RevisionError) {
        for role in [RoleName.model(model.name), .plans(model.name)]
        where targets.delegations?[role] != nil {
            throw .modelExists(model.name)
        }
        for key in model.releases.keys { try require(key, isFreeFor: .model(model.name)) }
        for key in model.plans.keys { try require(key, isFreeFor: .plans(model.name)) }
        if let key = model.releases.keys.first(where: model.plans.keys.contains) {
            throw .keyServesOther(key.keyID, .plans(model.name), wanted: .model(model.name))
        }
        targets.delegate(to: model)
    }

    /// Puts a key in the place of another.
    ///
    /// - Parameters:
    ///   - old: a key of the roles.
    ///   - new: the key for its place.
    ///   - only: the roles to do it in; empty for all that the old key may sign.
    /// - Returns: the roles that changed.
    /// - Throws: `.keyUnknown`, `.keyNotInRole`, `.alreadyHolds`, `.keyServesOther` or `.foreignKey`.
    @discardableResult
    package mutating func replace(
        _ old: Ed25519PublicKey, with new: Ed25519PublicKey, in only: [RoleName] = []
    ) throws(RevisionError) -> [RoleName] {
        let roles = try roles(of: old, among: only)
        for role in roles where verifiers(of: role)?.publicKeys.contains(.ed25519(new)) ?? false {
            throw .alreadyHolds(new.keyID, role)
        }
        var next = self
        for role in roles {
            next.setKeys(of: role, as: try ownKeys(of: role).map { $0 == old ? new : $0 })
        }
        for role in roles { try next.require(new, isFreeFor: role) }
        self = next
        return roles
    }

    /// Puts other keys in the place of all that a role has; its threshold stays.
    ///
    /// - Returns: whether anything changed.
    /// - Throws: `.noSuchRole`, `.belowThreshold` or `.keyServesOther`.
    package mutating func setKeys(
        of role: RoleName, to keys: [Ed25519PublicKey]
    ) throws(RevisionError) -> Bool {
        guard let held = verifiers(of: role) else { throw .noSuchRole(role) }
        guard held.publicKeys != Set(keys.map { .ed25519($0) }) else { return false }
        guard keys.count >= held.threshold.count else {
            throw .belowThreshold(role, left: keys.count, threshold: held.threshold)
        }
        var next = self
        next.setKeys(of: role, as: keys)
        for key in keys { try next.require(key, isFreeFor: role) }
        self = next
        return true
    }

    /// Takes a key out of its roles.
    ///
    /// - Parameters:
    ///   - key: a key of the roles.
    ///   - only: the roles to do it in; empty for all that the key may sign.
    /// - Returns: the roles that changed.
    /// - Throws: `.keyUnknown`, `.keyNotInRole`, `.belowThreshold` or `.foreignKey`.
    @discardableResult
    package mutating func remove(
        _ key: Ed25519PublicKey, from only: [RoleName] = []
    ) throws(RevisionError) -> [RoleName] {
        let roles = try roles(of: key, among: only)
        var next = self
        for role in roles {
            let left = try ownKeys(of: role).filter { $0 != key }
            if let threshold = verifiers(of: role)?.threshold, left.count < threshold.count {
                throw .belowThreshold(role, left: left.count, threshold: threshold)
            }
            next.setKeys(of: role, as: left)
        }
        self = next
        return roles
    }

    // MARK: Parts

    private var allRoles: [RoleName] {
        RoleName.topLevel + (targets.delegations?.roles.map(\.name) ?? [])
    }

    private func roles(
        of key: Ed25519PublicKey, among only: [RoleName]
    ) throws(RevisionError) -> [RoleName] {
        let roles = roles(of: key)
        guard !roles.isEmpty else { throw .keyUnknown(key.keyID) }
        for role in only where !roles.contains(role) { throw .keyNotInRole(key.keyID, role) }
        return only.isEmpty ? roles : roles.filter(only.contains)
    }

    private func require(
        _ key: Ed25519PublicKey, isFreeFor wanted: RoleName
    ) throws(RevisionError) {
        if let other = roles(of: key).first(where: { $0.kind != wanted.kind }) {
            throw .keyServesOther(key.keyID, other, wanted: wanted)
        }
    }

    /// The keys of a role, each Ed25519 under its derived id, as our repositories have them (ADR 0001).
    ///
    /// - Throws: `.foreignKey` for any other, which a change of the role would lose.
    private func ownKeys(of role: RoleName) throws(RevisionError) -> [Ed25519PublicKey] {
        let delegation = targets.delegations?[role]
        let ids = role.isTopLevel ? root.roles[role]?.keyIDs : delegation?.keys.keyIDs
        let table = role.isTopLevel ? root.keys : targets.delegations?.keys ?? [:]
        var keys: [Ed25519PublicKey] = []
        for id in ids ?? [] {
            guard let key = Self.key(id, in: table) else { throw .foreignKey(id, role) }
            keys.append(key)
        }
        return keys
    }

    private static func key(_ id: KeyID, in table: [KeyID: Key]) -> Ed25519PublicKey? {
        guard case .ed25519(let key) = table[id]?.publicKey, key.keyID == id else { return nil }
        return key
    }

    private mutating func setKeys(of role: RoleName, as keys: [Ed25519PublicKey]) {
        if role.isTopLevel {
            guard let held = root.roles[role] else { return }
            root.setKeys(of: role, to: keys, threshold: held.threshold)
        } else if var delegation = targets.delegations?[role] {
            delegation.keys.keyIDs = keys.map(\.keyID)
            targets.delegations?.set(delegation, keys: keys)
        }
    }
}

/// Why a repository's roles are not changed so.
package enum RevisionError: Error, Sendable, Hashable {
    case modelExists(ModelName)
    case noSuchRole(RoleName)
    /// No role has the key.
    case keyUnknown(KeyID)
    case keyNotInRole(KeyID, RoleName)
    case alreadyHolds(KeyID, RoleName)
    /// The key serves a role of another kind.
    case keyServesOther(KeyID, RoleName, wanted: RoleName)
    case belowThreshold(RoleName, left: Int, threshold: Threshold)
    /// The role has a key that no repository of Fieldfare has.
    case foreignKey(KeyID, RoleName)
}

extension RevisionError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .modelExists(let model): "model '\(model)': expected a new one, got one that exists"
        case .noSuchRole(let role): "role '\(role)': expected one of the repository, got another"
        case .keyUnknown(let id): "key \(id): expected one that a role has, got another"
        case .keyNotInRole(let id, let role):
            "key \(id): expected one of role '\(role)', got another"
        case .alreadyHolds(let id, let role):
            "key \(id): expected one that is new to role '\(role)', got one that it has"
        case .keyServesOther(let id, let other, let wanted):
            "key \(id): expected one for role '\(wanted)' alone, got one of role '\(other)'"
        case .belowThreshold(let role, let left, let threshold):
            "role '\(role)': expected at least \(threshold) keys to be left, its threshold, got \(left)"
        case .foreignKey(let id, let role):
            "role '\(role)': expected Ed25519 keys under their own ids, got another as \(id)"
        }
    }

    /// What a person can do about it.
    package var hint: String? {
        switch self {
        case .modelExists, .noSuchRole, .keyUnknown, .keyNotInRole, .foreignKey: nil
        case .alreadyHolds, .keyServesOther: "make one with 'fieldfare keys generate'"
        case .belowThreshold: "put a new key in its place with 'fieldfare keys rotate'"
        }
    }
}
