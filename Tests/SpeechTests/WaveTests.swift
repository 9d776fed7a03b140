import Speech
import TestSupport
import Testing

struct WaveTests {
    @Test func `reads sixteen-bit mono sound at 16 kHz`() throws {
        let wave = try Wave(parsing: WaveBytes(samples: 8_000).bytes)
        #expect(wave.samples.count == 8_000)
        #expect(wave.samples[0] == -100)
        #expect(wave.samples[101] == 1)
        #expect(wave.milliseconds == 500)
        #expect(wave.normalised[0] == -100.0 / 32_768)
    }

    @Test func `skips chunks that it does not know, with their padding`() throws {
        var bytes = WaveBytes(samples: 8_000)
        bytes.before = [("LIST", [1, 2, 3])]
        bytes.after = [("note", [9]), ("id3 ", [])]
        bytes.formatPadding = 2
        #expect(try Wave(parsing: bytes.bytes).samples.count == 8_000)
    }

    @Test func `takes the last odd chunk without its padding`() throws {
        var bytes = WaveBytes(samples: 8_000)
        bytes.after = [("note", [9])]
        var file = bytes.bytes
        file.removeLast()
        file.replaceSubrange(4..<8, with: WaveBytes.number(file.count - 8, 4))
        #expect(try Wave(parsing: file).samples.count == 8_000)
    }

    static let faults: [(String, @Sendable (inout WaveBytes) -> Void, WaveError)] = [
        ("another container", { $0.riff = Array("RIFX".utf8) }, .notRIFF),
        ("another kind", { $0.kind = Array("AVI ".utf8) }, .notWAVE),
        ("a longer claim", { $0.lengthError = 4 }, .riffLength(declared: 16_040, found: 16_036)),
        ("a shorter claim", { $0.lengthError = -1 }, .riffLength(declared: 16_035, found: 16_036)),
        (
            "no format",
            {
                $0.withFormat = false
                $0.withData = false
            }, .missingFormat
        ),
        ("no data", { $0.withData = false }, .missingData),
        ("data first", { $0.formatFirst = false }, .dataBeforeFormat),
        ("two data chunks", { $0.after = [("data", [0, 0])] }, .repeatedChunk(id: "data")),
        (
            "two formats",
            { $0.before = [("fmt ", WaveBytes.formatBody)] }, .repeatedChunk(id: "fmt ")
        ),
        ("a short format", { $0.before = [("fmt ", [1, 0])] }, .formatLength(2)),
        ("a long format", { $0.formatPadding = 26 }, .formatLength(42)),
        ("float", { $0.format = 3 }, .notPCM(formatTag: 3)),
        ("extensible", { $0.format = 0xFFFE }, .notPCM(formatTag: 0xFFFE)),
        ("stereo", { $0.channels = 2 }, .channels(2)),
        ("no channel", { $0.channels = 0 }, .channels(0)),
        ("8 kHz", { $0.rate = 8_000 }, .sampleRate(8_000)),
        ("no rate", { $0.rate = 0 }, .sampleRate(0)),
        ("8 bits", { $0.bits = 8 }, .bitsPerSample(8)),
        ("a wrong block", { $0.blockAlignment = 4 }, .blockAlignment(declared: 4, expected: 2)),
        ("a wrong byte rate", { $0.byteRate = 1 }, .byteRate(declared: 1, expected: 32_000)),
        ("half a sample", { $0.data.removeLast() }, .oddDataLength(15_999)),
        ("no samples", { $0.data = [] }, .tooShort(milliseconds: 0)),
    ]

    @Test(arguments: faults.indices)
    func `refuses each malformation by its own name`(index: Int) {
        let (name, change, error) = Self.faults[index]
        var bytes = WaveBytes(samples: 8_000)
        change(&bytes)
        #expect(throws: error, Comment(rawValue: name)) { try Wave(parsing: bytes.bytes) }
    }

