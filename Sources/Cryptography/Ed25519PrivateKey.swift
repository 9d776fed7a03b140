import CSodium

/// An Ed25519 private key (RFC 8032), from its 32-byte seed.
///
/// The key lies in memory of its own (`sodium_malloc`: guard pages, not swapped where the system
/// allows that, read-only once made) that is zeroed when the last reference goes. The seed that the
/// caller passed in is an ordinary array, and stays the caller's to forget.
@safe package final class Ed25519PrivateKey: @unchecked Sendable {
    // Unchecked, and safe: the memory behind `secret` is written in `init` only, then read-only.
    package static let seedByteCount = 32

    package let publicKey: Ed25519PublicKey
    private let secret: UnsafeMutablePointer<UInt8>

    /// Nil unless there are exactly 32 bytes.
    package convenience init?(seed: [UInt8]) {
        guard seed.count == Self.seedByteCount else { return nil }
        self.init(exactly: seed)
    }

    /// A new key from 32 random bytes of `random`.
    package convenience init(using random: inout some RandomNumberGenerator) {
        var seed = random.bytes(Self.seedByteCount)
        defer { unsafe sodium_memzero(&seed, seed.count) }
        self.init(exactly: seed)
    }

    private init(exactly seed: [UInt8]) {
        precondition(seed.count == Self.seedByteCount)
        Sodium.start()
        let size = Int(crypto_sign_SECRETKEYBYTES)
        guard let memory = unsafe sodium_malloc(size) else {
            preconditionFailure("no memory for a private key")
        }
        let secret = unsafe memory.bindMemory(to: UInt8.self, capacity: size)
        var bytes = [UInt8](repeating: 0, count: Ed25519PublicKey.byteCount)
        _ = unsafe crypto_sign_seed_keypair(&bytes, secret, seed)
        _ = unsafe sodium_mprotect_readonly(memory)
        guard let publicKey = Ed25519PublicKey(bytes) else {
            preconditionFailure("libsodium made a public key of another length")
        }
        self.publicKey = publicKey
        unsafe self.secret = secret
    }

    deinit {
        unsafe sodium_free(secret)
    }

    /// The signature of `message`, 64 bytes; deterministic (RFC 8032 section 5.1.6).
    package func sign(_ message: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: Int(crypto_sign_BYTES))
        _ = unsafe crypto_sign_detached(&signature, nil, message, UInt64(message.count), secret)
        return signature
    }

    /// The seed, for writing a key file and nothing else.
    var seed: [UInt8] {
        unsafe Array(UnsafeBufferPointer(start: secret, count: Self.seedByteCount))
    }
}
