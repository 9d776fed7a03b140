package import Cryptography
package import Primitives

/// Who may sign a role: key ids, each once, and how many of their keys must have signed.
package struct RoleKeys: Sendable, Hashable {
    package var keyIDs: [KeyID]
    package var threshold: Threshold
    /// What a root says of the role besides; a delegation keeps its own.
    var additional: JSONObject = [:]

    package init(keyIDs: [KeyID], threshold: Threshold) {
        self.keyIDs = keyIDs
        self.threshold = threshold
    }

    init(reading fields: inout Fields) throws(FieldError) {
        var seen: Set<KeyID> = []
        var keyIDs: [KeyID] = []
        for (json, path) in try fields.array("keyids", limit: Limits.keysPerRole) {
            guard let id = json.string.flatMap(KeyID.init) else {
                throw FieldError(path: path, expected: KeyID.expected, found: json.kind)
            }
            guard seen.insert(id).inserted else {
                throw FieldError(path: path, expected: "each key id once", found: "'\(id)' again")
            }
            keyIDs.append(id)
        }
        guard let threshold = Threshold(Int(try fields.integer("threshold", in: 1...1_024))) else {
            preconditionFailure("the range was checked")
        }
        self.init(keyIDs: keyIDs, threshold: threshold)
    }

    var fields: JSONObject {
        var fields = additional
        fields["keyids"] = .array(keyIDs.map { .string($0.description) })
        fields["threshold"] = .integer(Int64(threshold.count))
        return fields
    }
}

/// The keys and the threshold that a role's signatures are judged by, out of the delegator's metadata.
package struct Verifiers: Sendable, Hashable {
    /// The keys of the role by id; ids without a known key are left out.
    package let keys: [KeyID: Key]
    package let threshold: Threshold

    init(_ role: RoleKeys, among keys: [KeyID: Key]) {
        let pairs = role.keyIDs.compactMap { id in keys[id].map { (id, $0) } }
        self.keys = Dictionary(pairs) { first, _ in first }
        threshold = role.threshold
    }

    /// The distinct public keys that may sign.
    package var publicKeys: Set<PublicKey> { Set(keys.values.compactMap(\.publicKey)) }

    /// A name for this set of public keys, whatever their ids: SHA-256 over the sorted keys.
    ///
    /// What a device remembers of a role (a time floor, the last plan) is bound to this name, so that
    /// rotating the role's keys lets it forget what a thief made it remember.
    package var fingerprint: SHA256Digest {
        let sorted = publicKeys.map(\.bytes).sorted { $0.lexicographicallyPrecedes($1) }
        return SHA256.digest(of: sorted.flatMap { $0 })
    }
}
