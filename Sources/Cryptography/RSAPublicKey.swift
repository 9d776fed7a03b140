/// An RSA public key of 2048 to 16384 bits (RFC 8017), out of PEM.
package struct RSAPublicKey: Sendable, Hashable {
    /// TUF 1.0.34 section 4.2 asks for 2048 bits; the other end keeps a verification under some milliseconds.
    package static let bitsAllowed = 2_048...16_384

    /// The SubjectPublicKeyInfo (RFC 3279) as libcrypto writes it: equal for any spelling of the same key.
    package let der: [UInt8]

    /// Nil unless the text is PEM of such a key, with an odd exponent of 3 or more.
    package init?(pem: String) {
        guard let read = PEM.publicKey(pem), let key = EVPKey(read), key.isRSA,
            Self.bitsAllowed.contains(key.bits), key.hasSoundExponent, let der = key.der
        else { return nil }
        self.der = der
    }

    /// Whether `signature` is this key's RSASSA-PSS signature of `message`, both hashes SHA-256.
    ///
    /// The salt may have any length, as in securesystemslib: it is read from the signature.
    package func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        guard let key = EVPKey(der) else { return false }
        return key.verifies(signature, of: message, by: .rsassaPSS)
    }
}
