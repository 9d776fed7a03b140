package import Primitives

/// What one utterance cost and gave: the least CPU time of the repeats, and two quantiles of their wall time.
package struct UtteranceResult: Sendable, Hashable {
    package let wav: TargetPath
    package let transcript: String
    package let audioMilliseconds: Int64
    package let cpuMicroseconds: Int64
    package let wallP50Microseconds: Int64
    package let wallP95Microseconds: Int64

    package init(
        wav: TargetPath, transcript: String, audioMilliseconds: Int64, cpuMicroseconds: Int64,
        wallP50Microseconds: Int64, wallP95Microseconds: Int64
    ) {
        self.wav = wav
        self.transcript = transcript
        self.audioMilliseconds = audioMilliseconds
        self.cpuMicroseconds = cpuMicroseconds
        self.wallP50Microseconds = wallP50Microseconds
        self.wallP95Microseconds = wallP95Microseconds
    }

    init(_ json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        let time: ClosedRange<Int64> = 0...3_600_000_000
        wav = try fields.parse("wav", TargetPath.expected) { TargetPath($0) }
        transcript = try fields.string("transcript", limit: SmokeResult.transcriptLimit)
        audioMilliseconds = try fields.integer(
            "audio_ms", in: 1...Int64(Wave.longestMilliseconds))
        cpuMicroseconds = try fields.integer("cpu_us", in: time)
        wallP50Microseconds = try fields.integer("wall_p50_us", in: time)
        wallP95Microseconds = try fields.integer("wall_p95_us", in: time)
        try fields.refuseUnknown()
    }

    package var json: JSON {
        [
            "wav": .string(wav.description), "transcript": .string(transcript),
            "audio_ms": .integer(audioMilliseconds), "cpu_us": .integer(cpuMicroseconds),
            "wall_p50_us": .integer(wallP50Microseconds),
            "wall_p95_us": .integer(wallP95Microseconds),
        ]
    }
}

/// Where the time of a smoke test went, in microseconds of wall time, over all utterances.
///
/// `decode` and its neighbours are of each utterance's fastest repeat.
package struct SmokeParts: Sendable, Hashable {
    /// Opening the runtime's shared libraries.
    package let open: Int64
    /// Making the recogniser: reading the model and its tokens.
    package let load: Int64
    /// Handing over samples, with feature extraction.
    package let accept: Int64
    /// Running the model and its search.
    package let decode: Int64
    /// Taking the transcript out.
    package let result: Int64

    package init(open: Int64, load: Int64, accept: Int64, decode: Int64, result: Int64) {
        self.open = open
        self.load = load
        self.accept = accept
        self.decode = decode
        self.result = result
    }

    init(_ json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        let time: ClosedRange<Int64> = 0...3_600_000_000
        open = try fields.integer("open_us", in: time)
        load = try fields.integer("load_us", in: time)
        accept = try fields.integer("accept_us", in: time)
        decode = try fields.integer("decode_us", in: time)
        result = try fields.integer("result_us", in: time)
        try fields.refuseUnknown()
    }

    package var json: JSON {
        [
            "open_us": .integer(open), "load_us": .integer(load), "accept_us": .integer(accept),
            "decode_us": .integer(decode), "result_us": .integer(result),
        ]
    }
}

/// The figures of a complete smoke test.
package struct SmokeFigures: Sendable, Hashable {
    package let runtimeVersion: String
    package let repeats: Int64
    package let peakResidentBytes: Int64
    package let parts: SmokeParts
    package let utterances: [UtteranceResult]

    package init(
        runtimeVersion: String, repeats: Int64, peakResidentBytes: Int64, parts: SmokeParts,
        utterances: [UtteranceResult]
    ) {
        self.runtimeVersion = runtimeVersion
        self.repeats = repeats
        self.peakResidentBytes = peakResidentBytes
        self.parts = parts
        self.utterances = utterances
    }
}

/// The one line that `fieldfare-smoke` prints (docs/formats/smoke-result.md): figures, or why there are none.
///
/// Example: `{"schema":"fieldfare.smoke-result/1","failure":"null-create"}`.
package enum SmokeResult: Sendable, Hashable {
    case complete(SmokeFigures)
    /// The runtime answered that it cannot make a recogniser of these files.
    case nullCreate
    /// An allocation was refused, under the limit that the parent process set.
    case outOfMemory

    package static let schema = "fieldfare.smoke-result/1"
    /// Bytes of the line, with its newline; a parent reads no more.
    package static let byteLimit = 1 << 20
    package static let transcriptLimit = 8_192

    package static let nullCreateWord = "null-create"
    package static let outOfMemoryWord = "memory"

    /// Reads what a child printed: one line, and nothing before or after it.
    package init(parsing bytes: [UInt8]) throws(SpeechError) {
        let json: JSON
        do { json = try JSON(parsing: bytes, limit: Self.byteLimit) } catch { throw .json(error) }
        do { try self.init(json) } catch { throw .field(error) }
    }

    init(_ json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        _ = try fields.parse("schema", "'\(Self.schema)'") { $0 == Self.schema ? $0 : nil }
        let words = "\(Self.nullCreateWord) or \(Self.outOfMemoryWord)"
        let failure = try fields.optionalParse("failure", words) { text -> SmokeResult? in
            switch text {
            case Self.nullCreateWord: .nullCreate
            case Self.outOfMemoryWord: .outOfMemory
            default: nil
            }
        }
        if let failure { self = failure } else { self = .complete(try SmokeFigures(&fields)) }
        try fields.refuseUnknown()
    }

    /// The line, with its newline.
    package var line: [UInt8] { json.bytes + [0x0A] }

    package var json: JSON {
        switch self {
        case .complete(let figures): figures.json
        case .nullCreate: ["schema": .string(Self.schema), "failure": .string(Self.nullCreateWord)]
        case .outOfMemory:
            ["schema": .string(Self.schema), "failure": .string(Self.outOfMemoryWord)]
        }
    }
}

extension SmokeFigures {
    init(_ fields: inout Fields) throws(FieldError) {
        runtimeVersion = try fields.string("runtime_version", limit: 64)
        repeats = try fields.integer("repeats", in: 1...1_000)
        peakResidentBytes = try fields.integer("peak_rss_bytes", in: 0...Int64.max)
        parts = try SmokeParts(try fields.value("parts", "an object"), at: "parts")
        var utterances: [UtteranceResult] = []
        for element in try fields.array("utterances", limit: SmokeSuite.utteranceLimit) {
            utterances.append(try UtteranceResult(element.json, at: element.path))
        }
        self.utterances = utterances
    }

    package var json: JSON {
        [
            "schema": .string(SmokeResult.schema), "runtime_version": .string(runtimeVersion),
            "repeats": .integer(repeats), "peak_rss_bytes": .integer(peakResidentBytes),
            "parts": parts.json, "utterances": .array(utterances.map(\.json)),
        ]
    }
}
