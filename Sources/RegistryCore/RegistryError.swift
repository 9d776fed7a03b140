package import Primitives
package import TUF

/// Why the registry does not do what it was asked; `code` says it in the word of the protocol.
package enum RegistryError: Error, Sendable, Hashable {
    /// A field of the request is missing, unknown or out of range.
    case malformed(FieldError)
    case notJSON(JSONError)
    /// No token, or one that is unknown, revoked or expired.
    case unauthorised
    /// A token without the scope.
    case forbidden(needs: Scope)
    /// Nothing of that kind has that name.
    case notFound(String, String)
    /// Role metadata whose version does not follow the live one.
    case versionConflict(RoleName, live: MetadataVersion?, offered: MetadataVersion)
    /// A proposal that does not contain what the open one contains; `missing` names what it lacks.
    case proposalConflict(RoleName, open: MetadataVersion, missing: [String])
    /// A target that was live before with other bytes.
    case otherBytes(TargetPath, live: SHA256Digest, offered: SHA256Digest)
    /// A chunk at another offset than the one reached.
    case offsetConflict(reached: Int64, offered: Int64)
    /// An order that the rollout cannot follow in its state; the reason says thing, expected, got.
    case stateConflict(order: String, reason: String)
    /// A rollout is there that has not ended.
    case rolloutExists(ModelName, ChannelName, state: String)
    case tooLarge(String, limit: Int64, found: Int64)
    case digestMismatch(expected: SHA256Digest, found: SHA256Digest)
    case wrongLength(String, expected: Int64, found: Int64)
    /// Metadata that no client would trust.
    case untrusted(TUFError)
    /// No key of the role has signed.
    case noValidSignature(RoleName)
    /// Targets outside of the paths that the role is trusted with.
    case outsidePaths(RoleName, [TargetPath])
    /// A role that the registry signs itself, or that nobody delegates to.
    case notPostable(RoleName)
    /// The device key has not signed this.
    case wrongSignature(DeviceID)
    /// Something that breaks rules; all of them are listed.
    case refusedByPolicy([String])
    /// Warnings that a person must have seen first; all of them are listed.
    case notAcknowledged([String])
    case tooManyRequests(retryAfterSeconds: Int64)
    case insufficientStorage
    /// The registry has no root yet.
    case noRepository
    /// An online key that the root or a delegation asks for is not loaded.
    case keyMissing(RoleName)
    /// The store or the disk failed, or holds what it should not.
    case storage(String)
    case damagedAudit(AuditChain.Fault)

    package var code: ProblemCode {
        switch self {
        case .malformed, .notJSON: .malformedRequest
        case .unauthorised: .unauthorised
        case .forbidden: .forbidden
        case .notFound, .noRepository: .notFound
        case .versionConflict: .versionConflict
        case .proposalConflict: .proposalConflict
        case .otherBytes: .existsWithOtherBytes
        case .offsetConflict: .offsetConflict
        case .stateConflict, .rolloutExists: .stateConflict
        case .tooLarge: .tooLarge
        case .digestMismatch, .wrongLength: .digestMismatch
        case .untrusted, .noValidSignature, .outsidePaths, .notPostable, .wrongSignature:
            .refusedByTrust
        case .refusedByPolicy: .refusedByPolicy
        case .notAcknowledged: .warningsNotAcknowledged
        case .tooManyRequests: .tooManyRequests
        case .insufficientStorage: .insufficientStorage
        case .keyMissing, .storage, .damagedAudit: .internal
        }
    }
}
