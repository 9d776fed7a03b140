import ModelBundle
import Primitives
import TestSupport
import Testing

/// What the static checks say of the hostile fixtures, without running them.
///
/// What they let pass is what only a real inference can show; Tests/SpeechRuntimeTests runs the same files.
struct HostileFilesTests {
    static let folder = "fixtures/asr/hostile"

    /// By file: the part and the expectation of the first error; nil where nothing can be seen.
    static let models: [String: String?] = [
        "toy": nil,
        "truncated-0": "expected 1 to 68719476736 bytes, got 0",
        "truncated-1": "expected more bytes",
        "truncated-50": "expected more bytes",
        "truncated-95": "expected more bytes",
        "truncated-99.9": "expected more bytes",
        "random": "expected ",
        "zeroed": nil,
        "metadata-none": "metadata 'vocab_size': expected the number of tokens, got none",
        "vocab-size-missing": "metadata 'vocab_size': expected the number of tokens, got none",
        "vocab-size-wrong": nil,
        "vocab-size-text": nil,
        "subsampling-missing": "metadata 'subsampling_factor': expected a whole number",
        "subsampling-zero": "metadata 'subsampling_factor': expected a whole number",
        "subsampling-negative": "metadata 'subsampling_factor': expected a whole number",
        "subsampling-small": "metadata 'subsampling_factor': expected 2",
        "subsampling-large": "metadata 'subsampling_factor': expected 2",
        "normalise-unknown": "metadata 'normalize_type': expected per_feature, NA or nothing",
        "normalise-other": "metadata 'normalize_type': expected per_feature",
        "ir-version": "IR version: expected 3 to 13, got 99",
        "opset": "operator set ai.onnx: expected 7 to 26, got 99",
        "operator-unknown": nil,
        "cycle": nil,
        "external-data": "weights: expected all in the model's own file",
        "input-one": "inputs: expected 2: features and their length, got 1",
        "input-none": "inputs: expected 2: features and their length, got none",
        "input-64": "input 'audio_signal': expected 80 bins, got 64",
        "output-none": "outputs: expected 1: scores of tokens, got none",
        "output-one-frame": nil,
        "output-flat": "expected 3 dimensions: (batch, frames, tokens), got 2",
        "output-double": "expected elements of type float, got type 11",
        "weights-nan": nil,
        "weights-infinite": nil,
        "loop-endless": "operators: expected no Loop, got one",
        "memory-bomb": nil,
    ]

    static let tokens: [String: String?] = [
        "toy": nil,
        "permuted": nil,
        "blank-first": nil,
        "binary": "expected ",
        "columns": "expected 'symbol id' on line 1, got 3 columns",
        "empty": "expected 1 to 68719476736 bytes, got 0",
        "huge-id": "expected a whole number as id on line 3, got '1099511627776'",
        "negative": "expected a whole number as id on line 3, got '-7'",
        "no-blank": "expected a blank",
        "no-ids": "expected 'symbol id' on line 1, got 1 column",
        "short": "expected ids 0 to 1 without a gap, got no id 1",
    ]

    static let wavs: [String: String?] = [
        "tones": nil,
        "zeros": nil,
        "eight-bit": "expected 16 bits a sample, got 8",
        "fifty-samples": "expected more than 300 ms of sound, got 3 ms",
        "float": "expected PCM (format 1), got format 3",
        "garbage": "expected a header of 12 bytes",
        "header-only": "as declared",
        "no-samples": "expected more than 300 ms of sound, got 0 ms",
        "rate-8000": "expected 16000 Hz, got 8000 Hz",
        "rate-zero": "expected 16000 Hz, got 0 Hz",
        "size-lies": "as declared",
        "stereo": "expected 1 channel, got 2",
        "truncated": "as declared",
    ]

    /// The errors of the sample bundle with the toy's files, one of which is replaced.
    private func errors(
        model: String = "toy", tokens: String = "toy", wav: String = "tones"
    ) throws
        -> [String]
    {
        var sample = SampleBundle()
        func read(_ path: String) throws -> [UInt8] {
            try #require(RepositoryFiles.bytes("\(Self.folder)/\(path)"), "\(path)")
        }
        sample.files.contents["model.onnx"] = try read("models/\(model).onnx")
        sample.files.contents["tokens.txt"] = try read("tokens/\(tokens).txt")
        sample.files.contents["utterances/a.wav"] = try read("wavs/\(wav).wav")
        return try sample.problems().filter { $0.severity == .error }.map(\.description)
    }

    private func expect(_ errors: [String], _ expected: String?, _ file: String) {
        guard let expected else {
            #expect(errors == [])
            return
        }
        #expect(errors.first?.hasPrefix(file) == true, "\(errors)")
        #expect(errors.first?.contains(expected) == true, "\(errors)")
    }

    @Test(arguments: models.keys.sorted())
    func `sees in a model what can be seen`(name: String) throws {
        expect(try errors(model: name), try #require(Self.models[name]), "model.onnx")
    }

    @Test(arguments: tokens.keys.sorted())
    func `sees in a token table what can be seen`(name: String) throws {
        expect(try errors(tokens: name), try #require(Self.tokens[name]), "tokens.txt")
    }

    @Test(arguments: wavs.keys.sorted())
    func `sees in a WAV what can be seen`(name: String) throws {
        expect(try errors(wav: name), try #require(Self.wavs[name]), "utterances/a.wav")
    }
}
