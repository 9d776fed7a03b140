import Glibc
import Primitives
import Speech
import SpeechRuntime
import TestSupport

/// The real speech runtime and the real programs, for tests; nothing is skipped where they are missing.
enum RuntimeUnderTest {
    /// The folder of the unpacked runtime.
    ///
    /// - Throws: `SpeechRuntimeError.notFound`, which says `make setup`.
    static func folder() throws(SpeechRuntimeError) -> String {
        let environment = unsafe getenv(RuntimeFolder.variable).map { unsafe String(cString: $0) }
        return try RuntimeFolder.find(
            RuntimeFolder.candidates(
                named: nil, environment: environment, program: RepositoryFiles.path("a program")))
    }

    static func library() throws(SpeechRuntimeError) -> SpeechLibrary {
        try SpeechLibrary(folder: try folder())
    }

    /// The `fieldfare-smoke` that was built together with these tests.
    static func smokeProgram() throws(ChildError) -> String {
        try ChildProcess.program("fieldfare-smoke")
    }

    /// Runs a job, written to a file, over the files in `bundle`, as the slot host does.
    static func smoke(
        _ job: JSON, bundle: String, memory: Int64? = 512 << 20, timeout: Int32 = 120_000,
        script: String = ""
    ) throws -> ChildProcess {
        let scratch = ScratchFolder("smoke")
        let suite = scratch.path("manifest.json")
        try write(job.bytes, to: suite)
        return try ChildProcess(
            [
                try smokeProgram(), "--bundle", bundle, "--suite", suite, "--runtime",
                try folder(),
            ], memory: memory, timeout: timeout, script: script)
    }

    static func write(_ bytes: [UInt8], to path: String) throws(ChildError) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw ChildError(call: "open", number: errno) }
        defer { close(descriptor) }
        let count = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
        }
        guard count == bytes.count else { throw ChildError(call: "write", number: errno) }
    }

    /// A job for one model and its utterances; with no error allowed.
    static func job(
        model: String, tokens: String, wavs: [(String, String)], normalise: String = "per_feature",
        subsampling: Int64 = 2, timeout: Int64 = 10_000, budget: Int64 = 1_000
    ) -> JSON {
        let utterances = wavs.map { wav, said -> JSON in
            ["wav": .string(wav), "transcript": .string(said), "locale": "en"]
        }
        return [
            "runtime": [
                "engine": "sherpa-onnx", "min_version": "2.0.1", "family": "nemo_ctc",
                "model": .string(model), "tokens": .string(tokens),
                "features": [
                    "sample_rate": 16000, "bins": 80, "normalize": .string(normalise),
                    "subsampling": .integer(subsampling),
                ],
            ],
            "smoke": [
                "utterances": .array(utterances), "max_wer": 0,
                "max_cpu_ms_per_audio_s": ["default": .integer(budget)],
                "timeout_ms": .integer(timeout), "memory_limit": .integer(512 << 20),
            ],
        ]
    }
}
