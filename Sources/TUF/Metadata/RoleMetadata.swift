package import Primitives

/// The signed part of a metadata file, as a value.
///
/// Fields that the specification does not name are kept and written again (ADR 0002): the signature
/// covers them, and a newer writer may mean something by them.
package protocol RoleMetadata: Sendable, Hashable {
    /// The value of `_type`.
    static var type: String { get }

    var version: MetadataVersion { get set }
    /// From this moment on the metadata is expired.
    var expires: UTCTime { get set }

    /// Reads the fields that are this type's own; the header has been read.
    init(header: MetadataHeader, reading fields: inout Fields) throws(FieldError)

    /// The `signed` object, to be signed in its canonical form.
    var signed: JSON { get }
}

/// What every metadata file begins with.
package struct MetadataHeader: Sendable, Hashable {
    package static let specVersion = "1.0.34"

    let version: MetadataVersion
    let expires: UTCTime

    /// Reads `_type`, `spec_version` (any 1.x: TUF 1.0.34 section 4.3), `version` and `expires`.
    init(type: String, reading fields: inout Fields) throws(FieldError) {
        _ = try fields.parse("_type", "'\(type)'") { $0 == type ? $0 : nil }
        _ = try fields.parse("spec_version", "specification version 1.x") {
            Self.isSupported($0) ? $0 : nil
        }
        version = try fields.metadataVersion("version")
        expires = try fields.parse("expires", "a time such as 2030-01-31T00:00:00Z") {
            UTCTime(iso8601: $0)
        }
    }

    static func isSupported(_ version: String) -> Bool {
        let parts = version.utf8.split(
            separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return (2...3).contains(parts.count) && parts[0].elementsEqual("1".utf8)
            && parts.allSatisfy { part in !part.isEmpty && part.allSatisfy { digits.contains($0) } }
    }
}

extension RoleMetadata {
    /// Reads a whole `signed` object.
    init(reading signed: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(signed, at: path)
        let header = try MetadataHeader(type: Self.type, reading: &fields)
        try self.init(header: header, reading: &fields)
    }

    /// `signed` with the header's fields in place.
    func signed(_ own: JSONObject, additional: JSONObject) -> JSON {
        var fields = additional
        fields.merge(own) { _, own in own }
        fields["_type"] = .string(Self.type)
        fields["spec_version"] = .string(MetadataHeader.specVersion)
        fields["version"] = .integer(version.number)
        fields["expires"] = .string(expires.description)
        return .object(fields)
    }

    /// The same content as the next version, with a new expiry.
    package func next(expires: UTCTime) -> Self {
        var next = self
        next.version = version.next
        next.expires = expires
        return next
    }
}
