/// Writes protobuf messages, right or wrong, for the tests of the ONNX reader.
enum Protobuf {
    static func varint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func number(_ field: Int, _ value: Int64) -> [UInt8] {
        varint(UInt64(field) << 3) + varint(UInt64(bitPattern: value))
    }

    static func bytes(_ field: Int, _ value: [UInt8]) -> [UInt8] {
        varint(UInt64(field) << 3 | 2) + varint(UInt64(value.count)) + value
    }

    static func text(_ field: Int, _ value: String) -> [UInt8] { bytes(field, Array(value.utf8)) }

    static func fixed32(_ field: Int) -> [UInt8] {
        varint(UInt64(field) << 3 | 5) + [0, 0, 0, 0]
    }

    static func fixed64(_ field: Int) -> [UInt8] {
        varint(UInt64(field) << 3 | 1) + [0, 0, 0, 0, 0, 0, 0, 0]
    }
}

/// A small CTC model in parts, each of which a test can make wrong (field numbers of onnx.proto).
struct OnnxBytes {
    var irVersion: Int64 = 8
    var operatorSets: [(domain: String, version: Int64)] = [("", 17)]
    var metadata: [String: String] = [
        "vocab_size": "4", "subsampling_factor": "2", "normalize_type": "per_feature",
    ]
    var inputs: [[UInt8]] = [
        port("audio_signal", type: 1, ["B", 80, "T"]), port("length", type: 7, ["B"]),
    ]
    var outputs: [[UInt8]] = [port("scores", type: 1, ["B", "T2", 4])]
    var nodes: [[UInt8]] = [
        node("Conv", ["audio_signal", "w"], ["a"], [integers("strides", [2])]),
        node("Transpose", ["a"], ["b"], [integers("perm", [0, 2, 1])]),
        node("LogSoftmax", ["b"], ["scores"], [integer("axis", -1)]),
    ]
    var initializers: [[UInt8]] = [tensor("w", data: [UInt8](repeating: 7, count: 64))]
    /// Further fields of the graph, and of the model.
    var graphTail: [UInt8] = []
    var modelTail: [UInt8] = []
    var withGraph = true

    var graph: [UInt8] {
        nodes.flatMap { Protobuf.bytes(1, $0) } + Protobuf.text(2, "main")
            + initializers.flatMap { Protobuf.bytes(5, $0) }
            + inputs.flatMap { Protobuf.bytes(11, $0) }
            + outputs.flatMap { Protobuf.bytes(12, $0) } + graphTail
    }

    var bytes: [UInt8] {
        Protobuf.number(1, irVersion) + Protobuf.text(2, "a test")
            + (withGraph ? Protobuf.bytes(7, graph) : [])
            + operatorSets.flatMap {
                Protobuf.bytes(8, Protobuf.text(1, $0.domain) + Protobuf.number(2, $0.version))
            }
            + metadata.sorted { $0.key < $1.key }.flatMap {
                Protobuf.bytes(14, Protobuf.text(1, $0.key) + Protobuf.text(2, $0.value))
            } + modelTail
    }

    static func node(
        _ type: String, _ inputs: [String], _ outputs: [String], _ attributes: [[UInt8]] = [],
        domain: String = ""
    ) -> [UInt8] {
        inputs.flatMap { Protobuf.text(1, $0) } + outputs.flatMap { Protobuf.text(2, $0) }
            + Protobuf.text(4, type) + attributes.flatMap { Protobuf.bytes(5, $0) }
            + (domain.isEmpty ? [] : Protobuf.text(7, domain))
    }

    static func integers(_ name: String, _ values: [Int64]) -> [UInt8] {
        Protobuf.text(1, name)
            + Protobuf.bytes(8, values.flatMap { Protobuf.varint(UInt64(bitPattern: $0)) })
    }

    static func integer(_ name: String, _ value: Int64) -> [UInt8] {
        Protobuf.text(1, name) + Protobuf.number(3, value)
    }

    static func subgraph(_ name: String, _ nodes: [[UInt8]]) -> [UInt8] {
        Protobuf.text(1, name) + Protobuf.bytes(6, nodes.flatMap { Protobuf.bytes(1, $0) })
    }

    static func tensor(_ name: String, data: [UInt8] = [], external: Bool = false) -> [UInt8] {
        let location = external ? Protobuf.bytes(13, []) + Protobuf.number(14, 1) : []
        return Protobuf.number(2, 1) + Protobuf.text(8, name) + Protobuf.bytes(9, data) + location
    }

    /// A value of a graph; its shape has a number for a fixed dimension, and a name for an open one.
    static func port(_ name: String, type: Int64, _ shape: [Any]?) -> [UInt8] {
        let dimensions = (shape ?? []).flatMap { dimension -> [UInt8] in
            let body =
                (dimension as? Int).map { Protobuf.number(1, Int64($0)) }
                ?? Protobuf.text(2, dimension as? String ?? "")
            return Protobuf.bytes(1, body)
        }
        let tensor =
            Protobuf.number(1, type) + (shape == nil ? [] : Protobuf.bytes(2, dimensions))
        return Protobuf.text(1, name) + Protobuf.bytes(2, Protobuf.bytes(1, tensor))
    }
}
