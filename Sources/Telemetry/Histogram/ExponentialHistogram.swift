private import Glibc

/// A mergeable sketch of durations: OpenTelemetry's base-2 exponential histogram, positive range only.
///
/// Bucket `i` holds the values in `(base^i, base^(i+1)]` with `base = 2^(2^-scale)` (upper bound included,
/// OpenTelemetry metrics data model 1.x). It starts at scale 4 and halves its resolution, exactly, when
/// the values span more than 160 buckets. Recording and merging give the same histogram in any order.
/// The unit is the millisecond; below 1 ms a value only raises `zeroCount`.
package struct ExponentialHistogram: Sendable, Hashable {
    /// The scale of an empty histogram: base 1.0443, worst relative error 2.17%.
    package static let startScale = 4
    /// The least scale that finite values need: all powers of two up to 2^1024 in 160 buckets.
    package static let leastScale = -3
    /// Buckets from the first used to the last used, empty ones included.
    package static let bucketLimit = 160

    /// The resolution: each step down joins buckets in pairs.
    package private(set) var scale: Int
    /// The index of the first bucket; 0 where there is none.
    package private(set) var offset: Int
    /// Counts of the buckets from `offset` on; the first and the last are never 0.
    package private(set) var counts: [UInt64]
    /// Values below 1 ms.
    package private(set) var zeroCount: UInt64

    package init() {
        scale = Self.startScale
        offset = 0
        counts = []
        zeroCount = 0
    }

    /// From parts that a decoder has checked; nil where they break an invariant above.
    package init?(scale: Int, offset: Int, counts: [UInt64], zeroCount: UInt64) {
        guard (Self.leastScale...Self.startScale).contains(scale),
            counts.count <= Self.bucketLimit, counts.first != 0, counts.last != 0,
            !counts.isEmpty || offset == 0
        else { return nil }
        if !counts.isEmpty {
            let indexes = Self.indexes(atScale: scale)
            guard indexes.contains(offset), indexes.contains(offset + counts.count - 1) else {
                return nil
            }
        }
        self.scale = scale
        self.offset = offset
        self.counts = counts
        self.zeroCount = zeroCount
    }

    /// How many values it holds; stays at the largest number rather than overflow.
    package var count: UInt64 { counts.reduce(zeroCount, Self.sum) }

    package var isEmpty: Bool { zeroCount == 0 && counts.isEmpty }

    /// Adds one value in milliseconds.
    ///
    /// - Returns: false for a negative value or one that is not finite, which changes nothing.
    @discardableResult
    package mutating func record(_ milliseconds: Double) -> Bool {
        guard milliseconds.isFinite, milliseconds >= 0 else { return false }
        guard milliseconds >= 1 else {
            zeroCount = Self.sum(zeroCount, 1)
            return true
        }
        let index = Self.index(of: milliseconds)
        add(1, at: index >> (Self.startScale - scale))
        return true
    }

    /// Adds all values of another histogram; associative and commutative.
    package mutating func merge(_ other: ExponentialHistogram) {
        zeroCount = Self.sum(zeroCount, other.zeroCount)
        guard !other.counts.isEmpty else { return lower(toScale: other.scale) }
        var other = other
        let common = min(scale, other.scale)
        lower(toScale: common)
        other.lower(toScale: common)
        for (step, count) in other.counts.enumerated() where count > 0 {
            add(count, at: (other.offset + step) >> (common - scale))
        }
    }

    /// The histogram with the values of both.
    package func merging(_ other: ExponentialHistogram) -> ExponentialHistogram {
        var sum = self
        sum.merge(other)
        return sum
    }

    /// Lowers the resolution to `target`; a higher one changes nothing.
    ///
    /// Bucket `i` becomes part of bucket `i >> steps`: the result is what recording at that scale would have
    /// given ("perfect subsetting").
    package mutating func lower(toScale target: Int) {
        let target = max(target, Self.leastScale)
        guard target < scale else { return }
        let steps = scale - target
        scale = target
        guard !counts.isEmpty else { return }
        let first = offset >> steps
        var lowered = [UInt64](
            repeating: 0, count: ((offset + counts.count - 1) >> steps) - first + 1)
        for (step, count) in counts.enumerated() {
            let place = ((offset + step) >> steps) - first
            lowered[place] = Self.sum(lowered[place], count)
        }
        offset = first
        counts = lowered
    }

    /// The index of a value of at least 1 ms at the start scale.
    package static func index(of milliseconds: Double) -> Int {
        Int(ceil(log2(milliseconds) * Double(1 << startScale))) - 1
    }

    /// The indexes that finite values of at least 1 can have.
    package static func indexes(atScale scale: Int) -> ClosedRange<Int> {
        let steps = startScale - scale
        return (-1 >> steps)...((1_024 << startScale) - 1) >> steps
    }

    private mutating func add(_ count: UInt64, at index: Int) {
        guard let last = counts.indices.last.map({ offset + $0 }) else {
            offset = index
            counts = [count]
            return
        }
        let low = min(offset, index)
        let high = max(last, index)
        guard high - low < Self.bucketLimit else {
            lower(toScale: scale - 1)
            return add(count, at: index >> 1)
        }
        if index < offset {
            counts.insert(contentsOf: repeatElement(0, count: offset - index), at: 0)
            offset = index
        } else if index > last {
            counts.append(contentsOf: repeatElement(0, count: index - last))
        }
        counts[index - offset] = Self.sum(counts[index - offset], count)
    }

    /// A sum that stays at the largest number: saturation keeps merging associative.
    private static func sum(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let (sum, over) = one.addingReportingOverflow(other)
        return over ? .max : sum
    }
}
