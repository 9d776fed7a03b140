import Cryptography
import Primitives

/// What timestamp or snapshot says about another metadata file: its version, and perhaps more.
package struct MetaFile: Sendable, Hashable {
    package let version: MetadataVersion
    /// Bytes, where it is given.
    package let length: Int?
    package let hashes: FileHashes?
    let additional: JSONObject

    package init(version: MetadataVersion, length: Int? = nil, hashes: FileHashes? = nil) {
        self.version = version
        self.length = length
        self.hashes = hashes
        additional = [:]
    }

    /// Describes a file by version, length and SHA-256.
    package init(version: MetadataVersion, bytes: [UInt8]) {
        self.init(version: version, length: bytes.count, hashes: FileHashes(of: bytes))
    }

    init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        version = try fields.metadataVersion("version")
        length = try fields.optionalInteger("length", in: 1...Int64(Int32.max)).map { Int($0) }
        hashes = try fields.optional("hashes").map { json throws(FieldError) in
            try FileHashes(reading: json, at: fields.path(of: "hashes"))
        }
        additional = fields.unread
    }

    /// Refuses bytes whose length or digest is not the one listed.
    func check(_ bytes: [UInt8], of role: RoleName) throws(TUFError) {
        if let length, bytes.count != length {
            throw .wrongLength(role, expected: length, found: bytes.count)
        }
        if let hashes, !hashes.match(bytes) {
            throw .wrongDigest(role, expected: hashes, found: SHA256.digest(of: bytes))
        }
    }

    var json: JSON {
        var fields = additional
        fields["version"] = .integer(version.number)
        if let length { fields["length"] = .integer(Int64(length)) }
        if let hashes { fields["hashes"] = hashes.json }
        return .object(fields)
    }
}
