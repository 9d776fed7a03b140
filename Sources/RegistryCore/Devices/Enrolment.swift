package import Cryptography
package import Primitives

/// What a device sends to become known: `fieldfare.enrolment/1`, signed with its own key.
///
/// ```json
/// {"agent":"1.0.0","attributes":{…},"public_key":"…","schema":"fieldfare.enrolment/1","signature":"…","token":"fe_…"}
/// ```
/// The signature is over the canonical bytes of the object without `signature`, so a body that somebody
/// caught on its way cannot be used for another key.
package struct Enrolment: Sendable, Hashable {
    package static let schema = "fieldfare.enrolment/1"
    package static let byteLimit = 16_384

    package let publicKey: Ed25519PublicKey
    package let token: BearerText
    package let attributes: DeviceAttributes
    package let agent: SemanticVersion
    let message: [UInt8]
    let signature: [UInt8]

    /// Reads a request; the signature is checked by `Devices.enrol`.
    package init(_ json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        _ = try fields.parse("schema", "'\(Self.schema)'") { $0 == Self.schema ? $0 : nil }
        publicKey = try fields.parse(
            "public_key", Ed25519PublicKey.expected, Ed25519PublicKey.init(hex:))
        token = try fields.parse("token", "an enrolment token, 'fe_' and 43 characters") {
            BearerText(.enrolment, $0)
        }
        var inner = try fields.fields("attributes")
        attributes = try DeviceAttributes(reading: &inner)
        try inner.refuseUnknown()
        agent = try fields.parse("agent", SemanticVersion.expected, SemanticVersion.init)
        signature = try fields.parse("signature", "128 hexadecimal digits") { text in
            Hex.decode(text).flatMap { $0.count == 64 ? $0 : nil }
        }
        try fields.refuseUnknown()
        var unsigned = json.object ?? [:]
        unsigned["signature"] = nil
        message = JSON.object(unsigned).canonicalBytes
    }

    /// Whether the device's own key has signed the request.
    var isSigned: Bool { publicKey.isStrong && publicKey.isValid(signature, for: message) }
}
