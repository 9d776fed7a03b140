package import Primitives
package import TUF

/// One metadata file as it was signed.
package struct StoredRole: Sendable, Hashable {
    package let role: RoleName
    package let version: MetadataVersion
    package let bytes: [UInt8]

    package init(role: RoleName, version: MetadataVersion, bytes: [UInt8]) {
        self.role = role
        self.version = version
        self.bytes = bytes
    }
}

/// Signed metadata and proposals, byte for byte; part of a transaction (`RegistryStoring`), so that a
/// role, the snapshot that lists it and the timestamp that names that are there together or not at all.
package protocol MetadataStoring {
    /// The newest version of a role that is live; nil where there is none.
    func live(_ role: RoleName) throws(RegistryError) -> StoredRole?

    /// One version of a role; nil where it never was live, or is no longer kept.
    func file(_ role: RoleName, _ version: MetadataVersion) throws(RegistryError) -> StoredRole?

    /// Adds the next version of a role. Refuses (`.damaged`) one that is there, or is not the newest.
    func add(_ file: StoredRole, at now: UTCTime) throws(RegistryError)

    /// The open proposal of a role, if there is one.
    func proposal(_ role: RoleName) throws(RegistryError) -> StoredRole?

    /// Opens or replaces the proposal of a role; nil closes it.
    func setProposal(_ role: RoleName, _ proposal: StoredRole?) throws(RegistryError)

    /// The digest under which a target was first live, kept for good: a version never comes back as
    /// something else.
    func firstDigest(of target: TargetPath) throws(RegistryError) -> SHA256Digest?

    /// Remembers it; a target that is remembered already keeps what it has.
    func setFirstDigest(
        of target: TargetPath, _ digest: SHA256Digest
    ) throws(RegistryError)
}
