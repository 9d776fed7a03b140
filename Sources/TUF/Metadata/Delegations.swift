package import Cryptography
package import Primitives

/// The roles that a targets role delegates to, in order of priority, and their keys
/// (TUF 1.0.34 section 4.5).
package struct Delegations: Sendable, Hashable {
    package var keys: [KeyID: Key]
    package var roles: [DelegatedRole]
    private let additional: JSONObject

    package init(keys: [KeyID: Key] = [:], roles: [DelegatedRole] = []) {
        self.keys = keys
        self.roles = roles
        additional = [:]
    }

    init(reading fields: inout Fields) throws(FieldError) {
        keys = try Key.table(in: &fields)
        roles = []
        var names: Set<RoleName> = []
        for (json, path) in try fields.array("roles", limit: Limits.roles) {
            let role = try DelegatedRole(reading: json, at: path)
            guard names.insert(role.name).inserted else {
                throw FieldError(
                    path: path, expected: "each role once", found: "'\(role.name)' again")
            }
            roles.append(role)
        }
        additional = fields.unread
    }

    var json: JSON {
        var fields = additional
        fields["keys"] = Key.json(of: keys)
        fields["roles"] = .array(roles.map(\.json))
        return .object(fields)
    }

    package subscript(role: RoleName) -> DelegatedRole? { roles.first { $0.name == role } }

    /// The keys and threshold of a role that is delegated to here, or nil.
    package func verifiers(of role: RoleName) -> Verifiers? {
        self[role].map { Verifiers($0.keys, among: keys) }
    }

    /// Adds a role, last in order, or puts it in the place of the one of its name; forgets keys that
    /// no role names any more.
    package mutating func set(_ role: DelegatedRole, keys newKeys: [Ed25519PublicKey]) {
        if let index = roles.firstIndex(where: { $0.name == role.name }) {
            roles[index] = role
        } else {
            roles.append(role)
        }
        for key in newKeys { keys[key.keyID] = Key(key) }
        let named = Set(roles.flatMap(\.keys.keyIDs))
        keys = keys.filter { named.contains($0.key) }
    }
}

/// One delegation: a role, who signs it, and the target paths it is trusted with.
package struct DelegatedRole: Sendable, Hashable {
    package let name: RoleName
    package var keys: RoleKeys
    package let paths: DelegatedPaths
    /// Whether a search for a path that matches here ends here.
    package let isTerminating: Bool
    private let additional: JSONObject

    package init(name: RoleName, keys: RoleKeys, paths: DelegatedPaths, isTerminating: Bool) {
        self.name = name
        self.keys = keys
        self.paths = paths
        self.isTerminating = isTerminating
        additional = [:]
    }

    init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        name = try fields.parse("name", "a delegated role's name") { text in
            RoleName(text).flatMap { $0.isTopLevel ? nil : $0 }
        }
        keys = try RoleKeys(reading: &fields)
        isTerminating = try fields.bool("terminating")
        paths = try DelegatedPaths(reading: &fields)
        additional = fields.unread
    }

    var json: JSON {
        var fields = additional.merging(keys.fields) { _, own in own }
        fields["name"] = .string(name.description)
        fields["terminating"] = .bool(isTerminating)
        fields[paths.field.0] = paths.field.1
        return .object(fields)
    }

    /// Whether this role is trusted with a target path.
    package func covers(_ path: TargetPath) -> Bool { paths.cover(path) }
}

/// The target paths of a delegation: by patterns, or by the beginnings of SHA-256 of the path.
package enum DelegatedPaths: Sendable, Hashable {
    case patterns([PathPattern])
    case hashPrefixes([String])

    init(reading fields: inout Fields) throws(FieldError) {
        let hasPatterns = fields.optional("paths") != nil
        let hasPrefixes = fields.optional("path_hash_prefixes") != nil
        guard hasPatterns != hasPrefixes else {
            throw FieldError(
                path: fields.path, expected: "one of 'paths' and 'path_hash_prefixes'",
                found: hasPatterns ? "both" : "neither")
        }
        if hasPatterns {
            self = .patterns(
                try Self.texts("paths", PathPattern.expected, in: &fields) { PathPattern($0) })
        } else {
            self = .hashPrefixes(
                try Self.texts(
                    "path_hash_prefixes", "lower-case hexadecimal digits", in: &fields
                ) { Self.isPrefix($0) ? $0 : nil })
        }
    }

    private static func texts<Value>(
        _ key: String, _ expected: String, in fields: inout Fields, _ make: (String) -> Value?
    ) throws(FieldError) -> [Value] {
        var values: [Value] = []
        for (json, path) in try fields.array(key, limit: Limits.pathsPerRole) {
            guard let value = json.string.flatMap(make) else {
                throw FieldError(path: path, expected: expected, found: json.kind)
            }
            values.append(value)
        }
        return values
    }

    private static func isPrefix(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { Hex.value(of: $0) != nil && !(0x41...0x46).contains($0) }
    }

    func cover(_ path: TargetPath) -> Bool {
        switch self {
        case .patterns(let patterns): return patterns.contains { $0.matches(path) }
        case .hashPrefixes(let prefixes):
            let digest = SHA256.digest(of: Array(path.description.utf8)).hex
            return prefixes.contains { digest.utf8.starts(with: $0.utf8) }
        }
    }

    var field: (String, JSON) {
        switch self {
        case .patterns(let patterns): ("paths", .array(patterns.map { .string($0.description) }))
        case .hashPrefixes(let prefixes):
            ("path_hash_prefixes", .array(prefixes.map { .string($0) }))
        }
    }
}
