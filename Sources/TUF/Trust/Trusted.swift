import Cryptography
import Primitives

/// A metadata file whose threshold of signatures has been verified; nothing but this file can make one.
///
/// The type says that the right keys signed it. Whether it is also the right version, listed, and not
/// expired is said by whoever hands it out: what stands in a `TrustedRepository` is all of that.
package struct Trusted<Content: RoleMetadata>: Sendable {
    package let role: RoleName
    package let content: Content
    /// The bytes as they came, which are what is stored and served.
    package let bytes: [UInt8]

    fileprivate init(_ file: Unverified<Content>) {
        role = file.role
        content = file.content
        bytes = file.bytes
    }

    package var version: MetadataVersion { content.version }
}

extension Unverified {
    /// Trusts the file if enough distinct keys have signed it (TUF 1.0.34 section 5.3.4 and its like).
    ///
    /// - Parameters:
    ///   - verifiers: the keys and the threshold, out of the delegator's metadata.
    ///   - delegator: the role whose metadata holds the keys, for the error.
    /// - Returns: the same file, trusted.
    /// - Throws: `TUFError.tooFewSignatures`.
    func verified(
        by verifiers: Verifiers, from delegator: RoleName
    ) throws(TUFError) -> Trusted<Content> {
        let valid = verifiers.validSigners(signatures, of: message).count
        guard valid >= verifiers.threshold.count else {
            throw .tooFewSignatures(
                role, delegator: delegator, threshold: verifiers.threshold.count, valid: valid)
        }
        return Trusted(self)
    }
}