    @Test func `refuses chunks that end beyond the file`() {
        var file = WaveBytes(samples: 8_000).bytes
        file.replaceSubrange(40..<44, with: WaveBytes.number(16_001, 4))
        #expect(throws: WaveError.truncatedChunk(id: "data", declared: 16_001, left: 16_000)) {
            try Wave(parsing: file)
        }
        var header = WaveBytes(samples: 8_000).bytes + [0x64, 0x61]
        header.replaceSubrange(4..<8, with: WaveBytes.number(header.count - 8, 4))
        #expect(throws: WaveError.truncatedChunk(id: "header", declared: 8, left: 2)) {
            try Wave(parsing: header)
        }
    }

    @Test(arguments: 0..<12)
    func `refuses what is too short for a header`(count: Int) {
        let file = Array(WaveBytes(samples: 8_000).bytes.prefix(count))
        #expect(throws: WaveError.tooShortForHeader(bytes: count)) { try Wave(parsing: file) }
    }

    @Test func `takes more than 300 ms and at most 60 s, to the sample`() throws {
        #expect(throws: WaveError.tooShort(milliseconds: 300)) {
            try Wave(parsing: WaveBytes(samples: 4_800).bytes)
        }
        #expect(try Wave(parsing: WaveBytes(samples: 4_801).bytes).milliseconds == 300)
        #expect(try Wave(parsing: WaveBytes(samples: 960_000).bytes).milliseconds == 60_000)
        #expect(throws: WaveError.tooLong(milliseconds: 60_000)) {
            try Wave(parsing: WaveBytes(samples: 960_001).bytes)
        }
    }

    @Test func `refuses more bytes than sound and notes can need, before it looks at them`() {
        let file = [UInt8](repeating: 0x52, count: Wave.fileLimit + 1)
        #expect(throws: WaveError.tooManyBytes(limit: 1_985_536, found: 1_985_537)) {
            try Wave(parsing: file)
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `answers any bytes with samples or a refusal`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bytes = WaveBytes(samples: 5_000)
        bytes.before = [("LIST", [1, 2, 3, 4, 5])]
        var file = bytes.bytes
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            file[Int.random(in: 0..<80, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        if Bool.random(using: &random) {
            file.removeLast(Int.random(in: 0..<file.count, using: &random))
        }
        // Whatever is taken holds within the limits; anything else is a WaveError by its type.
        if let wave = try? Wave(parsing: file) {
            #expect((4_801...960_000).contains(wave.samples.count))
        }
    }

    static let messages: [(WaveError, String)] = [
        (.tooShortForHeader(bytes: 3), "WAV: expected a header of 12 bytes, got 3"),
        (.notRIFF, "WAV: expected a RIFF file, got other bytes"),
        (.notWAVE, "WAV: expected a RIFF file of kind WAVE, got another kind"),
        (
            .riffLength(declared: 9, found: 8),
            "WAV: expected a RIFF chunk of 9 bytes, as declared, got 8"
        ),
        (
            .truncatedChunk(id: "data", declared: 9, left: 8),
            "WAV: expected 9 bytes in chunk 'data', as declared, got 8"
        ),
        (.missingFormat, "WAV: expected a 'fmt ' chunk, got none"),
        (.dataBeforeFormat, "WAV: expected the 'fmt ' chunk before 'data', got 'data' first"),
        (.repeatedChunk(id: "data"), "WAV: expected one 'data' chunk, got several"),
        (.formatLength(2), "WAV: expected a 'fmt ' chunk of 16 to 40 bytes, got 2"),
        (.notPCM(formatTag: 3), "WAV: expected PCM (format 1), got format 3"),
        (.channels(2), "WAV: expected 1 channel, got 2"),
        (.sampleRate(8_000), "WAV: expected 16000 Hz, got 8000 Hz"),
        (.bitsPerSample(8), "WAV: expected 16 bits a sample, got 8"),
        (.blockAlignment(declared: 4, expected: 2), "WAV: expected blocks of 2 bytes, got 4"),
        (
            .byteRate(declared: 1, expected: 32_000),
            "WAV: expected 32000 bytes a second, got 1"
        ),
        (.missingData, "WAV: expected a 'data' chunk, got none"),
        (.oddDataLength(3), "WAV: expected whole samples of 2 bytes, got 3 bytes"),
        (.tooShort(milliseconds: 3), "WAV: expected more than 300 ms of sound, got 3 ms"),
        (.tooLong(milliseconds: 60_001), "WAV: expected at most 60 s of sound, got 60001 ms"),
        (.tooManyBytes(limit: 5, found: 6), "WAV: expected at most 5 bytes, got 6"),
    ]

    @Test(arguments: messages.indices)
    func `says what was expected and what was found`(index: Int) {
        #expect(Self.messages[index].0.description == Self.messages[index].1)
    }
}

extension WaveBytes {
    /// The body of a right 'fmt ' chunk.
    static let formatBody: [UInt8] =
        number(1, 2) + number(1, 2) + number(16_000, 4) + number(32_000, 4) + number(2, 2)
        + number(16, 2)
}
