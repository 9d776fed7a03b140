extension OnnxModel {
    /// How many input frames there are to one output frame, where the graph is simple enough to tell.
    ///
    /// It follows the nodes from the first input to the first output: one-dimensional convolutions and pools
    /// multiply by their stride, operators that leave the frames as they are pass it on, and any other
    /// operator on the way (also a convolution of two dimensions) gives nil: not known.
    package var stride: Int64? {
        guard let input = inputs.first, let output = outputs.first else { return nil }
        var strides: [String: Int64] = [input.name: 1]
        var unknown: Set<String> = []
        for node in nodes {
            let known = node.inputs.compactMap { strides[$0] }
            let blurred = node.inputs.contains { unknown.contains($0) }
            guard !known.isEmpty || blurred else { continue }
            guard !blurred, let factor = node.strideFactor, let most = known.max(),
                most == known.min(),
                case (let product, false) = most.multipliedReportingOverflow(by: factor)
            else {
                unknown.formUnion(node.outputs)
                continue
            }
            for name in node.outputs where !name.isEmpty { strides[name] = product }
        }
        return unknown.contains(output.name) ? nil : strides[output.name]
    }
}

extension OnnxNode {
    private static let convolutions: Set<String> = [
        "AveragePool", "Conv", "ConvInteger", "MaxPool", "QLinearConv",
    ]

    /// Operators that give one frame for each frame, of the standard operator sets.
    private static let framewise: Set<String> = [
        "Add", "BatchNormalization", "Cast", "Clip", "DequantizeLinear", "Div", "Dropout",
        "DynamicQuantizeLinear", "Elu", "Erf", "Exp", "Gelu", "HardSigmoid", "HardSwish",
        "Identity", "LayerNormalization", "LeakyRelu", "Log", "LogSoftmax", "MatMul",
        "MatMulInteger", "Mul", "Neg", "Pow", "PRelu", "QLinearMatMul", "QuantizeLinear", "Relu",
        "Sigmoid", "Softmax", "Softplus", "Sqrt", "Sub", "Tanh", "Transpose",
    ]

    /// What the node multiplies the stride by; nil where that cannot be told.
    fileprivate var strideFactor: Int64? {
        guard domain.isEmpty else { return nil }
        if Self.framewise.contains(type) { return 1 }
        guard Self.convolutions.contains(type) else { return nil }
        let strides = integers["strides"] ?? []
        // Without the attribute every stride is 1, in however many dimensions.
        guard let first = strides.first else { return 1 }
        return strides.count == 1 && first > 0 ? first : nil
    }
}
