import ModelBundle
import Primitives
import TestSupport
import Testing

struct OnnxReaderTests {
    private func read(_ bytes: [UInt8]) throws -> OnnxModel {
        let path = try #require(TargetPath("model.onnx"))
        return try OnnxModel(
            path, length: Int64(bytes.count), in: MemoryFiles(contents: ["model.onnx": bytes]))
    }

    @Test func `reads what a model says of itself`() throws {
        let model = try read(OnnxBytes().bytes)
        #expect(model.irVersion == 8)
        #expect(model.operatorSets == ["": 17])
        #expect(model.metadata["normalize_type"] == "per_feature")
        #expect(model.inputs.map(\.name) == ["audio_signal", "length"])
        #expect(model.inputs.first?.shape == [.open, .fixed(80), .open])
        #expect(
            model.outputs == [
                OnnxPort(name: "scores", elementType: 1, shape: [.open, .open, .fixed(4)])
            ])
        #expect(model.operators == ["Conv", "Transpose", "LogSoftmax"])
        #expect(model.externalTensors.isEmpty)
        #expect(model.stride == 2)
    }

    @Test func `does not count initializers as inputs`() throws {
        var onnx = OnnxBytes()
        onnx.inputs.append(OnnxBytes.port("w", type: 1, [4]))
        onnx.inputs.append(OnnxBytes.port("s", type: 1, [4]))
        onnx.graphTail = Protobuf.bytes(15, Protobuf.bytes(1, OnnxBytes.tensor("s")))
        #expect(try read(onnx.bytes).inputs.map(\.name) == ["audio_signal", "length"])
    }

    @Test func `looks into subgraphs, functions and the tensors of attributes`() throws {
        var onnx = OnnxBytes()
        let inner = OnnxBytes.node("Loop", ["n"], ["x"], domain: "ai.onnx")
        onnx.nodes.append(
            OnnxBytes.node("If", ["c"], ["y"], [OnnxBytes.subgraph("then_branch", [inner])]))
        let constant =
            Protobuf.text(1, "value")
            + Protobuf.bytes(5, OnnxBytes.tensor("far", external: true))
        onnx.nodes.append(OnnxBytes.node("Constant", [], ["z"], [constant]))
        onnx.modelTail = Protobuf.bytes(
            25,
            Protobuf.text(1, "f") + Protobuf.bytes(7, OnnxBytes.node("Odd", [], [], domain: "my")))
        let model = try read(onnx.bytes)
        #expect(model.operators.isSuperset(of: ["If", "Loop", "Constant", "my:Odd"]))
        #expect(model.externalTensors == ["far"])
    }

    @Test func `finds external data by either mark`() throws {
        var onnx = OnnxBytes()
        onnx.initializers = [
            Protobuf.text(8, "a") + Protobuf.number(14, 1),
            Protobuf.text(8, "b") + Protobuf.bytes(13, []),
            Protobuf.text(8, "c") + Protobuf.number(14, 0),
        ]
        #expect(try read(onnx.bytes).externalTensors == ["a", "b"])
    }

    @Test func `skips weights without reading them`() throws {
        let weights = [UInt8](repeating: 1, count: 3 << 20)
        var onnx = OnnxBytes()
        onnx.initializers = [OnnxBytes.tensor("w", data: weights)]
        let bytes = onnx.bytes
        let counting = CountingFiles(bytes: bytes)
        let path = try #require(TargetPath("model.onnx"))
        let model = try OnnxModel(path, length: Int64(bytes.count), in: counting)
        #expect(model.stride == 2)
        #expect(counting.most == 65_536)
        #expect(counting.total < 300_000)
    }

    static let faults: [(String, [UInt8], OnnxError)] = [
        ("nothing", [], .noGraph),
        ("no graph", Protobuf.number(1, 8), .noGraph),
        ("two graphs", OnnxBytes().bytes + Protobuf.bytes(7, []), .repeatedGraph),
        ("a cut length", [0x3A, 0x05, 0x00], .truncated(offset: 2)),
        ("a cut number", [0x08, 0x80], .truncated(offset: 2)),
        ("a cut fixed", [0x09, 0, 0], .truncated(offset: 1)),
        (
            "a length of 2^63", [0x3A] + [UInt8](repeating: 0xFF, count: 9) + [1],
            .truncated(offset: 11)
        ),
        ("an endless number", [0x08] + [UInt8](repeating: 0x80, count: 11), .longVarint(offset: 1)),
        (
            "a number over 64 bits", [0x08] + [UInt8](repeating: 0xFF, count: 9) + [2],
            .longVarint(offset: 1)
        ),
        ("a group", [0x0B], .wireType(3, offset: 0)),
        ("field 0", [0x02, 0x00], .zeroField(offset: 0)),
        ("a huge field", Protobuf.varint(1 << 33), .wireType(0, offset: 0)),
        ("a graph that is a number", [0x38, 0x01], .fieldType(field: 7, offset: 0)),
        ("a version that is text", Protobuf.text(1, "8"), .fieldType(field: 1, offset: 0)),
        (
            "a key that is no text", Protobuf.bytes(14, Protobuf.bytes(1, [0xFF])),
            .notUTF8(offset: 4)
        ),
        (
            "a long name",
            Protobuf.bytes(8, Protobuf.bytes(1, [UInt8](repeating: 0x61, count: 4_097))),
            .tooLong("operator set's domain", limit: 4_096, offset: 6)
        ),
    ]

    @Test(arguments: faults.indices)
    func `refuses each malformation by its own name`(index: Int) {
        let (name, bytes, error) = Self.faults[index]
        #expect(throws: error, Comment(rawValue: name)) { try read(bytes) }
    }

    @Test func `refuses graphs too deep inside one another`() {
        var node = OnnxBytes.node("If", [], [])
        for _ in 0..<9 {
            node = OnnxBytes.node("If", [], [], [OnnxBytes.subgraph("then_branch", [node])])
        }
        var onnx = OnnxBytes()
        onnx.nodes = [node]
        #expect(throws: OnnxError.tooDeep(limit: 8)) { try read(onnx.bytes) }
    }

    @Test func `refuses too many of anything`() {
        let many = OnnxBytes(manyMetadata: 1_025)
        #expect(throws: OnnxError.tooMany("metadata entries", limit: 1_024)) {
            try read(many.bytes)
        }
        var wide = OnnxBytes()
        wide.outputs = (0..<1_025).map { OnnxBytes.port("o\($0)", type: 1, nil) }
        #expect(throws: OnnxError.tooMany("outputs", limit: 1_024)) { try read(wide.bytes) }
        var deep = OnnxBytes()
        deep.outputs = [OnnxBytes.port("o", type: 1, [Int](repeating: 1, count: 65))]
        #expect(throws: OnnxError.tooMany("dimensions", limit: 64)) { try read(deep.bytes) }
    }

    @Test func `says what the disk said`() throws {
        let path = try #require(TargetPath("model.onnx"))
        let files = MemoryFiles(contents: ["model.onnx": OnnxBytes().bytes], broken: ["model.onnx"])
        #expect(
            throws: OnnxError.file(BundleFileError(path: path, reason: "the disk says no"))
        ) { try OnnxModel(path, length: 9, in: files) }
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `answers any bytes with a model or a refusal`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bytes = OnnxBytes().bytes
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            bytes[index] = UInt8.random(in: 0...255, using: &random)
        }
        if Bool.random(using: &random) {
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
        }
        do {
            let model = try read(bytes)
            #expect(model.nodes.count <= 200_000)
        } catch {
            #expect(error is OnnxError, "\(error)")
        }
    }

    static let messages: [(OnnxError, String)] = [
        (.truncated(offset: 4), "expected more bytes at 4, got the end"),
        (.longVarint(offset: 4), "expected a number of at most 10 bytes at 4, got a longer one"),
        (.wireType(3, offset: 4), "expected a protobuf field at 4, got wire type 3"),
        (.fieldType(field: 7, offset: 4), "expected field 7 of onnx.proto at 4, got another type"),
        (.zeroField(offset: 4), "expected a protobuf field at 4, got field number 0"),
        (.notUTF8(offset: 4), "expected UTF-8 at 4, got other bytes"),
        (.tooDeep(limit: 8), "expected at most 8 graphs inside one another, got more"),
        (.tooMany("nodes", limit: 9), "expected at most 9 nodes, got more"),
        (
            .tooLong("name", limit: 9, offset: 4),
            "expected name of at most 9 bytes at 4, got a longer one"
        ),
        (.noGraph, "expected a graph, got none"),
        (.repeatedGraph, "expected one graph, got several"),
    ]

    @Test(arguments: messages.indices)
    func `says what was expected and what was found`(index: Int) {
        #expect(Self.messages[index].0.description == "ONNX model: " + Self.messages[index].1)
    }
}

extension OnnxBytes {
    /// A model with so many entries of metadata.
    init(manyMetadata count: Int) {
        self.init()
        metadata = Dictionary(uniqueKeysWithValues: (0..<count).map { ("k\($0)", "v") })
    }
}

/// One file, and how much of it was read.
private final class CountingFiles: BundleFiles {
    private let bytes: [UInt8]
    private(set) var total = 0
    private(set) var most = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    func length(of path: TargetPath) throws(BundleFileError) -> Int64? { Int64(bytes.count) }

    func read(_ path: TargetPath, at offset: Int64, count: Int) throws(BundleFileError) -> [UInt8] {
        total += count
        most = max(most, count)
        return Array(bytes[Int(offset)..<Int(offset) + count])
    }
}
