package import Cryptography
package import Primitives

/// A key object of metadata (TUF 1.0.34 section 4.2), kept as it came.
///
/// Keys of kinds that we do not know are kept, so that the file can be read, and never counted.
package struct Key: Sendable, Hashable {
    /// The object as it stands in the metadata, other fields included.
    package let json: JSON
    /// The Ed25519 key, or nil where the key is of another kind.
    package let ed25519: Ed25519PublicKey?

    package init(_ key: Ed25519PublicKey) {
        json = key.tufObject
        ed25519 = key
    }

    init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        let kind = try fields.string("keytype", limit: 64)
        let scheme = try fields.string("scheme", limit: 64)
        var value = try fields.fields("keyval")
        let isEd25519 = kind == "ed25519" && scheme == "ed25519"
        self.json = json
        ed25519 = isEd25519 ? Ed25519PublicKey(hex: try value.string("public")) : nil
    }
}
