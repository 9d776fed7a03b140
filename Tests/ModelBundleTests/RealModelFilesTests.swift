import ModelBundle
import Primitives
import TestSupport
import Testing

/// What the static checks say of the project's own models.
struct RealModelFilesTests {
    static let folder = "fixtures/asr"

    private func problems(
        _ model: String, tokens: String = "models/tokens.txt"
    ) throws
        -> [BundleProblem]
    {
        var sample = SampleBundle()
        func read(_ path: String) throws -> [UInt8] {
            try #require(RepositoryFiles.bytes("\(Self.folder)/\(path)"), "\(path)")
        }
        sample.files.contents["model.onnx"] = try read("models/\(model)/model.onnx")
        sample.files.contents["tokens.txt"] = try read(tokens)
        sample.files.contents["model-card.json"] = try read("model-card.json")
        for (name, index) in [("take-1", 0), ("take-3", 1)] {
            let wav = "utterances/\(index == 0 ? "a" : "b").wav"
            sample.files.contents[wav] = try read("utterances/\(name).wav")
            sample.set("smoke.utterances.\(index).transcript", "set timer two minutes")
        }
        return try sample.problems()
    }

    @Test(arguments: ["good", "better", "slow-widened", "degraded"])
    func `has nothing to say against a whole model, whatever its words`(model: String) throws {
        #expect(try problems(model) == [])
    }

    @Test func `cannot see that the words of a table were exchanged`() throws {
        #expect(try problems("better", tokens: "models/permuted/tokens.txt") == [])
    }

    @Test func `warns of dynamic quantisation`() throws {
        let found = try problems("slow-dynamic")
        #expect(found.map(\.severity) == [.warning])
        #expect(found.map(\.found) == ["ConvInteger"])
    }

    @Test func `refuses the model with the endless loop`() throws {
        let found = try problems("hanging")
        #expect(found.map(\.severity) == [.error])
        #expect(found.map(\.expected) == ["no Loop"])
    }
}
