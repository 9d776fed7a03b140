import Glibc
import Primitives
import Telemetry
import TestSupport
import Testing

/// Two sketches worked out by hand, and the properties that the format promises.
@Suite struct ExponentialHistogramTests {
    static let values: [Double] = [120, 250, 400, 401, 650, 900, 1_500, 3_000, 0.5, 512]

    static func histogram(_ values: some Sequence<Double>) -> ExponentialHistogram {
        var histogram = ExponentialHistogram()
        for value in values { histogram.record(value) }
        return histogram
    }

    /// Durations from a tenth of a millisecond to hours, more spread with some seeds than with others.
    static func values(_ generator: inout SeededGenerator) -> [Double] {
        let spread = Double.random(in: 0.2...8, using: &generator)
        return (0..<Int.random(in: 0...60, using: &generator)).map { _ in
            exp(6 + Double.random(in: -spread...spread, using: &generator))
        }
    }

    static func buckets(_ histogram: ExponentialHistogram) -> [Int: UInt64] {
        var buckets: [Int: UInt64] = [:]
        for (step, count) in histogram.counts.enumerated() where count > 0 {
            buckets[histogram.offset + step] = count
        }
        return buckets
    }

    func expect(_ histogram: ExponentialHistogram, _ q: Double, _ expected: Double) throws {
        let found = try #require(histogram.quantile(q))
        #expect(abs(found / expected - 1) < 1e-4)
    }

    @Test func `puts the ten values of the vector into their buckets`() throws {
        let histogram = Self.histogram(Self.values)
        #expect(
            Self.buckets(histogram)
                == [110: 1, 127: 1, 138: 2, 143: 1, 149: 1, 157: 1, 168: 1, 184: 1])
        #expect(histogram.zeroCount == 1)
        #expect(histogram.count == 10)
        #expect(histogram.wireHex == "010801dc014b01001001000a02000401000501000701000a01000f01")
        try expect(histogram, 0.25, 250.5144)
        try expect(histogram, 0.5, 412.2855)
        try expect(histogram, 0.9, 1_512.27)
        try expect(histogram, 0.95, 2_959.7303)
    }

    @Test func `falls to scale 3 with the two values that widen the vector`() throws {
        let histogram = Self.histogram(Self.values + [47_000, 20])
        #expect(histogram.scale == 3)
        #expect(
            Self.buckets(histogram)
                == [
                    34: 1, 55: 1, 63: 1, 69: 2, 71: 1, 74: 1, 78: 1, 84: 1, 92: 1, 124: 1,
                ])
        try expect(histogram, 0.5, 430.539)
        try expect(histogram, 0.95, 47_975.16)
    }

    @Test(arguments: 0..<1_024) func `counts a power of two in the bucket it ends`(power: Int) {
        #expect(ExponentialHistogram.index(of: exp2(Double(power))) == 16 * power - 1)
    }

    @Test(arguments: [-1.0, -0.001, .nan, .infinity, -.infinity])
    func `leaves out what is no duration`(value: Double) {
        var histogram = ExponentialHistogram()
        let isTaken = histogram.record(value)
        #expect(!isTaken)
        #expect(histogram.isEmpty)
        #expect(histogram.quantile(0.5) == nil)
    }

    @Test func `answers 1 ms for ranks among the values below it`() {
        let histogram = Self.histogram([0.2, 0.4, 100])
        #expect(histogram.quantile(0.5) == 1)
        #expect(histogram.quantile(-0.1) == nil)
        #expect(histogram.quantile(1.1) == nil)
    }

    @Test func `holds the largest and the smallest finite values`() throws {
        let histogram = Self.histogram([.greatestFiniteMagnitude, 1, .leastNonzeroMagnitude])
        #expect(histogram.scale == ExponentialHistogram.leastScale)
        #expect(histogram.count == 3)
        #expect(try ExponentialHistogram(wireBytes: histogram.wireBytes) == histogram)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `is the same in any order of recording and merging`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let parts = (0..<3).map { _ in Self.values(&generator) }
        let whole = Self.histogram(parts.joined().shuffled(using: &generator))
        let (a, b, c) = (
            Self.histogram(parts[0]), Self.histogram(parts[1]), Self.histogram(parts[2])
        )
        #expect(a.merging(b) == b.merging(a))
        #expect(a.merging(b).merging(c) == a.merging(b.merging(c)))
        #expect(a.merging(b).merging(c) == whole)
        #expect(a.merging(ExponentialHistogram()) == a)
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `loses nothing but resolution when it is lowered`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let values = Self.values(&generator)
        var lowered = Self.histogram(values)
        lowered.lower(toScale: lowered.scale - 1)
        var expected: [Int: UInt64] = [:]
        for value in values where value >= 1 {
            let steps = ExponentialHistogram.startScale - lowered.scale
            expected[ExponentialHistogram.index(of: value) >> steps, default: 0] += 1
        }
        #expect(Self.buckets(lowered) == expected)
        #expect(lowered.count == UInt64(values.count))
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `keeps quantiles within half a bucket of the sample's`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let values = (0..<500).map { _ in
            exp(6 + Double.random(in: -1...1, using: &generator))
        }
        let histogram = Self.histogram(values)
        let rank = values.sorted()[474]
        let found = try #require(histogram.quantile(0.95))
        #expect(abs(log(found / rank)) <= log(2) / 16)
    }

    @Test func `stays at the largest number instead of overflowing`() throws {
        let large = try #require(
            ExponentialHistogram(scale: 4, offset: 5, counts: [.max - 1], zeroCount: 0))
        #expect(large.merging(large).counts == [.max])
    }
}
