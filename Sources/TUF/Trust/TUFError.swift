package import Cryptography
package import Primitives

/// Why metadata is not trusted, one case a refusal.
package enum TUFError: Error, Sendable, Hashable {
    /// The bytes are not strict JSON.
    case notJSON(RoleName, JSONError)
    /// A field is missing or is not what the specification asks for.
    case malformed(RoleName, FieldError)
    /// The list of signatures names a key id twice.
    case repeatedKeyID(RoleName, KeyID)
    /// Fewer distinct keys have signed than the threshold asks for; `delegator` holds the keys.
    case tooFewSignatures(RoleName, delegator: RoleName, threshold: Int, valid: Int)
    /// The version is below the one held, or listed before.
    case rollback(RoleName, held: MetadataVersion, offered: MetadataVersion)
    /// The version is not the one asked for or listed.
    case wrongVersion(RoleName, expected: MetadataVersion, found: MetadataVersion)
    /// The file is longer than it may be.
    case tooLong(RoleName, limit: Int, found: Int)
    /// The file's length is not the one listed.
    case wrongLength(RoleName, expected: Int, found: Int)
    /// The file's digest is not the one listed.
    case wrongDigest(RoleName, expected: FileHashes, found: SHA256Digest)
    /// The metadata was not good any more when the refresh began.
    case expired(RoleName, at: UTCTime, start: UTCTime)
    /// A role that the held snapshot lists is missing from the new one.
    case roleDropped(RoleName, by: MetadataVersion)
    /// A role that is delegated to is not listed in the snapshot.
    case roleNotListed(RoleName)
    /// The repository does not have the file.
    case absent(RoleName, MetadataFileName)
    /// The metadata says that it is another role's.
    case otherRole(RoleName, found: RoleName)
    /// There is no root of trust in the store.
    case noTrustedRoot
    /// Two drafts that were to be merged sign different things.
    case differentContent(RoleName)
    /// A signature to be added is not valid for its key.
    case invalidSignature(RoleName, KeyID)
    /// A target of our own has no SHA-256 digest, by which agent and registry store everything.
    case noSHA256(RoleName, TargetPath)
    /// The target's length is not the one that its role lists; `found` may be only what had come so far.
    case wrongTargetLength(RoleName, TargetPath, expected: Int64, found: Int64)
    /// The target's digest is not the one that its role lists.
    case wrongTargetDigest(RoleName, TargetPath, expected: FileHashes, found: SHA256Digest)
    /// The search needs a role whose metadata has not been loaded.
    case roleNotLoaded(RoleName)
}
