package import Cryptography
package import Primitives

/// What the registry knows of a device, without its reports.
package struct DeviceRecord: Sendable, Hashable {
    package let id: DeviceID
    package let publicKey: Ed25519PublicKey
    package let enrolled: UTCTime
    package var attributes: DeviceAttributes
    /// When these attributes arrived: their age is told wherever they are used.
    package var attributesReceived: UTCTime
    package var agent: SemanticVersion

    package init(
        publicKey: Ed25519PublicKey, enrolled: UTCTime, attributes: DeviceAttributes,
        attributesReceived: UTCTime, agent: SemanticVersion
    ) {
        id = DeviceID(of: publicKey)
        self.publicKey = publicKey
        self.enrolled = enrolled
        self.attributes = attributes
        self.attributesReceived = attributesReceived
        self.agent = agent
    }

    package var rank: Int64 { Self.rank(of: id) }

    /// The device's place among all, by which samples are drawn: independent of buckets and of outcomes.
    package static func rank(of device: DeviceID) -> Int64 {
        let digest = SHA256.digest(of: Array("fieldfare.sample".utf8) + [0] + device.bytes)
        return digest.bytes.prefix(7).reduce(0) { $0 << 8 | Int64($1) }
    }
}

extension DeviceID {
    /// The first 16 bytes of SHA-256 of the public key.
    package init(of key: Ed25519PublicKey) {
        self.init(publicKeyDigest: SHA256.digest(of: key.bytes))
    }
}
