import ModelBundle
import Primitives
import Testing

/// The files of a bundle in memory; any of them can be missing, or refuse to be read.
struct MemoryFiles: BundleFiles {
    var contents: [String: [UInt8]]
    var broken: Set<String> = []

    func length(of path: TargetPath) throws(BundleFileError) -> Int64? {
        contents[path.description].map { Int64($0.count) }
    }

    func read(_ path: TargetPath, at offset: Int64, count: Int) throws(BundleFileError) -> [UInt8] {
        guard !broken.contains(path.description), let bytes = contents[path.description],
            offset >= 0, Int(offset) + count <= bytes.count
        else { throw BundleFileError(path: path, reason: "the disk says no") }
        return Array(bytes[Int(offset)..<Int(offset) + count])
    }
}

/// A whole bundle that is right, for tests to make wrong.
struct SampleBundle {
    var description: JSON = Self.description
    var files = MemoryFiles(contents: Self.contents)

    static let created = UTCTime(clamping: 1_795_000_000)

    static let description: JSON = [
        "schema": "fieldfare.bundle/1", "task": "asr", "model": "tones-en", "version": "1.2.0",
        "locales": ["en-GB", "en-US"],
        "runtime": [
            "engine": "sherpa-onnx", "min_version": "2.0.1", "family": "nemo_ctc",
            "model": "model.onnx", "tokens": "tokens.txt",
            "features": [
                "sample_rate": 16000, "bins": 80, "normalize": "per_feature", "subsampling": 2,
            ],
        ],
        "smoke": [
            "utterances": [
                ["wav": "utterances/a.wav", "transcript": "low high", "locale": "en-GB"],
                ["wav": "utterances/b.wav", "transcript": "mid", "locale": "en-US"],
            ],
            "max_wer": "10%", "max_cpu_ms_per_audio_s": ["default": 20],
        ],
        "requirements": [
            "arch": ["x86_64", "aarch64"], "min_memory": "128 MiB", "min_disk": "64 MiB",
            "min_agent": "0.1.0",
        ],
        "io_schema": "schemas/io.json", "telemetry_schema": "schemas/telemetry.json",
        "compatibility": ["mode": "backward", "supersedes": "1.1.0"],
        "model_card": "model-card.json", "routing_policy": "routing.json",
        "provenance": [
            "source_commit": "0123456789abcdef0123456789abcdef01234567",
            "pipeline_url": "https://ci.example/runs/7", "builder": "ci", "derived_from": "1.1.0",
        ],
        "rollback_floor": "1.0.0", "files": ["NOTICE"],
    ]

    static let card: JSON = [
        "schema": "fieldfare.model-card/1", "intended_use": "Tests.", "languages": ["English"],
        "licence": "Apache-2.0", "training_data": "Three tones.",
        "measured_wer": ["en-GB": 26, "en-US": 30], "limits": "Hears tones only.",
    ]

    static let contents: [String: [UInt8]] = [
        "model.onnx": OnnxBytes().bytes,
        "tokens.txt": Array("\u{2581}low 0\n\u{2581}mid 1\n\u{2581}high 2\n<blk> 3\n".utf8),
        "utterances/a.wav": wave(samples: 8_000), "utterances/b.wav": wave(samples: 6_000),
        "schemas/io.json": Array("{}".utf8), "schemas/telemetry.json": Array("[]".utf8),
        "model-card.json": card.prettyBytes, "routing.json": Array("{}".utf8),
        "NOTICE": Array("Made by a test.\n".utf8),
    ]

    /// A WAV file of 16-bit mono sound at a rate.
    static func wave(samples: Int, rate: Int = 16_000) -> [UInt8] {
        func number(_ value: Int, _ width: Int) -> [UInt8] {
            (0..<width).map { UInt8(value >> (8 * $0) & 0xFF) }
        }
        let data = (0..<samples).flatMap { number($0 & 0x7FFF, 2) }
        let body =
            Array("WAVEfmt ".utf8) + number(16, 4) + number(1, 2) + number(1, 2) + number(rate, 4)
            + number(2 * rate, 4) + number(2, 2) + number(16, 2) + Array("data".utf8)
            + number(data.count, 4) + data
        return Array("RIFF".utf8) + number(body.count, 4) + body
    }

    func read() throws -> BundleDescription { try BundleDescription(description) }

    func build() throws -> BuiltBundle {
        try BundleBuilder.build(try read(), from: files, created: Self.created)
    }

    func problems() throws -> [BundleProblem] {
        BundleCheck.problems(of: try read(), in: files)
    }

    /// Puts another value, or none, at a path of the description.
    mutating func set(_ path: String, _ value: JSON?) {
        description = description.setting(path.split(separator: ".")[...], value)
    }
}

extension JSON {
    /// The document with another value, or none, at a path of keys and indices.
    func setting(_ path: ArraySlice<Substring>, _ value: JSON?) -> JSON {
        guard let key = path.first else { return value ?? .null }
        if case .array(var elements) = self, let index = Int(key) {
            elements[index] = elements[index].setting(path.dropFirst(), value)
            return .array(elements)
        }
        var fields = object ?? [:]
        let old = fields[String(key)] ?? .null
        fields[String(key)] = path.count == 1 ? value : old.setting(path.dropFirst(), value)
        return .object(fields)
    }
}
