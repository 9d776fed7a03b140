/// A name that can stand in a path, a URL and a role name: `[a-z0-9][a-z0-9-]{0,62}`.
private func isName(_ text: String, also extra: Set<UInt8> = []) -> Bool {
    let bytes = Array(text.utf8)
    guard (1...63).contains(bytes.count) else { return false }
    return bytes.enumerated().allSatisfy { index, byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"): index > 0
        default: index > 0 && extra.contains(byte)
        }
    }
}

/// The name of a model, such as `commands-en`; never that of a top-level TUF role.
package struct ModelName: Sendable, Hashable, Comparable, CustomStringConvertible {
    package static let expected =
        "a model name: a-z, 0-9 and '-', at most 63 characters, not that of a TUF role"

    package let description: String

    package init?(_ text: String) {
        guard isName(text), !["root", "targets", "snapshot", "timestamp"].contains(text) else {
            return nil
        }
        description = text
    }

    package static func < (left: ModelName, right: ModelName) -> Bool {
        left.description < right.description
    }
}

/// The name of a channel, a line that a device subscribes to; the default is `main`.
package struct ChannelName: Sendable, Hashable, Comparable, CustomStringConvertible {
    package static let expected = "a channel name: a-z, 0-9 and '-', at most 63 characters"
    package static let main = ChannelName(unchecked: "main")

    package let description: String

    package init?(_ text: String) {
        guard isName(text) else { return nil }
        description = text
    }

    private init(unchecked text: String) { description = text }

    package static func < (left: ChannelName, right: ChannelName) -> Bool {
        left.description < right.description
    }
}

/// A region, device class, label, locale or microphone class, as the device's owner configures it.
///
/// A letter or digit, then also `.`, `_` and `-`; letters of either case, because locales are `en-GB`.
package struct AttributeName: Sendable, Hashable, Comparable, CustomStringConvertible {
    package static let expected =
        "a name: letters, digits, '.', '_' and '-', at most 63 characters"

    package let description: String

    package init?(_ text: String) {
        let extra: Set<UInt8> = [UInt8(ascii: "."), UInt8(ascii: "_")]
        guard text.utf8.allSatisfy({ $0 < 0x80 }), isName(text.lowercased(), also: extra) else {
            return nil
        }
        description = text
    }

    package static func < (left: AttributeName, right: AttributeName) -> Bool {
        left.description < right.description
    }
}

/// The devices that share a region and a device class.
package struct Cohort: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let region: AttributeName
    package let deviceClass: AttributeName

    package init(region: AttributeName, deviceClass: AttributeName) {
        self.region = region
        self.deviceClass = deviceClass
    }

    /// Reads `region/class`.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let region = AttributeName(String(parts[0])),
            let deviceClass = AttributeName(String(parts[1]))
        else { return nil }
        self.init(region: region, deviceClass: deviceClass)
    }

    package var description: String { "\(region)/\(deviceClass)" }

    package static func < (left: Cohort, right: Cohort) -> Bool {
        (left.region, left.deviceClass) < (right.region, right.deviceClass)
    }
}

/// The first 16 bytes of SHA-256 of a device's public key, in hexadecimal: its pseudonym everywhere.
package struct DeviceID: Sendable, Hashable, Comparable, CustomStringConvertible {
    package static let expected = "a device id: 32 lower-case hexadecimal digits"

    package let bytes: [UInt8]

    /// Nil unless there are exactly 16 bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    package init?(_ text: String) {
        guard let bytes = Hex.decode(text) else { return nil }
        self.init(bytes: bytes)
    }

    /// From the SHA-256 of the raw 32-byte Ed25519 public key.
    package init(publicKeyDigest digest: SHA256Digest) {
        bytes = Array(digest.bytes.prefix(16))
    }

    package var description: String { Hex.encode(bytes) }

    package static func < (left: DeviceID, right: DeviceID) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
