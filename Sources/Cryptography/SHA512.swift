import CLibcrypto

/// SHA-512 (FIPS 180-4) over bytes that come in pieces, for repositories that list it beside SHA-256.
@safe package struct SHA512: ~Copyable {
    package static let byteCount = 64

    private let context: OpaquePointer

    package init() {
        guard let context = unsafe EVP_MD_CTX_new(),
            unsafe EVP_DigestInit_ex(context, EVP_sha512(), nil) == 1
        else { preconditionFailure("libcrypto offers no SHA-512 or no memory for it") }
        unsafe self.context = context
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
    }

    /// Takes the next bytes of the message.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        let done = unsafe EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(done == 1, "libcrypto failed in EVP_DigestUpdate")
    }

    /// The digest of all bytes taken, `byteCount` of them; the value is used up.
    package consuming func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Self.byteCount)
        let done = unsafe EVP_DigestFinal_ex(context, &digest, nil)
        precondition(done == 1, "libcrypto failed in EVP_DigestFinal_ex")
        return digest
    }

    /// The digest of one whole message.
    package static func digest(of bytes: [UInt8]) -> [UInt8] {
        var hash = SHA512()
        unsafe bytes.withUnsafeBytes { unsafe hash.update($0) }
        return hash.finish()
    }
}
