package import Primitives

/// A key that signs, wherever it lies: in memory from a file, or in a chip that never gives it away.
///
/// For several threads at once.
package protocol DeviceSigning: Sendable {
    var publicKey: Ed25519PublicKey { get }

    /// The Ed25519 signature of `message` (RFC 8032 section 5.1.6), 64 bytes.
    ///
    /// - Throws: where whatever holds the key does not sign now; the same call may succeed later.
    func signature(of message: [UInt8]) throws(SigningError) -> [UInt8]
}

extension DeviceSigning {
    /// The id of the device whose key this is: the first 16 bytes of SHA-256 of the public key.
    package var deviceID: DeviceID {
        DeviceID(publicKeyDigest: SHA256.digest(of: publicKey.bytes))
    }
}

/// Why a key could not be used: the key store's own words.
package struct SigningError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

extension Ed25519PrivateKey: DeviceSigning {
    package func signature(of message: [UInt8]) -> [UInt8] { sign(message) }
}
