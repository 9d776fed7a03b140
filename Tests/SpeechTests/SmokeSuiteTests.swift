import Primitives
import Speech
import Testing

struct SmokeSuiteTests {
    @Test func `reads a job, and writes the same again`() throws {
        let job = try SmokeJob(parsing: SmokeSamples.job.bytes)
        #expect(job.json == SmokeSamples.job)
        #expect(job.settings.family == .nemoCTC)
        #expect(
            job.settings.features == FeatureSettings(normalisation: .perFeature, subsampling: 2))
        #expect(job.suite.utterances.map(\.transcript) == ["turn on the light", "stop"])
        #expect(job.suite.timeoutMilliseconds == 10_000)
        #expect(job.suite.memoryLimit == 512 << 20)
    }

    @Test func `looks at no other field of a manifest`() throws {
        var fields = try #require(SmokeSamples.job.object)
        fields["files"] = ["anything": 1]
        #expect(try SmokeJob(JSON.object(fields)).json == SmokeSamples.job)
    }

    @Test func `gives a class without a budget of its own the default one`() throws {
        let budget = try SmokeSamples.suite().cpuBudget
        #expect(budget[try SmokeSamples.deviceClass("edge-a")] == 5)
        #expect(budget[try SmokeSamples.deviceClass("edge-z")] == 20)
    }

    /// What is put where, and the field that is then refused.
    static let faults: [(path: [String], value: JSON?, field: String)] = [
        (["runtime"], nil, "runtime"),
        (["runtime", "engine"], "whisper", "runtime.engine"),
        (["runtime", "min_version"], "2", "runtime.min_version"),
        (["runtime", "family"], "wenet_ctc", "runtime.family"),
        (["runtime", "model"], "../model.onnx", "runtime.model"),
        (["runtime", "tokens"], "/etc/passwd", "runtime.tokens"),
        (["runtime", "threads"], 4, "runtime.threads"),
        (["runtime", "features", "sample_rate"], 8000, "runtime.features.sample_rate"),
        (["runtime", "features", "bins"], 64, "runtime.features.bins"),
        (["runtime", "features", "normalize"], "all", "runtime.features.normalize"),
        (["runtime", "features", "subsampling"], 0, "runtime.features.subsampling"),
        (["runtime", "features", "dither"], 1, "runtime.features.dither"),
        (["smoke"], nil, "smoke"),
        (["smoke", "utterances"], [], "smoke.utterances"),
        (["smoke", "max_wer"], 1001, "smoke.max_wer"),
        (["smoke", "max_wer"], -1, "smoke.max_wer"),
        (["smoke", "timeout_ms"], 0, "smoke.timeout_ms"),
        (["smoke", "memory_limit"], 1, "smoke.memory_limit"),
        (["smoke", "max_cpu_ms_per_audio_s"], [:], "smoke.max_cpu_ms_per_audio_s.default"),
        (
            ["smoke", "max_cpu_ms_per_audio_s"], ["default": 0],
            "smoke.max_cpu_ms_per_audio_s.default"
        ),
        (
            ["smoke", "max_cpu_ms_per_audio_s"], ["default": 1, "a b": 2],
            "smoke.max_cpu_ms_per_audio_s.a b"
        ),
        (
            ["smoke", "max_cpu_ms_per_audio_s"], ["default": 1, "a": 0],
            "smoke.max_cpu_ms_per_audio_s.a"
        ),
        (["smoke", "extra"], 1, "smoke.extra"),
    ]

    @Test(arguments: faults.indices)
    func `refuses a wrong field by its path`(index: Int) throws {
        let (path, value, field) = Self.faults[index]
        let job = Self.setting(path[...], value, in: SmokeSamples.job)
        let error = try #require(throws: FieldError.self) { try SmokeJob(job) }
        #expect(error.path == field)
    }

    static let utterances: [(JSON, String)] = [
        (["wav": "a.wav", "transcript": "x"], "smoke.utterances[0].locale"),
        (["wav": "../a.wav", "transcript": "x", "locale": "en"], "smoke.utterances[0].wav"),
        (["wav": "a.wav", "transcript": 5, "locale": "en"], "smoke.utterances[0].transcript"),
        (["wav": "a.wav", "transcript": "a\nb", "locale": "en"], "smoke.utterances[0].transcript"),
        (["wav": "a.wav", "transcript": "...", "locale": "en"], "smoke.utterances"),
        (["wav": "a.wav", "transcript": "", "locale": "en"], "smoke.utterances"),
        (["wav": "a.wav", "transcript": "x", "locale": "en", "b": 1], "smoke.utterances[0].b"),
    ]

    @Test(arguments: utterances.indices)
    func `refuses a wrong utterance by its path`(index: Int) throws {
        let (utterance, field) = Self.utterances[index]
        let job = Self.setting(["smoke", "utterances"], [utterance], in: SmokeSamples.job)
        let error = try #require(throws: FieldError.self) { try SmokeJob(job) }
        #expect(error.path == field)
    }

    @Test func `refuses one WAV twice, and more utterances than the limit`() throws {
        let one: JSON = ["wav": "a.wav", "transcript": "x", "locale": "en"]
        let twice = Self.setting(["smoke", "utterances"], [one, one], in: SmokeSamples.job)
        #expect(
            throws: FieldError(
                path: "smoke.utterances", expected: "each WAV once", found: "one twice")
        ) { try SmokeJob(twice) }
        let many = (0..<65).map { index -> JSON in
            ["wav": .string("\(index).wav"), "transcript": "x", "locale": "en"]
        }
        let long = Self.setting(["smoke", "utterances"], .array(many), in: SmokeSamples.job)
        #expect(
            throws: FieldError(
                path: "smoke.utterances", expected: "at most 64 elements", found: "65")
        ) { try SmokeJob(long) }
    }

    @Test func `tells bad JSON from a bad field, in words`() throws {
        let broken = try #require(throws: SpeechError.self) {
            try SmokeJob(parsing: Array("{".utf8))
        }
        #expect(broken == .json(.unexpectedEnd(offset: 1)))
        #expect(broken.description == "JSON at byte 1: expected more, got the end of the text")
        let empty = try #require(throws: SpeechError.self) {
            try SmokeJob(parsing: Array("{}".utf8))
        }
        #expect(empty.description == "field 'runtime': expected an object, got nothing")
    }

    /// The document with another value, or none, at a path.
    private static func setting(
        _ path: ArraySlice<String>, _ value: JSON?, in json: JSON
    ) -> JSON {
        guard let key = path.first else { return value ?? .null }
        var fields = json.object ?? [:]
        if path.count == 1 {
            fields[key] = value
        } else {
            fields[key] = setting(path.dropFirst(), value, in: fields[key] ?? .null)
        }
        return .object(fields)
    }
}
