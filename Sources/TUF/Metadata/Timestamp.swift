package import Primitives

/// Timestamp metadata: which snapshot is the newest (TUF 1.0.34 section 4.6).
package struct Timestamp: RoleMetadata {
    package static let type = "timestamp"
    static let snapshotFile = "snapshot.json"

    package var version: MetadataVersion
    package var expires: UTCTime
    package var snapshot: MetaFile
    /// When it was signed, by the signer's clock; nil in foreign repositories.
    ///
    /// Our own field: devices judge freshness by it, because `expires` tells only how long the signer
    /// thought it good for.
    package var signedAt: UTCTime?
    private let additional: JSONObject

    package init(
        version: MetadataVersion = .first, expires: UTCTime, signedAt: UTCTime?, snapshot: MetaFile
    ) {
        self.version = version
        self.expires = expires
        self.signedAt = signedAt
        self.snapshot = snapshot
        additional = [:]
    }

    package init(header: MetadataHeader, reading fields: inout Fields) throws(FieldError) {
        version = header.version
        expires = header.expires
        signedAt = try fields.optionalParse(
            "x-fieldfare-signed-at", "a time such as 2030-01-31T00:00:00Z"
        ) { UTCTime(iso8601: $0) }
        var meta = try fields.fields("meta")
        let path = meta.path(of: Self.snapshotFile)
        snapshot = try MetaFile(
            reading: meta.value(Self.snapshotFile, "what snapshot is"), at: path)
        guard meta.unread.isEmpty else {
            throw FieldError(path: meta.path, expected: "'snapshot.json' only", found: "more")
        }
        additional = fields.unread
    }

    package var signed: JSON {
        var own: JSONObject = ["meta": .object([Self.snapshotFile: snapshot.json])]
        if let signedAt { own["x-fieldfare-signed-at"] = .string(signedAt.description) }
        return signed(own, additional: additional)
    }
}
