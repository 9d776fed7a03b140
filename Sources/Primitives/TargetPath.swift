/// The path of a TUF target or of a file in a bundle: relative, and never able to leave its folder.
///
/// One or more parts between `/`; no empty part, no `.` or `..`, no NUL, no backslash, at most 512 bytes.
/// Equal only when the bytes are equal (Swift's `String` would take two Unicode spellings for one).
package struct TargetPath: Sendable, ExactText {
    package static let expected =
        "a relative path without empty parts, '.', '..', NUL or backslash, at most 512 bytes"

    package let description: String

    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard (1...512).contains(bytes.count), !bytes.contains(0), !bytes.contains(0x5C) else {
            return nil
        }
        for part in bytes.split(separator: 0x2F, omittingEmptySubsequences: false) {
            guard !part.isEmpty, !part.elementsEqual(".".utf8), !part.elementsEqual("..".utf8)
            else { return nil }
        }
        description = text
    }

    /// The parts between the slashes, at least one.
    package var parts: [String] {
        description.split(separator: "/").map(String.init)
    }
}
