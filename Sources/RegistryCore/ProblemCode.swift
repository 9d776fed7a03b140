/// The stable word for a refusal, as `docs/protocol.md` lists it; HTTP gives each its status.
package enum ProblemCode: String, Sendable, Hashable, CaseIterable {
    case malformedRequest = "malformed-request"
    case unauthorised
    case forbidden
    case notFound = "not-found"
    /// The path is one of ours, and not with this method; HTTP's alone.
    case methodNotAllowed = "method-not-allowed"
    case versionConflict = "version-conflict"
    case proposalConflict = "proposal-conflict"
    case existsWithOtherBytes = "exists-with-other-bytes"
    case offsetConflict = "offset-conflict"
    case stateConflict = "state-conflict"
    case tooLarge = "too-large"
    case digestMismatch = "digest-mismatch"
    case refusedByTrust = "refused-by-trust"
    case refusedByPolicy = "refused-by-policy"
    case warningsNotAcknowledged = "warnings-not-acknowledged"
    case tooManyRequests = "too-many-requests"
    case insufficientStorage = "insufficient-storage"
    case `internal`
}
