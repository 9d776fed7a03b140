package import Primitives

/// One packaged utterance and what was said in it.
package struct SmokeUtterance: Sendable, Hashable {
    package let wav: TargetPath
    /// What was said, as the model writes it; empty where nobody speaks.
    package let transcript: String
    package let locale: AttributeName

    package init(wav: TargetPath, transcript: String, locale: AttributeName) {
        self.wav = wav
        self.transcript = transcript
        self.locale = locale
    }

    package init(_ json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        wav = try fields.parse("wav", TargetPath.expected) { TargetPath($0) }
        transcript = try fields.string("transcript", limit: TranscriptWords.byteLimit)
        // Canonical JSON leaves control characters as they are, and would not be JSON any more.
        guard transcript.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw FieldError(
                path: fields.path(of: "transcript"), expected: "no control characters",
                found: "one")
        }
        locale = try fields.parse("locale", AttributeName.expected) { AttributeName($0) }
        try fields.refuseUnknown()
    }

    package var json: JSON {
        [
            "wav": .string(wav.description), "transcript": .string(transcript),
            "locale": .string(locale.description),
        ]
    }
}

/// How much CPU time a second of sound may cost, in milliseconds, by device class.
///
/// It is the least of five repeats after a warm-up that counts: wall time is noise.
package struct CPUBudget: Sendable, Hashable {
    package static let range: ClosedRange<Int64> = 1...1_000_000
    /// The entry that holds for every class that has none of its own.
    package static let defaultName = "default"

    package let standard: Int
    package let byDeviceClass: [AttributeName: Int]

    package init(standard: Int, byDeviceClass: [AttributeName: Int] = [:]) {
        precondition(Self.range.contains(Int64(standard)))
        self.standard = standard
        self.byDeviceClass = byDeviceClass
    }

    package subscript(deviceClass: AttributeName) -> Int {
        byDeviceClass[deviceClass] ?? standard
    }

    init(_ fields: inout Fields, _ key: String) throws(FieldError) {
        var inner = try fields.fields(key)
        standard = Int(try inner.integer(Self.defaultName, in: Self.range))
        var classes: [AttributeName: Int] = [:]
        for entry in try fields.map(key, limit: 256) where entry.name != Self.defaultName {
            guard let name = AttributeName(entry.name) else {
                throw FieldError(
                    path: entry.path, expected: AttributeName.expected, found: "'\(entry.name)'")
            }
            classes[name] = Int(try inner.integer(entry.name, in: Self.range))
        }
        byDeviceClass = classes
    }

    package var json: JSON {
        var fields: JSONObject = [Self.defaultName: .integer(Int64(standard))]
        for (name, budget) in byDeviceClass {
            fields[name.description] = .integer(Int64(budget))
        }
        return .object(fields)
    }
}

/// The packaged utterances and the bounds they are judged by: the manifest's `smoke`.
package struct SmokeSuite: Sendable, Hashable {
    package static let utteranceLimit = 64
    package static let timeoutRange: ClosedRange<Int64> = 1_000...600_000
    package static let memoryRange: ClosedRange<Int64> = (64 << 20)...(64 << 30)

    package let utterances: [SmokeUtterance]
    /// The word error rate over all utterances, at most, in thousandths.
    package let maximumWER: Int
    package let cpuBudget: CPUBudget
    /// Wall time of the whole child process, at most.
    package let timeoutMilliseconds: Int64
    /// Address space of the child process (RLIMIT_AS), and so its memory, at most, in bytes.
    package let memoryLimit: Int64

    /// - Throws: `FieldError` where the utterances hold not one word: the word error rate would
    ///   then judge nothing.
    package init(
        utterances: [SmokeUtterance], maximumWER: Int, cpuBudget: CPUBudget,
        timeoutMilliseconds: Int64 = 10_000, memoryLimit: Int64 = 512 << 20, at path: String = ""
    ) throws(FieldError) {
        let words = utterances.reduce(0) { $0 + TranscriptWords($1.transcript).words.count }
        let field = path.isEmpty ? "utterances" : "\(path).utterances"
        guard words > 0 else {
            throw FieldError(
                path: field, expected: "a transcript with words in it", found: "none")
        }
        let wavs = utterances.map(\.wav)
        guard Set(wavs).count == wavs.count else {
            throw FieldError(path: field, expected: "each WAV once", found: "one twice")
        }
        self.utterances = utterances
        self.maximumWER = maximumWER
        self.cpuBudget = cpuBudget
        self.timeoutMilliseconds = timeoutMilliseconds
        self.memoryLimit = memoryLimit
    }

    package init(_ json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        var utterances: [SmokeUtterance] = []
        for element in try fields.array("utterances", limit: Self.utteranceLimit) {
            utterances.append(try SmokeUtterance(element.json, at: element.path))
        }
        let maximumWER = Int(try fields.integer("max_wer", in: 0...1_000))
        let cpuBudget = try CPUBudget(&fields, "max_cpu_ms_per_audio_s")
        let timeout = try fields.integer("timeout_ms", in: Self.timeoutRange)
        let memory = try fields.integer("memory_limit", in: Self.memoryRange)
        try fields.refuseUnknown()
        try self.init(
            utterances: utterances, maximumWER: maximumWER, cpuBudget: cpuBudget,
            timeoutMilliseconds: timeout, memoryLimit: memory, at: path)
    }

    package var json: JSON {
        [
            "utterances": .array(utterances.map(\.json)), "max_wer": .integer(Int64(maximumWER)),
            "max_cpu_ms_per_audio_s": cpuBudget.json,
            "timeout_ms": .integer(timeoutMilliseconds), "memory_limit": .integer(memoryLimit),
        ]
    }
}
