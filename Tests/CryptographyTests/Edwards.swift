import CSodium
import Cryptography

/// Arithmetic on edwards25519, by libsodium, to forge what a lax verifier would take.
enum Edwards {
    /// The order L of the base point, little-endian.
    static let order: [UInt8] = [
        0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ]

    static let orderEight = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"

    /// The eight points of small order, and their spellings that are not canonical.
    static let smallOrder = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        orderEight,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ]

    /// A 64-byte number modulo L.
    static func reduced(_ number: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        unsafe crypto_core_ed25519_scalar_reduce(&result, number)
        return result
    }

    /// The private scalar of a seed, modulo L (RFC 8032 section 5.1.5).
    static func scalar(of seed: [UInt8]) -> [UInt8] {
        var bytes = Array(SHA512.digest(of: seed).prefix(32))
        bytes[0] &= 0xF8
        bytes[31] = bytes[31] & 0x7F | 0x40
        return reduced(bytes + [UInt8](repeating: 0, count: 32))
    }

    /// A scalar times the base point.
    static func multiplied(_ scalar: [UInt8]) -> [UInt8] {
        var point = [UInt8](repeating: 0, count: 32)
        _ = unsafe crypto_scalarmult_ed25519_base_noclamp(&point, scalar)
        return point
    }

    static func product(_ one: [UInt8], _ other: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        unsafe crypto_core_ed25519_scalar_mul(&result, one, other)
        return result
    }

    static func total(_ one: [UInt8], _ other: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        unsafe crypto_core_ed25519_scalar_add(&result, one, other)
        return result
    }

    /// The sum of two points.
    static func sum(_ one: [UInt8], _ other: [UInt8]) -> [UInt8] {
        var point = [UInt8](repeating: 0, count: 32)
        _ = unsafe crypto_core_ed25519_add(&point, one, other)
        return point
    }
}
