/// The name of a metadata file, safe as one part of a URL path and as one file name.
///
/// The role is percent-encoded (RFC 3986, all but unreserved characters), so the name never holds `/`,
/// never is `.` or `..`, and can be appended to a URL as it stands. On disk the encoded name is the name.
package struct MetadataFileName: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// `<role>.json`: the name on disk, and on a server without consistent snapshots.
    package init(_ role: RoleName) {
        description = PercentEncoding.encode(role.description) + ".json"
    }

    /// `<version>.<role>.json` (TUF 1.0.34 section 6.2).
    package init(_ role: RoleName, version: MetadataVersion) {
        description = "\(version).\(PercentEncoding.encode(role.description)).json"
    }
}
