/// A text that is equal to another only when the bytes are: Swift's `String` takes two Unicode
/// spellings of one character for the same, and a name that was signed must not be met by another.
package protocol ExactText: Hashable, Comparable, CustomStringConvertible {}

extension ExactText {
    package static func == (left: Self, right: Self) -> Bool {
        left.description.utf8.elementsEqual(right.description.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        var text = description
        text.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
    }
}
