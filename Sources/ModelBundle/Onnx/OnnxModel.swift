package import Primitives

/// One side of a tensor's shape, as a model declares it.
package enum OnnxDimension: Sendable, Hashable {
    case fixed(Int64)
    /// Named or left open: known only when the model runs.
    case open
}

/// An input or output of a graph.
package struct OnnxPort: Sendable, Hashable {
    package let name: String
    /// TensorProto.DataType: 1 is float, 7 is int64; nil where it is no tensor.
    package let elementType: Int64?
    /// Nil where the model says nothing about the shape.
    package let shape: [OnnxDimension]?

    package init(name: String, elementType: Int64?, shape: [OnnxDimension]?) {
        self.name = name
        self.elementType = elementType
        self.shape = shape
    }
}

/// One node of the main graph.
package struct OnnxNode: Sendable, Hashable {
    package let type: String
    package let domain: String
    package let inputs: [String]
    package let outputs: [String]
    /// The integers of the attributes that the stride needs, by name.
    package let integers: [String: [Int64]]
}

/// What can be known of an ONNX model without its weights (onnx.proto, IR version 3 to 13).
package struct OnnxModel: Sendable, Hashable {
    package static let floatType: Int64 = 1
    package static let int64Type: Int64 = 7

    package var irVersion: Int64 = 0
    /// The version of each operator set that is imported; the default domain is "".
    package var operatorSets: [String: Int64] = [:]
    package var metadata: [String: String] = [:]
    /// Without those that are initializers too.
    package var inputs: [OnnxPort] = []
    package var outputs: [OnnxPort] = []
    /// The nodes of the main graph, in order.
    package var nodes: [OnnxNode] = []
    /// Every operator of every graph and function, as `domain:type`, or `type` alone.
    package var operators: Set<String> = []
    /// Tensors whose data lies in other files.
    package var externalTensors: [String] = []

    package init() {}
}

extension OnnxModel {
    /// Reads a model's file without its weights.
    ///
    /// - Throws: `OnnxError`.
    package init(
        _ path: TargetPath, length: Int64, in files: some BundleFiles
    ) throws(OnnxError) {
        self = try OnnxReader.read(path, length: length, in: files)
    }
}
