import Primitives

/// How many distinct keys must have signed: 1 or more.
package struct Threshold: Sendable, Hashable, Comparable, CustomStringConvertible {
    package static let expected = "a threshold of 1 or more"
    package static let one = Threshold(unchecked: 1)
    package static let two = Threshold(unchecked: 2)

    package let count: Int

    /// Nil below 1.
    package init?(_ count: Int) {
        guard count >= 1 else { return nil }
        self.count = count
    }

    private init(unchecked count: Int) { self.count = count }

    package var description: String { String(count) }

    package static func < (left: Threshold, right: Threshold) -> Bool { left.count < right.count }
}
