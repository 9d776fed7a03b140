import Primitives

/// Reads an `OnnxModel` from a file, by the field numbers of onnx.proto.
struct OnnxReader<Files: BundleFiles> {
    static var nameLimit: Int { 4_096 }
    static var valueLimit: Int { 65_536 }
    static var metadataLimit: Int { 1_024 }
    static var nodeLimit: Int { 200_000 }
    static var portLimit: Int { 1_024 }
    static var dimensionLimit: Int { 64 }
    static var depthLimit: Int { 8 }

    private var cursor: ProtobufCursor<Files>
    private var model = OnnxModel()
    private var initializers: Set<String> = []
    private var nodes = 0

    /// - Throws: `OnnxError`.
    static func read(
        _ path: TargetPath, length: Int64, in files: Files
    ) throws(OnnxError) -> OnnxModel {
        var reader = OnnxReader(cursor: ProtobufCursor(path, length: length, in: files))
        try reader.readModel(0..<length)
        return reader.model
    }

    private init(cursor: ProtobufCursor<Files>) { self.cursor = cursor }

    private mutating func readModel(_ range: Range<Int64>) throws(OnnxError) {
        var graph: Range<Int64>?
        var position = range.lowerBound
        while let field = try cursor.next(&position, end: range.upperBound) {
            switch field.number {
            case 1: model.irVersion = try number(field)
            case 7:
                guard graph == nil else { throw .repeatedGraph }
                graph = try bytes(field)
            case 8: try readOperatorSet(try bytes(field))
            case 14: try readMetadata(try bytes(field))
            case 25: try readFunction(try bytes(field))
            default: break
            }
        }
        guard let graph else { throw .noGraph }
        try readGraph(graph, depth: 0)
        model.inputs.removeAll { initializers.contains($0.name) }
    }

    private mutating func readOperatorSet(_ range: Range<Int64>) throws(OnnxError) {
        var domain = ""
        var version: Int64 = 0
        var position = range.lowerBound
        while let field = try cursor.next(&position, end: range.upperBound) {
            switch field.number {
            case 1: domain = try text(field, "operator set's domain")
            case 2: version = try number(field)
            default: break
            }
        }
        try limit(model.operatorSets.count, "operator sets", Self.portLimit)
        model.operatorSets[domain == "ai.onnx" ? "" : domain] = version
    }

    private mutating func readMetadata(_ range: Range<Int64>) throws(OnnxError) {
        var key = ""
        var value = ""
        var position = range.lowerBound
        while let field = try cursor.next(&position, end: range.upperBound) {
            switch field.number {
            case 1: key = try text(field, "metadata key")
            case 2:
                value = try cursor.string(
                    try bytes(field), "metadata value", limit: Self.valueLimit)
            default: break
            }
        }
        try limit(model.metadata.count, "metadata entries", Self.metadataLimit)
        model.metadata[key] = value
    }

    private mutating func readFunction(_ range: Range<Int64>) throws(OnnxError) {
        var position = range.lowerBound
        while let field = try cursor.next(&position, end: range.upperBound) {
            guard field.number == 7 else { continue }
            _ = try readNode(try bytes(field), depth: 1)
        }
    }

    /// The main graph at depth 0; the graphs of `If`, `Loop` and `Scan` below it.
    private mutating func readGraph(_ range: Range<Int64>, depth: Int) throws(OnnxError) {
        guard depth <= Self.depthLimit else { throw .tooDeep(limit: Self.depthLimit) }
        var position = range.lowerBound
        while let field = try cursor.next(&position, end: range.upperBound) {
            switch (field.number, depth) {
            case (1, 0): model.nodes.append(try readNode(try bytes(field), depth: 0))
            case (1, _): _ = try readNode(try bytes(field), depth: depth)
            case (5, _):
                let name = try readTensor(try bytes(field))
                if depth == 0 { initializers.insert(name) }
            case (11, 0):
                try limit(model.inputs.count, "inputs", Self.nodeLimit)
                model.inputs.append(try readPort(try bytes(field)))
            case (12, 0):
                try limit(model.outputs.count, "outputs", Self.portLimit)
                model.outputs.append(try readPort(try bytes(field)))
            case (15, _): try readSparseTensor(try bytes(field))
            default: break
            }
        }
    }

    private mutating func readNode(
        _ range: Range<Int64>, depth: Int
    ) throws(OnnxError) -> OnnxNode {
        nodes += 1
        try limit(nodes - 1, "nodes", Self.nodeLimit)
        var type = ""
        var domain = ""
        var inputs: [String] = []
        var outputs: [String] = []
        var integers: [String: [Int64]] = [:]
        var position = range.lowerBound
        while let field = try cursor.next(&position, end: range.upperBound) {
            switch field.number {
            case 1: inputs.append(try text(field, "name"))
            case 2: outputs.append(try text(field, "name"))
            case 4: type = try text(field, "operator")
            case 5:
                let attribute = try readAttribute(try bytes(field), depth: depth)
                integers[attribute.name] = attribute.integers
            case 7: domain = try text(field, "domain")
            default: break
            }
        }
        if domain == "ai.onnx" { domain = "" }
        model.operators.insert(domain.isEmpty ? type : "\(domain):\(type)")
        return OnnxNode(
            type: type, domain: domain, inputs: inputs, outputs: outputs, integers: integers)
    }

