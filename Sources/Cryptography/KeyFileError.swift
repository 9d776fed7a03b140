package import Primitives

/// Why a key file cannot be read or opened.
package enum KeyFileError: Error, Sendable, Hashable {
    /// The bytes are not strict JSON.
    case notJSON(JSONError)
    /// A field is missing, unknown or out of range.
    case malformed(FieldError)
    /// The file is encrypted, and no passphrase was given.
    case passphraseMissing
    /// The file is plain, and a passphrase was given: somebody believes it to be protected.
    case notEncrypted
    /// Another program holds the private part.
    case heldElsewhere
    /// The passphrase is another one, or the encrypted part was changed.
    case wrongPassphrase
    /// The private part belongs to another public key than the file says.
    case publicKeyMismatch(expected: Ed25519PublicKey, found: Ed25519PublicKey)
    /// The key id is not the one of the public key.
    case keyIDMismatch(expected: KeyID, found: KeyID)
    /// The memory that argon2id needs is not to be had.
    case noMemory(bytes: Int64)
}

extension KeyFileError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notJSON(let error): "key file: \(error)"
        case .malformed(let error): "key file: \(error)"
        case .passphraseMissing: "key file: expected a passphrase for an encrypted key, got none"
        case .notEncrypted: "key file: expected an encrypted key, got a plain one"
        case .heldElsewhere:
            "key file: expected the private part in it, got an external key, which a program holds"
        case .wrongPassphrase:
            "key file: expected the passphrase it was encrypted with, got another (or the file was changed)"
        case .publicKeyMismatch(let expected, let found):
            "key file: expected the private part of public key \(expected), got that of \(found)"
        case .keyIDMismatch(let expected, let found):
            "key file: expected key id \(expected) of its public key, got \(found)"
        case .noMemory(let bytes):
            "key file: expected \(bytes) bytes of memory for argon2id, got fewer"
        }
    }
}
