package import Primitives

/// Targets metadata, of the top-level role or a delegated one: files and delegations
/// (TUF 1.0.34 section 4.5).
package struct Targets: RoleMetadata {
    package static let type = "targets"

    package var version: MetadataVersion
    package var expires: UTCTime
    package var targets: [TargetPath: TargetDescription]
    package var delegations: Delegations?
    /// The role that this is the metadata of; nil in foreign repositories.
    ///
    /// Our own field: TUF names no role in a role's file, so that one could stand in the place of another of the same
    /// keys and version.
    package var role: RoleName?
    /// Entries whose path is no `TargetPath`: kept and written again, never found in a search.
    private let unusable: JSONObject
    private let additional: JSONObject

    package init(
        version: MetadataVersion = .first, expires: UTCTime,
        targets: [TargetPath: TargetDescription] = [:], delegations: Delegations? = nil,
        of role: RoleName? = nil
    ) {
        self.version = version
        self.expires = expires
        self.targets = targets
        self.delegations = delegations
        self.role = role
        unusable = [:]
        additional = [:]
    }

    package init(header: MetadataHeader, reading fields: inout Fields) throws(FieldError) {
        version = header.version
        expires = header.expires
        targets = [:]
        var unusable: JSONObject = [:]
        for (name, json, path) in try fields.map("targets", limit: Limits.targetsPerRole) {
            if let target = TargetPath(name) {
                targets[target] = try TargetDescription(reading: json, at: path)
            } else {
                unusable[name] = json
            }
        }
        self.unusable = unusable
        delegations = nil
        if var own = try fields.optionalFields("delegations") {
            delegations = try Delegations(reading: &own)
        }
        role = try fields.optionalParse("x-fieldfare-role", RoleName.expected, RoleName.init)
        additional = fields.unread
    }

    package var signed: JSON {
        var files = unusable
        for (path, target) in targets { files[path.description] = target.json }
        var own: JSONObject = ["targets": .object(files)]
        if let delegations { own["delegations"] = delegations.json }
        if let role { own["x-fieldfare-role"] = .string(role.description) }
        return signed(own, additional: additional)
    }

    /// Paths that could leave a folder, or are too long: legal in TUF, and no target of ours.
    package var unusablePaths: [String] { unusable.keys.sorted() }

    /// The targets that a delegation does not trust this role with, in order.
    package func targets(outside delegation: DelegatedRole) -> [TargetPath] {
        targets.keys.filter { !delegation.covers($0) }.sorted()
    }
}

/// What targets metadata says of one file.
package struct TargetDescription: Sendable, Hashable {
    /// Bytes.
    package let length: Int64
    package let hashes: FileHashes
    package let custom: JSON?
    private let additional: JSONObject

    package init(
        length: Int64, sha256: SHA256Digest, sha512: [UInt8]? = nil, custom: JSON? = nil
    ) {
        self.length = length
        hashes = FileHashes(sha256, sha512)
        self.custom = custom
        additional = [:]
    }

    /// Describes a file by its bytes.
    package init(of bytes: [UInt8], custom: JSON? = nil) {
        length = Int64(bytes.count)
        hashes = FileHashes(of: bytes)
        self.custom = custom
        additional = [:]
    }

    init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        length = try fields.integer("length", in: 0...Int64.max)
        hashes = try FileHashes(
            reading: fields.value("hashes", "digests of the file"), at: fields.path(of: "hashes"))
        custom = fields.optional("custom")
        additional = fields.unread
    }

    var json: JSON {
        var fields = additional
        fields["length"] = .integer(length)
        fields["hashes"] = hashes.json
        if let custom { fields["custom"] = custom }
        return .object(fields)
    }
}
