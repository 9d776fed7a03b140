package import Cryptography
import Primitives
import TUF

/// The keys with which the registry signs by itself: snapshot, timestamp and plans, each its own.
///
/// While a key is rotated a role has two: the one that today's delegation names is used.
package struct OnlineKeys: Sendable {
    /// The roles with online keys, by the names of their key files.
    package enum Purpose: String, Sendable, Hashable, CaseIterable {
        case snapshot
        case timestamp
        /// `plans.<m>` of every model.
        case plans

        /// The names under which key files are looked for.
        package var fileNames: [String] { ["\(rawValue).json", "\(rawValue).next.json"] }
    }

    private let keys: [Purpose: [Ed25519PrivateKey]]

    package init(_ keys: [Purpose: [Ed25519PrivateKey]]) {
        self.keys = keys
    }

    /// Opens plain key files, as they lie in a folder or among systemd's credentials.
    ///
    /// - Parameter files: the bytes by file name: `snapshot.json`, `timestamp.json`, `plans.json`, and for the
    ///   next key of a rotation `snapshot.next.json` and so on. Other names are left alone.
    /// - Throws: `KeyFileError`, for an encrypted file too.
    package init(files: [String: [UInt8]]) throws(KeyFileError) {
        var keys: [Purpose: [Ed25519PrivateKey]] = [:]
        for purpose in Purpose.allCases {
            for name in purpose.fileNames {
                guard let bytes = files[name] else { continue }
                keys[purpose, default: []].append(
                    try KeyFile(parsing: bytes).open(passphrase: nil))
            }
        }
        self.init(keys)
    }

    /// The purposes for which no key is loaded.
    package var missing: [Purpose] {
        Purpose.allCases.filter { keys[$0, default: []].isEmpty }
    }

    package func publicKeys(of purpose: Purpose) -> [Ed25519PublicKey] {
        keys[purpose, default: []].map(\.publicKey)
    }

    /// Signs with each loaded key that the role's delegator names.
    ///
    /// - Returns: the metadata file.
    /// - Throws: `.keyMissing` where the loaded keys do not reach the threshold.
    func sign<Content: RoleMetadata>(
        _ content: Content, of role: RoleName, for purpose: Purpose, named verifiers: Verifiers
    ) throws(RegistryError) -> StoredRole {
        var draft = Draft(content, of: role)
        for key in keys[purpose, default: []]
        where verifiers.publicKeys.contains(.ed25519(key.publicKey)) {
            draft.sign(with: key)
        }
        guard draft.progress(towards: verifiers).isComplete else { throw .keyMissing(role) }
        return StoredRole(role: role, version: content.version, bytes: draft.bytes)
    }

    /// What stands in the way of signing for a delegation; empty where the loaded keys reach its threshold.
    func problem(
        _ role: RoleName, _ purpose: Purpose, named verifiers: Verifiers
    ) -> [String] {
        let loaded = publicKeys(of: purpose).map { PublicKey.ed25519($0) }
        let own = verifiers.publicKeys.intersection(loaded).count
        guard own < verifiers.threshold.count else { return [] }
        let ids = publicKeys(of: purpose).map(\.keyID.description).joined(separator: ", ")
        return [
            "role '\(role)': expected \(verifiers.threshold) of the registry's own keys "
                + "(\(ids.isEmpty ? "none loaded" : ids)), got \(own)"
        ]
    }
}
