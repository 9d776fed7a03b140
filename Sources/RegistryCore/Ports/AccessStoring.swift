import Primitives

/// Tokens and enrolment tokens, by the digests of their texts; part of a transaction (`RegistryStoring`).
///
/// Every verb that writes replaces what was under the same key, so each may be repeated.
package protocol AccessStoring {
    /// All tokens, oldest first.
    func tokens() throws(RegistryError) -> [TokenRecord]

    /// The tokens whose digest starts with these 8 bytes: the caller compares the rest in constant time.
    func tokens(digestPrefix: [UInt8]) throws(RegistryError) -> [TokenRecord]

    /// Adds a token; nil in `record` removes the one of this id.
    func setToken(_ id: TokenID, _ record: TokenRecord?) throws(RegistryError)

    /// The enrolment tokens whose digest starts with these 8 bytes.
    func enrolments(digestPrefix: [UInt8]) throws(RegistryError) -> [EnrolmentRecord]

    func setEnrolment(_ record: EnrolmentRecord) throws(RegistryError)
}
