import Primitives
import RegistryCore
import RegistryTestSupport
import TestSupport
import Testing

struct TokensTests {
    private let registry = TestRegistry()
    private let now = UTCTime(clamping: 1_764_000_000)
    private var tokens: Tokens { Tokens(store: registry.store) }

    private func make(
        _ scopes: [Scope] = [Scope(.read)], life: Int64? = nil, seed: UInt64 = 7
    ) throws -> (record: TokenRecord, text: BearerText) {
        var random = SeededGenerator(seed: seed)
        return try tokens.make(
            name: "ci", scopes: scopes, life: life, by: registry.admin, at: now, using: &random)
    }

    @Test func `a token is 256 bits in base64url, and only its digest is kept`() throws {
        let (record, text) = try make()
        #expect(text.text.hasPrefix("ff_"))
        #expect(text.text.utf8.count == 46)
        #expect(record.digest == text.digest)
        #expect(BearerText(.access, text.text) == text)
        #expect(BearerText(.enrolment, text.text) == nil)
        let log = try registry.auditRecords().map { String(decoding: $0.bytes, as: UTF8.self) }
        #expect(!log.contains { $0.contains(text.text) || $0.contains(text.digest.hex) })
    }

    @Test func `base64url is that of RFC 4648`() throws {
        struct Fixed: RandomNumberGenerator {
            mutating func next() -> UInt64 { .max }
        }
        var ones = Fixed()
        #expect(
            BearerText(.access, using: &ones).text == "ff_" + String(repeating: "_", count: 42)
                + "8")
    }

    @Test func `recognises its bearer until it expires or is revoked`() throws {
        let scopes = [Scope(.publish, registry.model)]
        let (record, text) = try make(scopes, life: 60)
        let principal = try tokens.principal(showing: text.text, at: now + 59)
        #expect(principal == Principal(id: record.id, name: "ci", scopes: scopes))
        #expect(throws: RegistryError.unauthorised) {
            try tokens.principal(showing: text.text, at: now + 60)
        }
        try tokens.revoke(record.id, by: registry.admin, at: now)
        #expect(throws: RegistryError.unauthorised) {
            try tokens.principal(showing: text.text, at: now)
        }
        #expect(try registry.events() == ["token.made", "token.revoked"])
    }

    @Test func `refuses every text that differs in one character`() throws {
        let (_, text) = try make()
        for index in 0..<text.text.utf8.count {
            var bytes = Array(text.text.utf8)
            bytes[index] = bytes[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let other = String(decoding: bytes, as: UTF8.self)
            #expect(throws: RegistryError.unauthorised) {
                try tokens.principal(showing: other, at: now)
            }
        }
    }

    /// The store finds by the first 8 bytes; all 32 are what counts.
    @Test func `a digest that only begins alike is another token`() throws {
        var random = SeededGenerator(seed: 3)
        let text = BearerText(.access, using: &random)
        var bytes = text.digest.bytes
        bytes[31] ^= 1
        let id = try #require(TokenID("0123456789abcdef"))
        let record = TokenRecord(
            id: id, name: "near", digest: try #require(SHA256Digest(bytes)),
            scopes: [Scope(.admin)], created: now, expires: nil)
        try registry.store.write { (records) throws(RegistryError) in
            try records.setToken(id, record)
            #expect(try records.tokens(digestPrefix: Array(bytes.prefix(8))) == [record])
        }
        #expect(throws: RegistryError.unauthorised) {
            try tokens.principal(showing: text.text, at: now)
        }
    }

    @Test(arguments: ["", "ff_", "ff_short", "Bearer ff_", "fe_aaaa"])
    func `refuses what is no token`(text: String) {
        #expect(throws: RegistryError.unauthorised) {
            try tokens.principal(showing: text, at: now)
        }
    }

    @Test func `only an administrator of all models makes, lists and revokes tokens`() throws {
        let (record, _) = try make()
        for scope in ["publish", "sign", "operate", "read", "admin:commands-en"] {
            let other = Principal(
                id: .registry, name: "x", scopes: [try #require(Scope(scope))])
            let refusal = RegistryError.forbidden(needs: Scope(.admin))
            var random = SeededGenerator(seed: 1)
            #expect(throws: refusal) {
                try tokens.make(
                    name: "y", scopes: [Scope(.read)], life: nil, by: other, at: now,
                    using: &random)
            }
            #expect(throws: refusal) { try tokens.list(by: other) }
            #expect(throws: refusal) { try tokens.revoke(record.id, by: other, at: now) }
        }
        #expect(try tokens.list(by: registry.admin) == [record])
    }

    @Test(arguments: [
        ("", 1, 60 as Int64?, "name"), (String(repeating: "x", count: 101), 1, nil, "name"),
        ("ci", 0, nil, "scopes"), ("ci", 33, nil, "scopes"), ("ci", 1, 0, "expires_s"),
    ])
    func `refuses a request out of range`(
        name: String, scopes: Int, life: Int64?, field: String
    ) throws {
        var random = SeededGenerator(seed: 1)
        let error = #expect(throws: RegistryError.self) {
            try tokens.make(
                name: name, scopes: Array(repeating: Scope(.read), count: scopes), life: life,
                by: registry.admin, at: now, using: &random)
        }
        guard case .malformed(let wrong) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(wrong.path == field)
        #expect(try registry.auditRecords().isEmpty)
    }

    @Test func `revoking what is not there is said`() throws {
        let id = try #require(TokenID("0123456789abcdef"))
        #expect(throws: RegistryError.notFound("token", id.description)) {
            try tokens.revoke(id, by: registry.admin, at: now)
        }
    }
}
