import Primitives
import Speech
import SpeechRuntime
import TestSupport
import Testing

/// Whether the runtime computes the features that the models were trained on.
///
/// The probe's models print the features as tokens (fixtures/asr/probe); run it whenever the wheel is changed.
struct FeatureProbeTests {
    static let folder = "fixtures/asr/probe"

    @Test(arguments: ["per_feature", "NA"])
    func `the runtime's features are the recipe's`(normalise: String) throws {
        let expected = try #require(RepositoryFiles.json("\(Self.folder)/expected.json"))
        let features = try #require(expected["features"]?[normalise]?.array).compactMap(\.integer)
        let tolerance = try #require(expected["tolerance"]?.integer)
        let heard = try listen(try #require(expected["models"]?[normalise]?.string), normalise)
        #expect(features.count == 104)
        // Equal neighbours are one token to CTC; a frame that clearly differs from the one before is heard.
        let frames = Set(heard.compactMap(\.milliseconds).map { $0 / 10 })
        for frame in features.indices.dropFirst()
        where abs(features[frame] - features[frame - 1]) > 3 * tolerance {
            #expect(frames.contains(frame), "frame \(frame)")
        }
        for token in heard {
            let frame = try #require(token.milliseconds) / 10
            let level = try #require(Int64(token.symbol))
            #expect(abs(features[frame] - level) <= tolerance, "frame \(frame)")
        }
    }

    private func listen(_ model: String, _ normalise: String) throws -> [RecognisedToken] {
        let job = try SmokeJob(
            RuntimeUnderTest.job(
                model: model, tokens: "tokens.txt", wavs: [("probe.wav", "x")],
                normalise: normalise, subsampling: 1))
        let wave = try Wave(
            parsing: try #require(RepositoryFiles.bytes("\(Self.folder)/probe.wav")))
        let recogniser = try Recogniser(
            try RuntimeUnderTest.library(), settings: job.settings,
            folder: RepositoryFiles.path(Self.folder))
        return recogniser.transcribe(wave.normalised).tokens
    }
}
