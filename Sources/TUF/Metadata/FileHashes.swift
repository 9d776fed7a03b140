import Cryptography
package import Primitives

/// The digests that metadata lists for a file: SHA-256, SHA-512 or both; other kinds are kept, and not looked at.
package struct FileHashes: Sendable, Hashable {
    package let sha256: SHA256Digest?
    package let sha512: [UInt8]?
    private let additional: JSONObject

    package init(sha256: SHA256Digest) { self.init(sha256, nil) }

    package init(_ sha256: SHA256Digest, _ sha512: [UInt8]?) {
        self.sha256 = sha256
        self.sha512 = sha512
        additional = [:]
    }

    package init(of bytes: [UInt8]) { self.init(sha256: SHA256.digest(of: bytes)) }

    /// Reads `{"sha256": hex, …}`, which must have one digest that we know.
    init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        sha256 = try fields.optionalParse("sha256", "64 lower-case hexadecimal digits") {
            SHA256Digest(hex: $0)
        }
        sha512 = try fields.optionalParse("sha512", "128 lower-case hexadecimal digits") { text in
            Hex.decode(text).flatMap { $0.count == SHA512.byteCount ? $0 : nil }
        }
        guard sha256 != nil || sha512 != nil else {
            throw FieldError(path: path, expected: "a sha256 or sha512 digest", found: "none")
        }
        additional = fields.unread
    }

    /// Whether every digest that we know is that of `bytes`.
    package func match(_ bytes: [UInt8]) -> Bool {
        if let sha256, SHA256.digest(of: bytes) != sha256 { return false }
        if let sha512, SHA512.digest(of: bytes) != sha512 { return false }
        return true
    }

    var json: JSON {
        var fields = additional
        if let sha256 { fields["sha256"] = .string(sha256.hex) }
        if let sha512 { fields["sha512"] = .string(Hex.encode(sha512)) }
        return .object(fields)
    }
}
