import Console
import Cryptography
import Primitives
import TUF

/// A key as a person names it: a key file, a public key or a key id.
struct KeyArgument {
    let text: String

    /// A key that the repository has.
    func known(in revision: RepositoryRevision) throws(Failure) -> Ed25519PublicKey {
        if let id = KeyID(text), let key = revision.key(id) { return key }
        return try new(or: "a key id of the repository, ")
    }

    /// Any key, which must say its public part.
    func new(or more: String = "") throws(Failure) -> Ed25519PublicKey {
        // A key id looks like a public key; half of them are none.
        if let key = Ed25519PublicKey(hex: text) { return try strong(key) }
        guard try FileBytes.exists(text) else {
            throw Failure(
                .usage,
                "key: expected \(more)a key file or a public key of 64 digits, got '\(text)'")
        }
        return try strong(KeyFile.read(at: text).publicKey)
    }

    /// With another one a role would wait for signatures that nobody can make.
    private func strong(_ key: Ed25519PublicKey) throws(Failure) -> Ed25519PublicKey {
        guard key.isStrong else {
            throw Failure(.usage, "key: expected a public key, got other digits: '\(text)'")
        }
        return key
    }
}
