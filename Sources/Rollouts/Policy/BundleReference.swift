package import Primitives

/// Names one bundle: its version, with the SHA-256 and the length in bytes of its manifest.
package struct BundleReference: Sendable, Hashable, CustomStringConvertible {
    /// The longest manifest that may be named, in bytes.
    package static let longest: Int64 = 8 << 20

    package let version: SemanticVersion
    package let sha256: SHA256Digest
    package let length: Int64

    package init(version: SemanticVersion, sha256: SHA256Digest, length: Int64) {
        self.version = version
        self.sha256 = sha256
        self.length = length
    }

    package init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        version = try fields.version("version")
        sha256 = try fields.digest("sha256")
        length = try fields.integer("length", in: 1...Self.longest)
        try fields.refuseUnknown()
    }

    package var json: JSON {
        [
            "version": .string(version.description), "sha256": .string(sha256.hex),
            "length": .integer(length),
        ]
    }

    package var description: String { "\(version) (\(sha256.hex.prefix(12)))" }
}
