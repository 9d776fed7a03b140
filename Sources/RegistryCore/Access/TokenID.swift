/// The name of a bearer token in lists and in the audit log; it says nothing of the token itself.
///
/// 16 lower-case hexadecimal digits, or `registry` for what the registry does by itself.
package struct TokenID: Sendable, Hashable, CustomStringConvertible {
    package static let expected = "a token id: 16 lower-case hexadecimal digits"
    package static let registry = TokenID(unchecked: "registry")

    package let description: String

    package init?(_ text: String) {
        let digits = Set("0123456789abcdef".utf8)
        let isHex = text.utf8.count == 16 && text.utf8.allSatisfy(digits.contains)
        guard isHex || text == Self.registry.description else { return nil }
        description = text
    }

    private init(unchecked text: String) { description = text }
}
