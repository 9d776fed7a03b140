import ModelBundle
import Primitives
import Speech
import Testing

struct OnnxCheckTests {
    /// The problems of a model among the sample's files, as lines.
    private func problems(
        _ onnx: OnnxBytes, _ change: (inout SampleBundle) -> Void = { _ in }
    ) throws -> [BundleProblem] {
        var sample = SampleBundle()
        sample.files.contents["model.onnx"] = onnx.bytes
        change(&sample)
        return try sample.problems()
    }

    @Test func `finds nothing in a model that is right`() throws {
        #expect(try problems(OnnxBytes()).isEmpty)
        var plain = OnnxBytes()
        plain.metadata["normalize_type"] = nil
        #expect(
            try problems(plain) { $0.set("runtime.features.normalize", "NA") }.isEmpty)
    }

    /// A change, and the one line that it must lead to.
    static let refusals: [(@Sendable (inout OnnxBytes) -> Void, String)] = [
        ({ $0.irVersion = 99 }, "IR version: expected 3 to 13, got 99"),
        ({ $0.irVersion = 2 }, "IR version: expected 3 to 13, got 2"),
        ({ $0.operatorSets = [] }, "operator sets: expected one of ai.onnx, got none"),
        ({ $0.operatorSets = [("", 99)] }, "operator set ai.onnx: expected 7 to 26, got 99"),
        (
            { $0.metadata["vocab_size"] = nil },
            "metadata 'vocab_size': expected the number of tokens, got none"
        ),
        (
            { $0.metadata["subsampling_factor"] = nil },
            "metadata 'subsampling_factor': expected a whole number of at least 1, got none"
        ),
        (
            { $0.metadata["subsampling_factor"] = "0" },
            "metadata 'subsampling_factor': expected a whole number of at least 1, got '0'"
        ),
        (
            { $0.metadata["subsampling_factor"] = "-2" },
            "metadata 'subsampling_factor': expected a whole number of at least 1, got '-2'"
        ),
        (
            { $0.metadata["subsampling_factor"] = "2x" },
            "metadata 'subsampling_factor': expected a whole number of at least 1, got '2x'"
        ),
        (
            { $0.metadata["normalize_type"] = "all_features" },
            "metadata 'normalize_type': expected per_feature, NA or nothing, got 'all_features'"
        ),
        (
            { $0.metadata["normalize_type"] = "NA" },
            "metadata 'normalize_type': expected per_feature, as runtime.features.normalize says,"
                + " got NA"
        ),
        (
            { $0.metadata["is_giga_am"] = "1" },
            "metadata 'is_giga_am': expected none: its features are others, got '1'"
        ),
        ({ $0.inputs = [] }, "inputs: expected 2: features and their length, got none"),
        (
            { $0.inputs.removeLast() },
            "inputs: expected 2: features and their length, got 1: 'audio_signal'"
        ),
        (
            { $0.inputs[0] = OnnxBytes.port("audio_signal", type: 1, ["B", 64, "T"]) },
            "input 'audio_signal': expected 80 bins, got 64"
        ),
        (
            { $0.inputs[0] = OnnxBytes.port("audio_signal", type: 1, ["B", 80, 500]) },
            "input 'audio_signal': expected any number of frames, got 500 only"
        ),
        (
            { $0.inputs[0] = OnnxBytes.port("audio_signal", type: 11, ["B", 80, "T"]) },
            "'audio_signal': expected elements of type float, got type 11 of onnx.proto"
        ),
        (
            { $0.inputs[1] = OnnxBytes.port("length", type: 7, ["B", 1]) },
            "'length': expected 1 dimensions: (batch), got 2"
        ),
        ({ $0.outputs = [] }, "outputs: expected 1: scores of tokens, got none"),
        (
            { $0.outputs = [OnnxBytes.port("scores", type: 11, ["B", "T", 4])] },
            "'scores': expected elements of type float, got type 11 of onnx.proto"
        ),
        (
            { $0.outputs = [OnnxBytes.port("scores", type: 1, ["T", 4])] },
            "'scores': expected 3 dimensions: (batch, frames, tokens), got 2"
        ),
        (
            { $0.outputs = [OnnxBytes.port("scores", type: 1, ["B", "T", 5])] },
            "output 'scores': expected 4 scores, one for each token, got 5"
        ),
        (
            { $0.initializers[0] = OnnxBytes.tensor("w", external: true) },
            "weights: expected all in the model's own file, got 'w' in another"
        ),
        (
            {
                $0.initializers = [
                    OnnxBytes.tensor("w", external: true), OnnxBytes.tensor("v", external: true),
                ]
            },
            "weights: expected all in the model's own file, got 2 in others, the first 'w'"
        ),
        (
            { $0.nodes.append(OnnxBytes.node("Loop", ["n"], ["x"])) },
            "operators: expected no Loop, got one"
        ),
    ]

    @Test(arguments: refusals.indices)
    func `refuses what the runtime would not survive`(index: Int) throws {
        var onnx = OnnxBytes()
        Self.refusals[index].0(&onnx)
        let found = try problems(onnx)
        #expect(found.map(\.severity) == [.error])
        let line = found.first?.description.split(separator: "\n").first.map(String.init)
        #expect(line == "model.onnx: " + Self.refusals[index].1)
    }

    static let warnings: [(@Sendable (inout OnnxBytes) -> Void, String)] = [
        (
            { $0.metadata["vocab_size"] = "99" },
            "metadata 'vocab_size': expected 4, the number of tokens, got '99'"
        ),
        (
            { $0.outputs = [OnnxBytes.port("scores", type: 1, ["B", "T", "V"])] },
            "output 'scores': expected a fixed number of scores, 4, got an open one"
        ),
        (
            { $0.outputs = [OnnxBytes.port("scores", type: 1, nil)] },
            "'scores': expected a shape: (batch, frames, tokens), got none"
        ),
        (
            { $0.operatorSets.append(("my.domain", 1)) },
            "operator domain 'my.domain': expected one that the runtime knows, got another"
        ),
        (
            { $0.nodes.append(OnnxBytes.node("Odd", [], [], domain: "other")) },
            "operator domain 'other': expected one that the runtime knows, got another"
        ),
        (
            { $0.nodes.append(OnnxBytes.node("ConvInteger", [], [])) },
            "operators: expected convolutions quantised statically, got ConvInteger"
        ),
    ]

    @Test(arguments: warnings.indices)
    func `warns of what is doubtful`(index: Int) throws {
        var onnx = OnnxBytes()
        Self.warnings[index].0(&onnx)
        let found = try problems(onnx)
        #expect(found.map(\.severity) == [.warning])
        let line = found.first?.description.split(separator: "\n").first.map(String.init)
        #expect(line == "model.onnx: " + Self.warnings[index].1)
    }

    @Test func `compares the subsampling with the description and with the graph`() throws {
        var small = OnnxBytes()
        small.metadata["subsampling_factor"] = "1"
        let both = try problems(small)
        #expect(
            both.map(\.expected) == [
                "2, as runtime.features.subsampling says", "2, the product of the graph's strides",
            ])
        let agreed = try problems(small) { $0.set("runtime.features.subsampling", 1) }
        #expect(agreed.map(\.hint) == ["the runtime would read past the end of the output"])
        var large = OnnxBytes()
        large.metadata["subsampling_factor"] = "8"
        let cut = try problems(large) { $0.set("runtime.features.subsampling", 8) }
        #expect(cut.map(\.hint) == ["the runtime would leave out the end of each utterance"])
    }

    @Test func `lets a loop pass that the publisher allows by name`() throws {
        var onnx = OnnxBytes()
        onnx.nodes.append(OnnxBytes.node("Loop", ["n"], ["x"]))
        #expect(try problems(onnx) { $0.set("allow_operators", ["Loop"]) }.isEmpty)
    }

    @Test func `tells a file that is no model from one that is wrong`() throws {
        let found = try problems(OnnxBytes()) {
            $0.files.contents["model.onnx"] = Array("not a model".utf8)
        }
        #expect(found.map(\.thing) == ["model.onnx"])
        #expect(found.map(\.severity) == [.error])
    }
}

