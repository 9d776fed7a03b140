/// A public key of any kind whose signatures we verify; two are equal only where they are one and the same key.
///
/// Thresholds count these. Our own repositories have Ed25519 keys only; the others are for following
/// repositories of others.
package enum PublicKey: Sendable, Hashable {
    case ed25519(Ed25519PublicKey)
    case p256(P256PublicKey)
    case rsa(RSAPublicKey)

    /// Whether `signature` is this key's signature of `message`; false, never an error, for malformed ones.
    package func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        switch self {
        case .ed25519(let key): key.isValid(signature, for: message)
        case .p256(let key): key.isValid(signature, for: message)
        case .rsa(let key): key.isValid(signature, for: message)
        }
    }

    /// What tells the key from all others: 32 bytes of Ed25519, else a DER SubjectPublicKeyInfo.
    package var bytes: [UInt8] {
        switch self {
        case .ed25519(let key): key.bytes
        case .p256(let key): key.der
        case .rsa(let key): key.der
        }
    }
}