    /// An attribute's name and integers; its tensors and graphs are looked into.
    private mutating func readAttribute(
        _ range: Range<Int64>, depth: Int
    ) throws(OnnxError) -> (name: String, integers: [Int64]) {
        var name = ""
        var integers: [Int64] = []
        var position = range.lowerBound
        while let field = try cursor.next(&position, end: range.upperBound) {
            switch field.number {
            case 1: name = try text(field, "attribute's name")
            case 3: integers = [try number(field)]
            case 5, 10: _ = try readTensor(try bytes(field))
            case 6, 11: try readGraph(try bytes(field), depth: depth + 1)
            case 8: try readIntegers(field, into: &integers)
            case 22, 23: try readSparseTensor(try bytes(field))
            default: break
            }
        }
        return (name, integers)
    }

    /// Integers packed or one at a time; only as many as a shape has are kept.
    private mutating func readIntegers(
        _ field: ProtobufField, into integers: inout [Int64]
    ) throws(OnnxError) {
        guard case .bytes(let range) = field.value else {
            if integers.count < Self.dimensionLimit { integers.append(try number(field)) }
            return
        }
        var position = range.lowerBound
        while position < range.upperBound, integers.count < Self.dimensionLimit {
            let value = try cursor.varint(&position, end: range.upperBound)
            integers.append(Int64(bitPattern: value))
        }
    }

    /// The tensor's name; notes it where its data lies in another file.
    @discardableResult
    private mutating func readTensor(_ range: Range<Int64>) throws(OnnxError) -> String {
        var name = ""
        var external = false
        var position = range.lowerBound
        while let field = try cursor.next(&position, end: range.upperBound) {
            switch field.number {
            case 8: name = try text(field, "tensor's name")
            case 13: external = true
            case 14: if try number(field) != 0 { external = true }
            default: break
            }
        }
        if external {
            try limit(model.externalTensors.count, "external tensors", Self.nodeLimit)
            model.externalTensors.append(name)
        }
        return name
    }

    private mutating func readSparseTensor(_ range: Range<Int64>) throws(OnnxError) {
        var position = range.lowerBound
        while let field = try cursor.next(&position, end: range.upperBound) {
            guard field.number == 1 || field.number == 2 else { continue }
            let name = try readTensor(try bytes(field))
            if field.number == 1 { initializers.insert(name) }
        }
    }

    private mutating func readPort(_ range: Range<Int64>) throws(OnnxError) -> OnnxPort {
        var name = ""
        var elementType: Int64?
        var shape: [OnnxDimension]?
        var position = range.lowerBound
        while let field = try cursor.next(&position, end: range.upperBound) {
            switch field.number {
            case 1: name = try text(field, "name")
            case 2: try readType(try bytes(field), &elementType, &shape)
            default: break
            }
        }
        return OnnxPort(name: name, elementType: elementType, shape: shape)
    }

    private mutating func readType(
        _ range: Range<Int64>, _ elementType: inout Int64?, _ shape: inout [OnnxDimension]?
    ) throws(OnnxError) {
        var position = range.lowerBound
        while let field = try cursor.next(&position, end: range.upperBound) {
            guard field.number == 1 else { continue }
            let tensor = try bytes(field)
            var inner = tensor.lowerBound
            while let part = try cursor.next(&inner, end: tensor.upperBound) {
                switch part.number {
                case 1: elementType = try number(part)
                case 2: shape = try readShape(try bytes(part))
                default: break
                }
            }
        }
    }

    private mutating func readShape(_ range: Range<Int64>) throws(OnnxError) -> [OnnxDimension] {
        var shape: [OnnxDimension] = []
        var position = range.lowerBound
        while let field = try cursor.next(&position, end: range.upperBound) {
            guard field.number == 1 else { continue }
            try limit(shape.count, "dimensions", Self.dimensionLimit)
            let dimension = try bytes(field)
            var value = OnnxDimension.open
            var inner = dimension.lowerBound
            while let part = try cursor.next(&inner, end: dimension.upperBound) {
                if part.number == 1 { value = .fixed(try number(part)) }
            }
            shape.append(value)
        }
        return shape
    }

    // MARK: Values of fields

    private func number(_ field: ProtobufField) throws(OnnxError) -> Int64 {
        guard case .varint(let value) = field.value else {
            throw .fieldType(field: field.number, offset: field.offset)
        }
        return Int64(bitPattern: value)
    }

    private func bytes(_ field: ProtobufField) throws(OnnxError) -> Range<Int64> {
        guard case .bytes(let range) = field.value else {
            throw .fieldType(field: field.number, offset: field.offset)
        }
        return range
    }

    private mutating func text(
        _ field: ProtobufField, _ thing: String
    ) throws(OnnxError) -> String {
        try cursor.string(try bytes(field), thing, limit: Self.nameLimit)
    }

    private func limit(_ count: Int, _ thing: String, _ limit: Int) throws(OnnxError) {
        guard count < limit else { throw .tooMany(thing, limit: limit) }
    }
}
