/// The sound of one packaged utterance: 16 kHz, one channel, 16-bit PCM, more than 300 ms and at most 60 s.
///
/// Read from a RIFF WAVE file (Multimedia Programming Interface and Data Specifications 1.0), strictly: what
/// the header declares must be what the file holds, so that two readers cannot hear two things.
package struct Wave: Sendable, Hashable, CustomStringConvertible {
    package static let sampleRate = 16_000
    /// Sound must last longer than this; one feature frame is 25 ms, and fewer samples end the process.
    package static let shortestMilliseconds = 300
    package static let longestMilliseconds = 60_000
    /// Bytes of a whole file: 60 s of sound, and 64 KiB for headers and notes.
    package static let fileLimit = sampleRate * 2 * 60 + 65_536

    package let samples: [Int16]

    /// Reads a whole file.
    ///
    /// - Throws: `WaveError`, one case for each malformation.
    package init(parsing bytes: [UInt8]) throws(WaveError) {
        guard bytes.count <= Self.fileLimit else {
            throw .tooManyBytes(limit: Self.fileLimit, found: bytes.count)
        }
        var chunks = try RIFFChunks(bytes)
        let data = try chunks.sound()
        guard data.count.isMultiple(of: 2) else { throw .oddDataLength(data.count) }
        samples = stride(from: data.startIndex, to: data.endIndex, by: 2).map { index in
            Int16(bitPattern: UInt16(data[index]) | UInt16(data[index + 1]) << 8)
        }
        let milliseconds = samples.count * 1_000 / Self.sampleRate
        guard samples.count > Self.shortestMilliseconds * Self.sampleRate / 1_000 else {
            throw .tooShort(milliseconds: milliseconds)
        }
        guard samples.count <= Self.longestMilliseconds * Self.sampleRate / 1_000 else {
            throw .tooLong(milliseconds: milliseconds)
        }
    }

    /// How long the sound lasts, rounded down.
    package var milliseconds: Int { samples.count * 1_000 / Self.sampleRate }

    /// Its length alone: a failed test would otherwise print every sample.
    package var description: String { "\(milliseconds) ms of sound" }

    /// The samples as sherpa-onnx wants them, each in -1 ..< 1.
    package var normalised: [Float] { samples.map { Float($0) / 32_768 } }
}

/// Walks the chunks of a RIFF file, and knows which ones matter.
private struct RIFFChunks {
    private let bytes: [UInt8]
    private var position = 12

    init(_ bytes: [UInt8]) throws(WaveError) {
        guard bytes.count >= 12 else { throw .tooShortForHeader(bytes: bytes.count) }
        guard bytes[0..<4].elementsEqual("RIFF".utf8) else { throw .notRIFF }
        guard bytes[8..<12].elementsEqual("WAVE".utf8) else { throw .notWAVE }
        let declared = RIFFChunks.number(bytes[4..<8])
        guard declared == bytes.count - 8 else {
            throw .riffLength(declared: declared, found: bytes.count - 8)
        }
        self.bytes = bytes
    }

    /// The samples' bytes, after the format has been found and judged.
    mutating func sound() throws(WaveError) -> ArraySlice<UInt8> {
        var format = false
        var data: ArraySlice<UInt8>?
        while position < bytes.count {
            let (id, body) = try next()
            switch id {
            case "fmt ":
                guard !format else { throw .repeatedChunk(id: id) }
                try Self.judge(format: body)
                format = true
            case "data":
                guard format else { throw .dataBeforeFormat }
                guard data == nil else { throw .repeatedChunk(id: id) }
                data = body
            default: break
            }
        }
        guard format else { throw .missingFormat }
        guard let data else { throw .missingData }
        return data
    }

    private mutating func next() throws(WaveError) -> (id: String, body: ArraySlice<UInt8>) {
        let left = bytes.count - position
        guard left >= 8 else { throw .truncatedChunk(id: "header", declared: 8, left: left) }
        let id = String(
            decoding: bytes[position..<position + 4].map { (0x20...0x7E).contains($0) ? $0 : 0x3F },
            as: UTF8.self)
        let length = Self.number(bytes[position + 4..<position + 8])
        guard length <= left - 8 else {
            throw .truncatedChunk(id: id, declared: length, left: left - 8)
        }
        let start = position + 8
        position = start + length
        // A chunk of odd length is followed by one byte of padding; writers may leave it out at the end.
        if !length.isMultiple(of: 2), position < bytes.count { position += 1 }
        return (id, bytes[start..<start + length])
    }

    private static func judge(format body: ArraySlice<UInt8>) throws(WaveError) {
        guard (16...40).contains(body.count) else { throw .formatLength(body.count) }
        func field(_ offset: Int, _ width: Int) -> Int {
            number(body[body.startIndex + offset..<body.startIndex + offset + width])
        }
        guard field(0, 2) == 1 else { throw .notPCM(formatTag: field(0, 2)) }
        guard field(2, 2) == 1 else { throw .channels(field(2, 2)) }
        guard field(4, 4) == Wave.sampleRate else { throw .sampleRate(field(4, 4)) }
        guard field(14, 2) == 16 else { throw .bitsPerSample(field(14, 2)) }
        guard field(12, 2) == 2 else { throw .blockAlignment(declared: field(12, 2), expected: 2) }
        guard field(8, 4) == 2 * Wave.sampleRate else {
            throw .byteRate(declared: field(8, 4), expected: 2 * Wave.sampleRate)
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