struct OnnxStrideTests {
    private func stride(_ nodes: [[UInt8]]) throws -> Int64? {
        var onnx = OnnxBytes()
        onnx.nodes = nodes
        let path = try #require(TargetPath("model.onnx"))
        let bytes = onnx.bytes
        return try OnnxModel(
            path, length: Int64(bytes.count), in: MemoryFiles(contents: ["model.onnx": bytes])
        ).stride
    }

    private static func node(
        _ type: String, _ inputs: [String], _ output: String, strides: [Int64]? = nil,
        domain: String = ""
    ) -> [UInt8] {
        OnnxBytes.node(
            type, inputs, [output], strides.map { [OnnxBytes.integers("strides", $0)] } ?? [],
            domain: domain)
    }

    @Test func `multiplies the strides on the way, and keeps them across a branch`() throws {
        let residual = [
            Self.node("Conv", ["audio_signal", "w"], "a", strides: [2]),
            Self.node("Conv", ["a", "w"], "b"), Self.node("Relu", ["b"], "c"),
            Self.node("Add", ["a", "c"], "d"),
            Self.node("MaxPool", ["d"], "scores", strides: [4]),
        ]
        #expect(try stride(residual) == 8)
    }

    static let unknown: [[[UInt8]]] = [
        [node("Reshape", ["audio_signal"], "a"), node("Relu", ["a"], "scores")],
        [node("Conv", ["audio_signal"], "scores", strides: [2, 2])],
        [node("Conv", ["audio_signal"], "scores", strides: [0])],
        [node("Relu", ["audio_signal"], "scores", domain: "my.domain")],
        [
            node("Conv", ["audio_signal"], "a", strides: [2]),
            node("Add", ["a", "audio_signal"], "scores"),
        ],
        [
            node("Conv", ["audio_signal"], "a", strides: [1 << 62]),
            node("Conv", ["a"], "scores", strides: [4]),
        ],
        [node("Relu", ["elsewhere"], "scores")],
        [],
    ]

    @Test(arguments: unknown.indices)
    func `does not guess`(index: Int) throws {
        #expect(try stride(Self.unknown[index]) == nil)
    }
}
