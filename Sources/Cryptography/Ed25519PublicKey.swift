import CSodium
import Primitives

/// An Ed25519 public key (RFC 8032), 32 bytes.
///
/// Any 32 bytes make a value, because a file that lists a broken key beside good ones still has to be
/// read; whether the bytes are a key shows when a signature is verified, and no signature of a broken
/// key is valid.
package struct Ed25519PublicKey: Sendable, Hashable, CustomStringConvertible {
    package static let byteCount = 32
    package static let expected = "an Ed25519 public key: 64 lower-case hexadecimal digits"

    package let bytes: [UInt8]

    /// Nil unless there are exactly 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// Nil unless the text is exactly 64 lower-case hexadecimal digits.
    package init?(hex: String) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    package var hex: String { Hex.encode(bytes) }
    package var description: String { hex }

    /// Whether the bytes are a point of the prime-order group, in their one spelling.
    ///
    /// By libsodium's `crypto_core_ed25519_is_valid_point` (1.0.18 or newer, see `Sodium`): on the
    /// curve, canonical, not of small order, and without a component of small order. The last matters
    /// for thresholds: one private key has eight public keys that differ by such a component, and for
    /// each of them its owner can find signatures that cofactorless verification accepts.
    package var isStrong: Bool {
        Sodium.start()
        return unsafe crypto_core_ed25519_is_valid_point(bytes) == 1
    }

    /// Whether `signature` is this key's signature of `message` (RFC 8032 section 5.1.7), strictly.
    ///
    /// libsodium 1.0.18's `crypto_sign_verify_detached` refuses an S that is not below the group's
    /// order (section 5.1.7 step 1), a small-order or non-canonical public key, a small-order R, and
    /// compares R byte for byte without the cofactor, so that a non-canonical R fails too. `isStrong`
    /// adds the check of the group. False, never an error, for a signature that is not 64 bytes.
    package func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        guard signature.count == Int(crypto_sign_BYTES), isStrong else { return false }
        return unsafe crypto_sign_verify_detached(signature, message, UInt64(message.count), bytes)
            == 0
    }
}
