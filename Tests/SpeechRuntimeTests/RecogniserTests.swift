import Primitives
import Speech
import SpeechRuntime
import TestSupport
import Testing

struct RecogniserTests {
    private func wave() throws -> Wave {
        try Wave(
            parsing: try #require(
                RepositoryFiles.bytes("\(HostileBundleTests.folder)/wavs/tones.wav")))
    }

    private func job(_ model: String) throws -> SmokeJob {
        try SmokeJob(
            RuntimeUnderTest.job(
                model: model, tokens: "tokens/toy.txt", wavs: [("wavs/tones.wav", "low")]))
    }

    @Test func `hears the same every time, and says when and at what cost`() throws {
        let recogniser = try Recogniser(
            try RuntimeUnderTest.library(), settings: try job("models/toy.onnx").settings,
            folder: RepositoryFiles.path(HostileBundleTests.folder))
        let samples = try wave().normalised
        let first = recogniser.transcribe(samples)
        let second = recogniser.transcribe(samples)
        #expect(first.transcript == "low high mid low mid high")
        #expect(second.transcript == first.transcript)
        #expect(first.tokens.map(\.symbol).count == 6)
        let times = first.tokens.compactMap(\.milliseconds)
        #expect(times == times.sorted())
        #expect(times.allSatisfy { $0 < 1_300 })
        #expect(first.cpuMicroseconds > 0)
        #expect(first.wallMicroseconds >= first.decodeMicroseconds)
        #expect(first.decodeMicroseconds > 0)
    }

    @Test func `says that the runtime refuses a model`() throws {
        let library = try RuntimeUnderTest.library()
        let folder = RepositoryFiles.path(HostileBundleTests.folder)
        let settings = try job("models/none.onnx").settings
        let error = #expect(throws: SpeechRuntimeError.self) {
            _ = try Recogniser(library, settings: settings, folder: folder)
        }
        #expect(error == .nullCreate(model: "\(folder)/models/none.onnx"))
    }

    @Test func `refuses a bundle that needs a newer runtime`() throws {
        let library = try RuntimeUnderTest.library()
        let newer = try #require(SemanticVersion("2.0.2"))
        #expect(throws: SpeechRuntimeError.tooOld(found: "2.0.1", needed: newer)) {
            try library.require(newer)
        }
        try library.require(try #require(SemanticVersion("2.0.1")))
    }
}
