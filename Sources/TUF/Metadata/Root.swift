package import Cryptography
package import Primitives

/// Root metadata: the keys of the top-level roles (TUF 1.0.34 section 4.3).
package struct Root: RoleMetadata {
    package static let type = "root"

    package var version: MetadataVersion
    package var expires: UTCTime
    package var consistentSnapshot: Bool
    package var keys: [KeyID: Key]
    /// Has the four top-level roles; others are kept.
    package private(set) var roles: [RoleName: RoleKeys]
    private let additional: JSONObject

    /// A new root.
    ///
    /// - Precondition: `roles` names the four top-level roles.
    package init(
        version: MetadataVersion = .first, expires: UTCTime, consistentSnapshot: Bool = true,
        keys: [KeyID: Key], roles: [RoleName: RoleKeys]
    ) {
        precondition(RoleName.topLevel.allSatisfy { roles[$0] != nil })
        self.version = version
        self.expires = expires
        self.consistentSnapshot = consistentSnapshot
        self.keys = keys
        self.roles = roles
        additional = [:]
    }

    package init(header: MetadataHeader, reading fields: inout Fields) throws(FieldError) {
        version = header.version
        expires = header.expires
        consistentSnapshot = try fields.optionalBool("consistent_snapshot") ?? false
        keys = try Key.table(in: &fields)
        roles = [:]
        for (name, json, path) in try fields.map("roles", limit: 16) {
            guard let role = RoleName(name) else {
                throw FieldError(path: path, expected: RoleName.expected, found: "'\(name)'")
            }
            var own = try Fields(json, at: path)
            var keys = try RoleKeys(reading: &own)
            keys.additional = own.unread
            roles[role] = keys
        }
        for role in RoleName.topLevel where roles[role] == nil {
            throw FieldError(
                path: fields.path(of: "roles"), expected: "role '\(role)'", found: "none")
        }
        additional = fields.unread
    }

    package var signed: JSON {
        let roles = self.roles.map { ($0.key.description, JSON.object($0.value.fields)) }
        return signed(
            [
                "consistent_snapshot": .bool(consistentSnapshot),
                "keys": Key.json(of: keys),
                "roles": .object(JSONObject(roles)),
            ], additional: additional)
    }

    /// The keys and threshold of a top-level role.
    package func verifiers(of role: RoleName) -> Verifiers {
        guard let own = roles[role] else {
            preconditionFailure("root delegates to top-level roles only, not to \(role)")
        }
        return Verifiers(own, among: keys)
    }

    /// Puts new keys in place of a top-level role's, and forgets keys that no role names any more.
    package mutating func setKeys(
        of role: RoleName, to newKeys: [Ed25519PublicKey], threshold: Threshold
    ) {
        precondition(role.isTopLevel)
        roles[role]?.keyIDs = newKeys.map(\.keyID)
        roles[role]?.threshold = threshold
        for key in newKeys { keys[key.keyID] = Key(key) }
        let named = Set(roles.values.flatMap(\.keyIDs))
        keys = keys.filter { named.contains($0.key) }
    }
}

extension Key {
    /// Reads the field `keys`.
    static func table(in fields: inout Fields) throws(FieldError) -> [KeyID: Key] {
        var keys: [KeyID: Key] = [:]
        for (name, json, path) in try fields.map("keys", limit: Limits.keys) {
            guard let id = KeyID(name) else {
                throw FieldError(path: path, expected: KeyID.expected, found: "'\(name)'")
            }
            keys[id] = try Key(reading: json, at: path)
        }
        return keys
    }

    static func json(of keys: [KeyID: Key]) -> JSON {
        .object(
            JSONObject(keys.map { ($0.key.description, $0.value.json) }))
    }
}
