/// An ECDSA public key on the curve P-256 (FIPS 186-4), out of PEM.
package struct P256PublicKey: Sendable, Hashable {
    /// The SubjectPublicKeyInfo (RFC 5480), in its one spelling: named curve, uncompressed point.
    package let der: [UInt8]

    /// SEQUENCE, id-ecPublicKey, prime256v1, and the start of a BIT STRING with an uncompressed point.
    private static let prefix: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08,
        0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ]

    /// Nil unless the text is PEM of a point on the curve.
    ///
    /// A compressed point is refused: it would be a second spelling of the same key.
    package init?(pem: String) {
        guard let der = PEM.publicKey(pem), der.count == Self.prefix.count + 64,
            der.starts(with: Self.prefix), EVPKey.isReadable(der)
        else { return nil }
        self.der = der
    }

    /// Whether `signature`, in DER, is this key's ECDSA signature of SHA-256 of `message`.
    package func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        guard let key = EVPKey(der) else { return false }
        return key.verifies(signature, of: message, by: .ecdsa)
    }
}
