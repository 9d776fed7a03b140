import Glibc
import Primitives
import Telemetry
import TestSupport
import Testing

/// The wire form of docs/formats/histogram.md: one spelling per value, and nothing that bytes can do to the reader.
@Suite struct HistogramWireTests {
    @Test(arguments: 0..<200 as Range<UInt64>)
    func `reads what it writes`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let histogram = ExponentialHistogramTests.histogram(
            ExponentialHistogramTests.values(&generator))
        #expect(try ExponentialHistogram(wireBytes: histogram.wireBytes) == histogram)
        #expect(try ExponentialHistogram(wireHex: histogram.wireHex) == histogram)
    }

    @Test(arguments: 0..<400 as Range<UInt64>)
    func `survives any bytes, and accepts only the spelling it would write`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var bytes = ExponentialHistogramTests.histogram(
            ExponentialHistogramTests.values(&generator)
        ).wireBytes
        for _ in 0..<50 {
            switch Int.random(in: 0..<4, using: &generator) {
            case 0 where !bytes.isEmpty:
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
                    in: 0...255, using: &generator)
            case 1 where !bytes.isEmpty: bytes.removeLast()
            case 2: bytes.append(.random(in: 0...255, using: &generator))
            default:
                bytes =
                    [1, 8]
                    + (0..<12).map { _ in UInt8.random(in: 0...255, using: &generator) }
            }
            guard let histogram = try? ExponentialHistogram(wireBytes: bytes) else { continue }
            #expect(histogram.wireBytes == bytes)
            #expect(histogram.counts.count <= ExponentialHistogram.bucketLimit)
        }
    }

    @Test(arguments: [
        ("", HistogramFault.truncated), ("02", .unknownVersion), ("0108", .truncated),
        ("010a000000", .scaleOutOfRange), ("0107000000", .scaleOutOfRange),
        ("0108808000", .longVarint), ("01080000a1010100", .spanOutOfRange),
        ("0108000200", .indexOutOfRange), ("0108000301", .indexOutOfRange),
        ("010800fe8002027f01", .indexOutOfRange), ("0108000002000201", .trailingBytes),
        ("01080000020002", .emptyEdge),
        ("01080000020100", .truncated), ("0108000002010001", .emptyEdge),
        ("010800000300010001", .emptyRun), ("01080000030100000100", .emptyRun),
        ("0108000003010009", .emptyRun), ("010800000000", .trailingBytes),
        ("01088180808080800000", .longVarint), ("010880808080808001000000", .countOutOfRange),
        ("010800000180808080808001", .countOutOfRange),
        ("010800000280808080802001", .countOutOfRange),
        ("0108ffffffffffffffffff02", .longVarint), ("0G", .notHex), ("010A", .notHex),
    ])
    func `refuses a malformed histogram with its fault`(hex: String, fault: HistogramFault) {
        do {
            let histogram = try ExponentialHistogram(wireHex: hex)
            Issue.record("expected \(fault), got \(histogram)")
        } catch {
            guard case .histogram(let found, _) = error else {
                Issue.record("expected a histogram fault, got \(error)")
                return
            }
            #expect(found == fault)
        }
    }

    @Test func `refuses more bytes than any histogram has, before reading them`() {
        #expect(throws: TelemetryError.histogram(.tooLong, offset: 0)) {
            try ExponentialHistogram(wireBytes: [UInt8](repeating: 0, count: 1_025))
        }
        #expect(throws: TelemetryError.histogram(.tooLong, offset: 0)) {
            try ExponentialHistogram(wireHex: String(repeating: "0", count: 2_050))
        }
    }

    @Test(arguments: [(40, 60), (280, 100), (2_000, 130), (100_000, 200)])
    func `stays as small as the page says`(turns: Int, limit: Int) {
        var generator = SeededGenerator(seed: UInt64(turns))
        var histogram = ExponentialHistogram()
        for _ in 0..<turns {
            let sum = (0..<12).reduce(0.0) { sum, _ in
                sum + Double.random(in: 0...1, using: &generator)
            }
            histogram.record(400 * exp2(0.65 * (sum - 6)))
        }
        #expect(histogram.wireBytes.count <= limit)
    }
}
