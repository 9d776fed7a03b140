import Primitives
import Speech
import TestSupport
import Testing

/// Broken and malicious bundles, each one fault away from a toy model that hears three tones, given to the real
/// runtime in a real child process, with the outcome that each must have.
struct HostileBundleTests {
    static let folder = "fixtures/asr/hostile"

    /// What the fixtures say of one case.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let model: String
        let tokens: String
        let wav: String
        let said: String

        var testDescription: String { name }
    }

    /// The reasons that a case may end with; `passed` where the words are right.
    static let outcomes: [String: [String]] = [
        "toy": ["passed"],
        "model-truncated-0": ["null-create"],
        "model-truncated-1": ["null-create"],
        "model-truncated-50": ["null-create"],
        "model-truncated-95": ["null-create"],
        "model-truncated-99.9": ["null-create"],
        "model-random": ["null-create"],
        "model-zeroed": ["wer"],
        "model-metadata-none": ["exit:255"],
        "model-vocab-size-missing": ["exit:255"],
        "model-vocab-size-wrong": ["passed"],
        "model-vocab-size-text": ["passed"],
        "model-subsampling-missing": ["exit:255"],
        "model-subsampling-zero": ["signal:FPE"],
        "model-subsampling-negative": ["exit:255"],
        // These read past the end of the output, and end as the bytes there will have it.
        "model-subsampling-small": readsBeyond,
        "model-output-one-frame": readsBeyond,
        "model-output-flat": readsBeyond,
        "model-subsampling-large": ["wer"],
        "model-normalise-unknown": ["exit:255"],
        "model-normalise-other": ["wer"],
        "model-ir-version": ["null-create"],
        "model-opset": ["null-create"],
        "model-operator-unknown": ["null-create"],
        "model-cycle": ["null-create"],
        "model-external-data": ["null-create"],
        "model-input-one": ["signal:ABRT"],
        "model-input-none": ["null-create"],
        "model-input-64": ["signal:ABRT"],
        "model-output-none": ["signal:ABRT"],
        "model-output-double": ["wer"],
        "model-weights-nan": ["wer"],
        "model-weights-infinite": ["wer"],
        "model-loop-endless": ["timeout"],
        "model-memory-bomb": ["memory"],
        "model-missing": ["null-create"],
        "tokens-missing": ["null-create"],
        "tokens-no-blank": ["exit:255"],
        "tokens-blank-first": ["wer"],
        "tokens-short": ["signal:ABRT"],
        "tokens-permuted": ["wer"],
        "tokens-empty": ["exit:255"],
        "tokens-columns": ["exit:255"],
        "tokens-no-ids": ["exit:255"],
        "tokens-binary": ["exit:255"],
        "tokens-negative": ["signal:ABRT"],
        "tokens-huge-id": ["signal:ABRT"],
        // Our own reader looks at the sound before the runtime does.
        "wav-missing": ["exit:5"],
        "wav-no-samples": ["exit:4"],
        "wav-fifty-samples": ["exit:4"],
        "wav-zeros": ["wer"],
        "wav-stereo": ["exit:4"],
        "wav-float": ["exit:4"],
        "wav-eight-bit": ["exit:4"],
        "wav-rate-8000": ["exit:4"],
        "wav-rate-zero": ["exit:4"],
        "wav-truncated": ["exit:4"],
        "wav-header-only": ["exit:4"],
        "wav-size-lies": ["exit:4"],
        "wav-garbage": ["exit:4"],
    ]

    private static let readsBeyond = ["passed", "wer", "signal:ABRT", "signal:SEGV", "signal:BUS"]

    /// The reasons that say nothing lasting against the bundle.
    private static let passing: Set<String> = ["memory", "exit:5"]

    static let cases: [Case] = {
        let document = RepositoryFiles.json("\(folder)/cases.json")
        let said = document?["said"]?.string ?? ""
        return (document?["cases"]?.array ?? []).compactMap { json in
            guard let name = json["name"]?.string, let model = json["model"]?.string,
                let tokens = json["tokens"]?.string, let wav = json["wavs"]?.array?.first?.string
            else { return nil }
            return Case(name: name, model: model, tokens: tokens, wav: wav, said: said)
        }
    }()

    @Test func `knows the outcome of every case, and has a case for every outcome`() {
        #expect(Self.cases.count == 60)
        #expect(Set(Self.cases.map(\.name)) == Set(Self.outcomes.keys))
    }

    @Test(arguments: cases)
    func `has the named outcome`(hostile: Case) throws {
        let expected = try #require(Self.outcomes[hostile.name])
        let hangs = expected == ["timeout"]
        let job = RuntimeUnderTest.job(
            model: hostile.model, tokens: hostile.tokens, wavs: [(hostile.wav, hostile.said)])
        let child = try RuntimeUnderTest.smoke(
            job, bundle: RepositoryFiles.path(Self.folder), timeout: hangs ? 3_000 : 120_000)
        let suite = try SmokeJob(job).suite
        let verdict = SmokeVerdict.judge(
            child.end, suite: suite, deviceClass: try #require(AttributeName("test")))
        switch verdict {
        case .passed: #expect(expected.contains("passed"), "\(child.errors)")
        case .failed(let failure, _):
            #expect(expected.contains(failure.reason.description), "\(child.errors)")
            if !hangs {
                let lasting = !Self.passing.contains(failure.reason.description)
                #expect(failure.isLasting == lasting)
            }
        }
    }
}
