import Glibc
import Primitives

/// The length of a pause on a logarithmic scale, eight steps to the doubling: within 9%.
package struct GapBucket: Sendable, Hashable {
    package static let stepsPerDoubling = 8.0

    package let index: Int

    package init(index: Int) { self.index = index }

    package init(seconds: Int64) {
        index = Int((log2(Double(max(1, seconds))) * Self.stepsPerDoubling).rounded(.down))
    }

    /// The first length, in seconds, that is too long for this bucket.
    var end: Double { exp2(Double(index + 1) / Self.stepsPerDoubling) }

    /// Whether a pause of this bucket may be longer than `seconds`: in doubt it is, so that history
    /// excuses rather too much than too little.
    package func mayExceed(_ seconds: Int64) -> Bool { end > Double(seconds) }
}
