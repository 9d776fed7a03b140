package import Cryptography
package import Primitives

/// A key object of metadata (TUF 1.0.34 section 4.2), kept as it came.
///
/// Keys of kinds that we do not know are kept, so that the file can be read, and never counted.
package struct Key: Sendable, Hashable {
    /// The object as it stands in the metadata, other fields included.
    package let json: JSON
    /// What its signatures are verified with, or nil where the key is of an unknown kind or broken.
    package let publicKey: PublicKey?

    package init(_ key: Ed25519PublicKey) {
        json = key.tufObject
        publicKey = .ed25519(key)
    }

    init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        let kind = try fields.string("keytype", limit: 64)
        let scheme = try fields.string("scheme", limit: 64)
        var value = try fields.fields("keyval")
        self.json = json
        switch (kind, scheme) {
        case ("ed25519", "ed25519"):
            publicKey = Ed25519PublicKey(hex: try value.string("public")).map { .ed25519($0) }
        case ("ecdsa", "ecdsa-sha2-nistp256"), ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"):
            let pem = try value.string("public", limit: Limits.pem)
            publicKey = P256PublicKey(pem: pem).map { .p256($0) }
        case ("rsa", "rsassa-pss-sha256"):
            let pem = try value.string("public", limit: Limits.pem)
            publicKey = RSAPublicKey(pem: pem).map { .rsa($0) }
        default: publicKey = nil
        }
    }
}
