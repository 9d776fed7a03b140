import Primitives
import Speech

/// Parts of smoke tests that are right, for tests to make wrong.
enum SmokeSamples {
    static let runtime: JSON = [
        "engine": "sherpa-onnx", "min_version": "2.0.1", "family": "nemo_ctc",
        "model": "model.onnx", "tokens": "tokens.txt",
        "features": [
            "sample_rate": 16000, "bins": 80, "normalize": "per_feature", "subsampling": 2,
        ],
    ]

    static let smoke: JSON = [
        "utterances": [
            ["wav": "u/1.wav", "transcript": "turn on the light", "locale": "en-GB"],
            ["wav": "u/2.wav", "transcript": "stop", "locale": "en-US"],
        ],
        "max_wer": 100, "max_cpu_ms_per_audio_s": ["default": 20, "edge-a": 5],
        "timeout_ms": 10000, "memory_limit": 536_870_912,
    ]

    static let job: JSON = ["runtime": runtime, "smoke": smoke]

    static func suite() throws -> SmokeSuite { try SmokeSuite(smoke, at: "smoke") }

    static func deviceClass(_ text: String = "edge-b") throws -> AttributeName {
        try required(AttributeName(text))
    }

    /// The result of a good run of the suite: 2 s and 1 s of sound.
    static func figures(
        _ transcripts: [String] = ["turn on the light", "stop"], cpu: [Int64] = [4_000, 2_000],
        resident: Int64 = 30 << 20, wavs: [String] = ["u/1.wav", "u/2.wav"]
    ) throws -> SmokeFigures {
        var results: [UtteranceResult] = []
        for index in transcripts.indices {
            results.append(
                UtteranceResult(
                    wav: try required(TargetPath(wavs[index])), transcript: transcripts[index],
                    audioMilliseconds: index == 0 ? 2_000 : 1_000, cpuMicroseconds: cpu[index],
                    wallP50Microseconds: cpu[index] + 10, wallP95Microseconds: cpu[index] + 90))
        }
        return SmokeFigures(
            runtimeVersion: "2.0.1", repeats: 5, peakResidentBytes: resident,
            parts: SmokeParts(open: 20_000, load: 15_000, accept: 5_000, decode: 900, result: 9),
            utterances: results)
    }

    static func end(
        _ ending: ChildEnd.Ending = .exited(0), _ result: SmokeResult? = nil,
        output: [UInt8] = [], cpu: Int64 = 40
    ) -> ChildEnd {
        ChildEnd(ending: ending, output: result?.line ?? output, cpuMilliseconds: cpu)
    }
}

/// A value that the sample was written to have.
struct SampleError: Error {}

/// The value, or an error that fails the test which asked for the sample.
private func required<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw SampleError() }
    return value
}
