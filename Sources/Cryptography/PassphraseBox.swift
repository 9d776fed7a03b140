import CSodium
import Primitives

/// How hard a passphrase is to try: argon2id's passes and memory (RFC 9106).
package struct PassphraseCost: Sendable, Hashable {
    /// Passes over the memory.
    package let passes: Int64
    /// Bytes of memory.
    package let memoryBytes: Int64

    /// What a key file may ask of the reader: at most 16 passes over 1 GiB, so that a hostile file
    /// cannot exhaust a machine, and no less than libsodium takes.
    package static let passesAllowed: ClosedRange<Int64> = 1...16
    package static let memoryAllowed: ClosedRange<Int64> = 8_192...1_073_741_824

    /// libsodium's "moderate" cost: 3 passes over 256 MiB, about a second.
    package static let standard = PassphraseCost(unchecked: 3, 268_435_456)
    /// The least that is allowed; for tests, and for nothing else.
    package static let least = PassphraseCost(unchecked: 1, 8_192)

    /// Nil outside of what is allowed.
    package init?(passes: Int64, memoryBytes: Int64) {
        guard Self.passesAllowed.contains(passes), Self.memoryAllowed.contains(memoryBytes) else {
            return nil
        }
        self.init(unchecked: passes, memoryBytes)
    }

    private init(unchecked passes: Int64, _ memoryBytes: Int64) {
        self.passes = passes
        self.memoryBytes = memoryBytes
    }
}

/// A secret closed with a passphrase: argon2id makes the key, XSalsa20-Poly1305 (`secretbox`) closes it.
struct PassphraseBox: Sendable, Hashable {
    static let saltByteCount = Int(crypto_pwhash_argon2id_SALTBYTES)
    static let nonceByteCount = Int(crypto_secretbox_NONCEBYTES)
    static let overhead = Int(crypto_secretbox_MACBYTES)

    let cost: PassphraseCost
    let salt: [UInt8]
    let nonce: [UInt8]
    let box: [UInt8]

    init(cost: PassphraseCost, salt: [UInt8], nonce: [UInt8], box: [UInt8]) {
        self.cost = cost
        self.salt = salt
        self.nonce = nonce
        self.box = box
    }

    /// Closes `secret`, with a fresh salt and nonce.
    init(
        closing secret: [UInt8], passphrase: [UInt8], cost: PassphraseCost,
        using random: inout some RandomNumberGenerator
    ) throws(KeyFileError) {
        salt = random.bytes(Self.saltByteCount)
        nonce = random.bytes(Self.nonceByteCount)
        self.cost = cost
        var key = try Self.key(from: passphrase, salt: salt, cost: cost)
        defer { unsafe sodium_memzero(&key, key.count) }
        var box = [UInt8](repeating: 0, count: secret.count + Self.overhead)
        _ = unsafe crypto_secretbox_easy(&box, secret, UInt64(secret.count), nonce, key)
        self.box = box
    }

    /// The secret, or nil where the passphrase is another or the box was changed: the two look alike.
    func open(passphrase: [UInt8]) throws(KeyFileError) -> [UInt8]? {
        var key = try Self.key(from: passphrase, salt: salt, cost: cost)
        defer { unsafe sodium_memzero(&key, key.count) }
        var secret = [UInt8](repeating: 0, count: box.count - Self.overhead)
        let result = unsafe crypto_secretbox_open_easy(
            &secret, box, UInt64(box.count), nonce, key)
        return result == 0 ? secret : nil
    }

    private static func key(
        from passphrase: [UInt8], salt: [UInt8], cost: PassphraseCost
    ) throws(KeyFileError) -> [UInt8] {
        Sodium.start()
        var key = [UInt8](repeating: 0, count: Int(crypto_secretbox_KEYBYTES))
        let text = passphrase.map { CChar(bitPattern: $0) }
        let result = unsafe crypto_pwhash(
            &key, UInt64(key.count), text, UInt64(text.count), salt, UInt64(cost.passes),
            Int(cost.memoryBytes), crypto_pwhash_ALG_ARGON2ID13)
        guard result == 0 else { throw .noMemory(bytes: cost.memoryBytes) }
        return key
    }
}
