package import Primitives

/// The name of a key in TUF metadata: opaque in foreign repositories, derived in ours.
///
/// Equal only when the bytes are equal, at most 256 of them.
package struct KeyID: Sendable, ExactText {
    package static let expected = "a key id: 1 to 256 bytes"

    package let description: String

    package init?(_ text: String) {
        guard (1...256).contains(text.utf8.count) else { return nil }
        description = text
    }

    /// SHA-256 of the canonical JSON of the key object, in hexadecimal (TUF 1.0.34 section 4.2).
    package init(of key: Ed25519PublicKey) {
        description = SHA256.digest(of: key.tufObject.canonicalBytes).hex
    }
}

extension Ed25519PublicKey {
    /// The key as metadata carries it (TUF 1.0.34 section 4.2):
    /// `{"keytype":"ed25519","keyval":{"public":"<hex>"},"scheme":"ed25519"}`.
    package var tufObject: JSON {
        ["keytype": "ed25519", "scheme": "ed25519", "keyval": ["public": .string(hex)]]
    }

    /// The key id of this key in our repositories.
    package var keyID: KeyID { KeyID(of: self) }
}
