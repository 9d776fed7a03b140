package import Cryptography
import Primitives

/// One signature of a metadata file: who, and the bytes.
package struct Signature: Sendable, Hashable {
    package let keyID: KeyID
    /// 64 bytes for Ed25519, DER for ECDSA; none where the file's text was not hexadecimal, which is never valid.
    package let bytes: [UInt8]
    private let additional: JSONObject

    package init(keyID: KeyID, bytes: [UInt8]) {
        self.keyID = keyID
        self.bytes = bytes
        additional = [:]
    }

    init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        keyID = try fields.parse("keyid", KeyID.expected, KeyID.init)
        bytes = Hex.decode(try fields.string("sig", limit: 16_384)) ?? []
        additional = fields.unread
    }

    var json: JSON {
        var fields = additional
        fields["keyid"] = .string(keyID.description)
        fields["sig"] = .string(Hex.encode(bytes))
        return .object(fields)
    }
}
