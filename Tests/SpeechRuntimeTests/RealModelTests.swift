import Primitives
import Speech
import TestSupport
import Testing

/// The project's own models and their derivations, each with the verdict that the demonstration counts on.
struct RealModelTests {
    static let folder = "fixtures/asr"

    static let verdicts: [(model: String, tokens: String, reason: String)] = [
        ("good", "models/tokens.txt", "passed"),
        ("better", "models/tokens.txt", "passed"),
        ("slow-dynamic", "models/tokens.txt", "passed"),
        ("slow-widened", "models/tokens.txt", "passed"),
        ("degraded", "models/tokens.txt", "wer"),
        // The model of `better` with its words exchanged.
        ("better", "models/permuted/tokens.txt", "wer"),
        ("hanging", "models/tokens.txt", "timeout"),
    ]

    @Test(arguments: verdicts.indices)
    func `is judged by its words`(index: Int) throws {
        let (model, tokens, reason) = Self.verdicts[index]
        let utterances = try #require(
            RepositoryFiles.json("\(Self.folder)/utterances/utterances.json")?.array)
        let wavs = try utterances.map { utterance in
            (
                "utterances/" + (try #require(utterance["wav"]?.string)),
                try #require(utterance["transcript"]?.string)
            )
        }
        #expect(wavs.count == 5)
        let job = RuntimeUnderTest.job(
            model: "models/\(model)/model.onnx", tokens: tokens, wavs: wavs)
        let child = try RuntimeUnderTest.smoke(
            job, bundle: RepositoryFiles.path(Self.folder),
            timeout: reason == "timeout" ? 5_000 : 120_000)
        let verdict = SmokeVerdict.judge(
            child.end, suite: try SmokeJob(job).suite,
            deviceClass: try #require(AttributeName("test")))
        switch verdict {
        case .passed(let measured):
            #expect(reason == "passed")
            #expect(measured.wordErrorRate.edits == 0)
            #expect(measured.wordErrorRate.words > 50)
        case .failed(let failure, _):
            #expect(failure.reason.description == reason, "\(child.errors)")
        }
    }
}
