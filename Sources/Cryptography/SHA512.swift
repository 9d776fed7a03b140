/// SHA-512 (FIPS 180-4) over bytes that come in pieces, for repositories that list it beside SHA-256.
package struct SHA512: ~Copyable {
    package static let byteCount = 64

    private var evp = EVPDigest(.sha512)

    package init() {}

    /// Takes the next bytes of the message.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe evp.update(bytes)
    }

    /// The digest of all bytes taken, `byteCount` of them; the value is used up.
    package consuming func finish() -> [UInt8] {
        evp.finish()
    }

    /// The digest of one whole message.
    package static func digest(of bytes: [UInt8]) -> [UInt8] {
        var hash = SHA512()
        unsafe bytes.withUnsafeBytes { unsafe hash.update($0) }
        return hash.finish()
    }
}
