package import Primitives

/// Snapshot metadata: the versions of `targets` and of all delegated roles (TUF 1.0.34 section 4.4).
package struct Snapshot: RoleMetadata {
    package static let type = "snapshot"

    package var version: MetadataVersion
    package var expires: UTCTime
    /// By role; the wire has file names, `<role>.json`.
    package var meta: [RoleName: MetaFile]
    private let additional: JSONObject

    package init(
        version: MetadataVersion = .first, expires: UTCTime, meta: [RoleName: MetaFile]
    ) {
        self.version = version
        self.expires = expires
        self.meta = meta
        additional = [:]
    }

    package init(header: MetadataHeader, reading fields: inout Fields) throws(FieldError) {
        version = header.version
        expires = header.expires
        meta = [:]
        for (name, json, path) in try fields.map("meta", limit: Limits.roles) {
            guard name.utf8.suffix(5).elementsEqual(".json".utf8),
                let role = RoleName(String(decoding: name.utf8.dropLast(5), as: UTF8.self))
            else {
                throw FieldError(
                    path: path, expected: "'<role>.json', \(RoleName.expected)",
                    found: "'\(name)'")
            }
            meta[role] = try MetaFile(reading: json, at: path)
        }
        guard meta[.targets] != nil else {
            throw FieldError(
                path: fields.path(of: "meta"), expected: "'targets.json'", found: "nothing")
        }
        additional = fields.unread
    }

    package var signed: JSON {
        let files = meta.map { ("\($0.key).json", $0.value.json) }
        return signed(
            ["meta": .object(JSONObject(files))], additional: additional)
    }
}
