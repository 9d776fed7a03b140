package import Primitives

/// A file on its way in, named by what it will be: `<sha256>.<length>.<owner>`.
///
/// The name is all there is to know of it, so an upload outlives a restart without a record of its own.
package struct Upload: Sendable, Hashable, CustomStringConvertible {
    package static let expected = "an upload id, as POST /v1/uploads gave it"
    /// The largest file of a bundle, 64 GiB.
    package static let lengthRange: ClosedRange<Int64> = 0...(64 << 30)
    /// The most bytes of one chunk.
    package static let chunkLimit = 8 << 20

    package let sha256: SHA256Digest
    package let length: Int64
    package let owner: TokenID

    package init(sha256: SHA256Digest, length: Int64, owner: TokenID) {
        self.sha256 = sha256
        self.length = length
        self.owner = owner
    }

    /// Reads the one spelling of an upload's name.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let sha256 = SHA256Digest(hex: String(parts[0])),
            let length = Int64(parts[1]), Self.lengthRange.contains(length),
            String(length) == parts[1], let owner = TokenID(String(parts[2]))
        else { return nil }
        self.init(sha256: sha256, length: length, owner: owner)
    }

    package var description: String { "\(sha256).\(length).\(owner)" }
}
