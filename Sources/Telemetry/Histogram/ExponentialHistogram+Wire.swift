private import Primitives

/// What is wrong with the bytes of a histogram.
package enum HistogramFault: String, Sendable, Hashable {
    case tooLong = "at most 1,024 bytes"
    case truncated = "more bytes"
    case unknownVersion = "version 1"
    case longVarint = "the shortest form of a varint of 64 bits"
    case scaleOutOfRange = "a scale of -3 to 4"
    case indexOutOfRange = "an index that a finite value of at least 1 can have"
    case spanOutOfRange = "at most 160 buckets"
    case emptyEdge = "a first and a last bucket that are not empty"
    case emptyRun = "runs of empty buckets that are not split, not 0 and within the span"
    case countOutOfRange = "at most 2^40 values"
    case trailingBytes = "the end of the bytes"
    case notHex = "lower-case hexadecimal"
}

extension ExponentialHistogram {
    /// The longest form that is read; what is written of at most `wireCountLimit` values stays below it.
    package static let wireByteLimit = 1_024
    /// The largest count of values that is read.
    package static let wireCountLimit: UInt64 = 1 << 40
    package static let wireVersion: UInt8 = 1

    /// The wire form of `docs/formats/histogram.md`, one spelling per value: version, zig-zag varint scale,
    /// zero count, zig-zag varint first index, bucket span, then the counts, where 0 and a length stand for
    /// a run of empty buckets.
    package var wireBytes: [UInt8] {
        var bytes = [Self.wireVersion]
        Varint.write(Varint.zigZag(Int64(scale)), to: &bytes)
        Varint.write(zeroCount, to: &bytes)
        Varint.write(Varint.zigZag(Int64(offset)), to: &bytes)
        Varint.write(UInt64(counts.count), to: &bytes)
        var run: UInt64 = 0
        for count in counts {
            guard count > 0 else {
                run += 1
                continue
            }
            if run > 0 {
                bytes.append(0)
                Varint.write(run, to: &bytes)
                run = 0
            }
            Varint.write(count, to: &bytes)
        }
        return bytes
    }

    /// Reads the wire form; whatever the bytes are, it allocates at most 160 counts.
    ///
    /// - Throws: `TelemetryError.histogram`; every form but the one that `wireBytes` writes is refused.
    package init(wireBytes bytes: [UInt8]) throws(TelemetryError) {
        guard bytes.count <= Self.wireByteLimit else { throw .histogram(.tooLong, offset: 0) }
        var reader = WireReader(bytes: bytes)
        guard try reader.byte() == Self.wireVersion else {
            throw .histogram(.unknownVersion, offset: 0)
        }
        let scale = Varint.unZigZag(try reader.varint())
        guard (Int64(Self.leastScale)...Int64(Self.startScale)).contains(scale) else {
            throw reader.fault(.scaleOutOfRange)
        }
        let zeroCount = try reader.varint()
        let offset = Varint.unZigZag(try reader.varint())
        let span = try reader.varint()
        guard span <= UInt64(Self.bucketLimit) else { throw reader.fault(.spanOutOfRange) }
        let indexes = Self.indexes(atScale: Int(scale))
        let allowed = Int64(indexes.lowerBound)...Int64(indexes.upperBound)
        guard span == 0 ? offset == 0 : allowed.contains(offset),
            span == 0 || allowed.contains(offset + Int64(span) - 1)
        else { throw reader.fault(.indexOutOfRange) }
        let counts = try reader.counts(Int(span), total: zeroCount)
        guard reader.isAtEnd else { throw reader.fault(.trailingBytes) }
        guard
            let histogram = Self(
                scale: Int(scale), offset: Int(offset), counts: counts, zeroCount: zeroCount)
        else { throw reader.fault(.emptyEdge) }
        self = histogram
    }

    /// The wire form in hexadecimal, as reports carry it.
    package var wireHex: String { Hex.encode(wireBytes) }

    /// Reads the wire form from lower-case hexadecimal.
    package init(wireHex text: String) throws(TelemetryError) {
        guard text.utf8.count <= 2 * Self.wireByteLimit else {
            throw .histogram(.tooLong, offset: 0)
        }
        guard let bytes = Hex.decode(text) else { throw .histogram(.notHex, offset: 0) }
        try self.init(wireBytes: bytes)
    }
}

/// Reads the wire form of a histogram from its first byte to its last.
private struct WireReader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    func fault(_ fault: HistogramFault) -> TelemetryError { .histogram(fault, offset: position) }

    mutating func byte() throws(TelemetryError) -> UInt8 {
        guard position < bytes.count else { throw fault(.truncated) }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func varint() throws(TelemetryError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0 as UInt64, to: 70, by: 7) {
            let byte = try byte()
            let part = UInt64(byte & 0x7F)
            guard shift < 63 || part <= 1, byte != 0 || shift == 0 else { throw fault(.longVarint) }
            value |= part << shift
            if byte & 0x80 == 0 { return value }
        }
        throw fault(.longVarint)
    }

    /// The counts of `span` buckets; with `total` they hold at most `wireCountLimit` values.
    mutating func counts(_ span: Int, total: UInt64) throws(TelemetryError) -> [UInt64] {
        let limit = ExponentialHistogram.wireCountLimit
        guard total <= limit else { throw fault(.countOutOfRange) }
        var total = total
        var counts: [UInt64] = []
        counts.reserveCapacity(span)
        while counts.count < span {
            let count = try varint()
            if count > 0 {
                guard count <= limit - total else { throw fault(.countOutOfRange) }
                total += count
                counts.append(count)
                continue
            }
            let run = try varint()
            guard run > 0, run <= UInt64(span - counts.count), counts.isEmpty || counts.last != 0
            else { throw fault(.emptyRun) }
            counts.append(contentsOf: repeatElement(0, count: Int(run)))
        }
        return counts
    }
}
