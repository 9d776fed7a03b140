package import Primitives

/// SHA-256 (FIPS 180-4) over bytes that come in pieces.
///
/// One value hashes one message; it moves and is not copied.
package struct SHA256: ~Copyable {
    private var evp = EVPDigest(.sha256)

    package init() {}

    /// Takes the next bytes of the message.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe evp.update(bytes)
    }

    /// Takes the next bytes of the message.
    package mutating func update(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe update($0) }
    }

    /// Takes the next bytes of the message.
    package mutating func update(_ bytes: ArraySlice<UInt8>) {
        unsafe bytes.withUnsafeBytes { unsafe update($0) }
    }

    /// The digest of all bytes taken; the value is used up.
    package consuming func finish() -> SHA256Digest {
        guard let digest = SHA256Digest(evp.finish()) else {
            preconditionFailure("libcrypto's SHA-256 is not of \(SHA256Digest.byteCount) bytes")
        }
        return digest
    }

    /// The digest of one whole message.
    package static func digest(of bytes: [UInt8]) -> SHA256Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }

    /// The digest of one whole message.
    package static func digest(of bytes: UnsafeRawBufferPointer) -> SHA256Digest {
        var hash = SHA256()
        unsafe hash.update(bytes)
        return hash.finish()
    }
}
