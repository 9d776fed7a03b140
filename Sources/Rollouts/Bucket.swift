import Cryptography
package import Primitives

/// A device's place in one release, 0 to 9,999: stages take the lowest, the hold-back the highest.
///
/// The first 8 bytes, big-endian, of SHA-256(manifest digest of the candidate, one zero byte, device
/// id), modulo 10,000; digest and id as their raw 32 and 16 bytes (ADR 0007). The candidate's digest
/// makes other devices the first ones in each release, and nobody can choose it.
package struct Bucket: Sendable, Hashable, Comparable, CustomStringConvertible {
    package static let count = 10_000

    package let value: Int

    /// Nil unless 0 to 9,999.
    package init?(_ value: Int) {
        guard (0..<Self.count).contains(value) else { return nil }
        self.value = value
    }

    package init(of device: DeviceID, candidate manifest: SHA256Digest) {
        let digest = SHA256.digest(of: manifest.bytes + [0] + device.bytes)
        let number = digest.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        value = Int(number % UInt64(Self.count))
    }

    /// Whether this is one of the lowest `share`.
    package func isBelow(_ share: BasisPoints) -> Bool { value < share.value }

    /// Whether this is one of the highest `share`.
    package func isAmongHighest(_ share: BasisPoints) -> Bool {
        value >= Self.count - share.value
    }

    package var description: String { "\(value)" }

    package static func < (left: Bucket, right: Bucket) -> Bool { left.value < right.value }
}
