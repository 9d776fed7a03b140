import Telemetry
import Testing

/// GATE section 8, sketch vectors.
@Suite struct ExponentialHistogramTests {
    static let values: [Double] = [120, 250, 400, 401, 650, 900, 1_500, 3_000, 0.5, 512]

    static func histogram(_ values: [Double]) -> ExponentialHistogram {
        var histogram = ExponentialHistogram()
        for value in values { histogram.record(value) }
        return histogram
    }

    static func buckets(_ histogram: ExponentialHistogram) -> [Int: UInt64] {
        var buckets: [Int: UInt64] = [:]
        for (step, count) in histogram.counts.enumerated() where count > 0 {
            buckets[histogram.offset + step] = count
        }
        return buckets
    }

    @Test func `puts the ten values of the vector into their buckets`() throws {
        let histogram = Self.histogram(Self.values)
        #expect(
            Self.buckets(histogram)
                == [110: 1, 127: 1, 138: 2, 143: 1, 149: 1, 157: 1, 168: 1, 184: 1])
        #expect(histogram.zeroCount == 1)
        #expect(histogram.count == 10)
        #expect(histogram.wireHex == "010801dc014b01001001000a02000401000501000701000a01000f01")
        for (q, expected) in [
            (0.25, 250.5144), (0.5, 412.2855), (0.9, 1_512.27), (0.95, 2_959.7303),
        ] {
            let found = try #require(histogram.quantile(q))
            #expect(abs(found / expected - 1) < 1e-4)
        }
    }
}
