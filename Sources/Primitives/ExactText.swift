import Glibc

/// A text that is equal to another only when the bytes are: Swift's `String` takes two Unicode
/// spellings of one character for the same, and a name that was signed must not be met by another.
package protocol ExactText: Hashable, Comparable, CustomStringConvertible {}

extension ExactText {
    package static func == (left: Self, right: Self) -> Bool {
        let counts = (left.description.utf8.count, right.description.utf8.count)
        return counts.0 == counts.1 && compare(left, right, counts.0) == 0
    }

    package func hash(into hasher: inout Hasher) {
        var text = description
        text.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }

    package static func < (left: Self, right: Self) -> Bool {
        let counts = (left.description.utf8.count, right.description.utf8.count)
        let order = compare(left, right, min(counts.0, counts.1))
        return order == 0 ? counts.0 < counts.1 : order < 0
    }

    /// The order of the first `count` bytes of both, as `memcmp` tells it.
    private static func compare(_ left: Self, _ right: Self, _ count: Int) -> Int32 {
        var (one, other) = (left.description, right.description)
        return one.withUTF8 { one in
            other.withUTF8 { other in
                guard count > 0, let one = one.baseAddress, let other = other.baseAddress else {
                    return 0
                }
                return unsafe memcmp(one, other, count)
            }
        }
    }
}
