import Cryptography
package import Primitives

/// Makes, lists, revokes and recognises the tokens of people and programs.
package struct Tokens: Sendable {
    package static let nameLimit = 100
    package static let scopeLimit = 32
    /// The most tokens there may be.
    package static let limit = 10_000
    /// The longest life that can be asked for, in seconds: ten years.
    package static let longestLife: Int64 = 3_650 * 86_400

    private let store: any RegistryStoring

    package init(store: any RegistryStoring) {
        self.store = store
    }

    /// Who shows this text; the text after `Bearer `.
    ///
    /// - Throws: `.unauthorised` for one that is malformed, unknown, revoked or expired: all alike.
    package func principal(
        showing text: String, at now: UTCTime
    ) throws(RegistryError) -> Principal {
        guard let bearer = BearerText(.access, text) else { throw .unauthorised }
        return try principal(of: bearer.digest, at: now)
    }

    /// Who has the token of this digest, for a session that was begun with it.
    ///
    /// - Throws: `.unauthorised` for one that is unknown, revoked or expired.
    package func principal(
        of digest: SHA256Digest, at now: UTCTime
    ) throws(RegistryError) -> Principal {
        let candidates = try store.read { (records) throws(RegistryError) in
            try records.tokens(digestPrefix: Array(digest.bytes.prefix(8)))
        }
        let record = candidates.first {
            ConstantTime.areEqual($0.digest.bytes, digest.bytes) && $0.isInForce(at: now)
        }
        guard let record else { throw .unauthorised }
        return Principal(id: record.id, name: record.name, scopes: record.scopes)
    }

    /// Makes a token and says so in the audit log; its text is in the answer and nowhere else.
    ///
    /// Where `actor` is nil, the registry's own command line asks, which has the key files too.
    ///
    /// - Throws: `.forbidden` unless the actor is an administrator of all models; `.malformed`.
    package func make(
        name: String, scopes: [Scope], life: Int64?, by actor: Principal?, at now: UTCTime,
        using random: inout some RandomNumberGenerator
    ) throws(RegistryError) -> (record: TokenRecord, text: BearerText) {
        if let actor { try authorise(actor, .admin, on: .registry) }
        try Self.check(name: name, scopes: scopes, life: life)
        let text = BearerText(.access, using: &random)
        let digits = Hex.encode(
            (0..<8).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        guard let id = TokenID(digits) else { preconditionFailure("16 digits are a token id") }
        let record = TokenRecord(
            id: id, name: name, digest: text.digest, scopes: scopes, created: now,
            expires: life.map { now + $0 })
        try store.write { (records) throws(RegistryError) in
            guard try records.tokens().count < Self.limit else {
                throw .tooLarge("tokens", limit: Int64(Self.limit), found: Int64(Self.limit) + 1)
            }
            try records.setToken(record.id, record)
            try records.append(
                .tokenMade(id: id, name: name, scopes: scopes, expires: record.expires),
                by: Actor(actor), at: now)
        }
        return (record, text)
    }

    /// All tokens in force or not, oldest first, without their texts, which nobody has.
    package func list(by actor: Principal) throws(RegistryError) -> [TokenRecord] {
        try authorise(actor, .admin, on: .registry)
        return try store.read { (records) throws(RegistryError) in try records.tokens() }
    }

    /// Revokes a token, from this moment on.
    ///
    /// - Throws: `.notFound`; `.forbidden`.
    package func revoke(
        _ id: TokenID, by actor: Principal, at now: UTCTime
    ) throws(RegistryError) {
        try authorise(actor, .admin, on: .registry)
        try store.write { (records) throws(RegistryError) in
            guard let record = try records.tokens().first(where: { $0.id == id }) else {
                throw .notFound("token", id.description)
            }
            try records.setToken(id, nil)
            try records.append(
                .tokenRevoked(id: id, name: record.name), by: Actor(actor), at: now)
        }
    }

    /// Whether a token may be made so: 1 to `nameLimit` bytes of name, 1 to `scopeLimit` scopes, a life of
    /// at most `longestLife` seconds.
    ///
    /// - Throws: `.malformed` naming the first that may not.
    package static func check(
        name: String, scopes: [Scope], life: Int64?
    ) throws(RegistryError) {
        guard !name.isEmpty else {
            throw .malformed(
                FieldError(
                    path: "name", expected: "1 to \(Self.nameLimit) bytes", found: "0"))
        }
        try checkFreeText(name, named: "name", limit: Self.nameLimit)
        guard (1...Self.scopeLimit).contains(scopes.count) else {
            throw .malformed(
                FieldError(
                    path: "scopes", expected: "1 to \(Self.scopeLimit) scopes",
                    found: "\(scopes.count)"))
        }
        if let life, !(1...Self.longestLife).contains(life) {
            throw .malformed(
                FieldError(
                    path: "expires_s", expected: "1 to \(Self.longestLife)", found: "\(life)"))
        }
    }
}
