package import Primitives

/// What the registry keeps of a token: never its text.
package struct TokenRecord: Sendable, Hashable {
    package let id: TokenID
    /// What people call it.
    package let name: String
    /// SHA-256 of the token's text.
    package let digest: SHA256Digest
    package let scopes: [Scope]
    package let created: UTCTime
    /// From this moment on it is unknown; nil for never.
    package let expires: UTCTime?

    package init(
        id: TokenID, name: String, digest: SHA256Digest, scopes: [Scope], created: UTCTime,
        expires: UTCTime?
    ) {
        self.id = id
        self.name = name
        self.digest = digest
        self.scopes = scopes
        self.created = created
        self.expires = expires
    }

    package func isInForce(at now: UTCTime) -> Bool {
        expires.map { now < $0 } ?? true
    }
}

/// What the registry keeps of a one-time enrolment token.
package struct EnrolmentRecord: Sendable, Hashable {
    package enum Use: Sendable, Hashable {
        case unused
        /// By a device, which may have been revoked and forgotten since.
        case used(by: DeviceID?)
    }

    package let digest: SHA256Digest
    package let created: UTCTime
    package let expires: UTCTime
    package var use: Use

    package init(
        digest: SHA256Digest, created: UTCTime, expires: UTCTime, use: Use = .unused
    ) {
        self.digest = digest
        self.created = created
        self.expires = expires
        self.use = use
    }
}
