import Cryptography
package import Primitives

/// The text of a secret that its bearer shows: a prefix and 256 random bits in base64url (RFC 4648 section 5).
///
/// `ff_…` for tokens, `fe_…` for one-time enrolment tokens, `fs_…` for sessions of the dashboard. The registry keeps SHA-256 of the text: with
/// 256 bits of chance in it, nothing slower is needed against somebody who reads the database.
package struct BearerText: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case access = "ff_"
        case enrolment = "fe_"
        /// A session of the dashboard, in a cookie.
        case session = "fs_"
    }

    package let kind: Kind
    package let text: String

    /// A new secret from 32 random bytes of `random`.
    package init(_ kind: Kind, using random: inout some RandomNumberGenerator) {
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        self.kind = kind
        text = kind.rawValue + Self.base64url(bytes)
    }

    /// Nil unless the text has the kind's prefix and 43 characters of base64url.
    package init?(_ kind: Kind, _ text: String) {
        let allowed = Set(Self.alphabet)
        let body = text.utf8.dropFirst(kind.rawValue.utf8.count)
        guard text.utf8.starts(with: kind.rawValue.utf8), body.count == 43,
            body.allSatisfy(allowed.contains)
        else { return nil }
        self.kind = kind
        self.text = text
    }

    package var digest: SHA256Digest { SHA256.digest(of: Array(text.utf8)) }

    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Without padding: 32 bytes make 43 characters.
    private static func base64url(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0...group.count {
                text.append(alphabet[bits >> (18 - 6 * place) & 0x3F])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
