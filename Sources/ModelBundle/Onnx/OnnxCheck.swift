package import Speech

/// What the static check of a model is compared with.
package struct OnnxExpectations: Sendable, Hashable {
    package let features: FeatureSettings
    /// Tokens of the table; nil where the table could not be read.
    package let tokens: Int?
    /// Operators that are otherwise refused, and that the publisher has allowed by name.
    package let allowedOperators: Set<String>

    package init(features: FeatureSettings, tokens: Int?, allowedOperators: Set<String>) {
        self.features = features
        self.tokens = tokens
        self.allowedOperators = allowedOperators
    }
}

/// Finds what would make sherpa-onnx refuse a NeMo CTC model, exit, crash, read past its output, or hang.
///
/// It says nothing about the words: only the smoke test does.
package struct OnnxCheck {
    /// What ONNX Runtime 1.28, which sherpa-onnx 2.0.1 brings, reads.
    package static let irVersions: ClosedRange<Int64> = 3...13
    package static let operatorSetVersions: ClosedRange<Int64> = 7...26
    /// Operator domains that the runtime's build knows, beside the default.
    package static let knownDomains: Set<String> = [
        "", "ai.onnx.ml", "com.microsoft", "com.ms.internal.nhwc",
    ]

    private let thing: String
    private let model: OnnxModel
    private let expectations: OnnxExpectations
    private var problems: [BundleProblem] = []

    /// The problems of a model; `thing` is the name of its file.
    package static func problems(
        of model: OnnxModel, named thing: String, expecting expectations: OnnxExpectations
    ) -> [BundleProblem] {
        var check = OnnxCheck(thing: thing, model: model, expectations: expectations)
        check.checkVersions()
        check.checkMetadata()
        check.checkSubsampling()
        check.checkInputs()
        check.checkOutput()
        check.checkOperators()
        return check.problems
    }

    private init(thing: String, model: OnnxModel, expectations: OnnxExpectations) {
        self.thing = thing
        self.model = model
        self.expectations = expectations
    }

    private mutating func checkVersions() {
        if !Self.irVersions.contains(model.irVersion) {
            refuse(
                "IR version", "\(Self.irVersions.lowerBound) to \(Self.irVersions.upperBound)",
                "\(model.irVersion)")
        }
        let range = Self.operatorSetVersions
        guard let version = model.operatorSets[""] else {
            refuse("operator sets", "one of ai.onnx", "none")
            return
        }
        if !range.contains(version) {
            refuse(
                "operator set ai.onnx", "\(range.lowerBound) to \(range.upperBound)", "\(version)")
        }
    }

    private mutating func checkMetadata() {
        checkVocabulary()
        let normalisation = model.metadata["normalize_type"] ?? ""
        let declared = expectations.features.normalisation
        switch FeatureNormalisation(rawValue: normalisation.isEmpty ? "NA" : normalisation) {
        case nil:
            refuse(
                "metadata 'normalize_type'", "per_feature, NA or nothing", "'\(normalisation)'",
                hint: "the runtime ends the process at the first utterance")
        case let found? where found != declared:
            refuse(
                "metadata 'normalize_type'",
                "\(declared.rawValue), as runtime.features.normalize says", found.rawValue)
        case _?: break
        }
        if let giga = model.metadata["is_giga_am"], giga != "0" {
            refuse("metadata 'is_giga_am'", "none: its features are others", "'\(giga)'")
        }
    }

    private mutating func checkVocabulary() {
        guard let text = model.metadata["vocab_size"] else {
            refuse(
                "metadata 'vocab_size'", "the number of tokens", "none",
                hint: "the runtime ends the process when it loads such a model")
            return
        }
        if let tokens = expectations.tokens, Int(text) != tokens {
            warn("metadata 'vocab_size'", "\(tokens), the number of tokens", "'\(text)'")
        }
    }

    /// Too small reads past the output's end, too large loses the end of each utterance, 0 divides by zero.
    private mutating func checkSubsampling() {
        let name = "metadata 'subsampling_factor'"
        let declared = expectations.features.subsampling
        guard let text = model.metadata["subsampling_factor"] else {
            refuse(
                name, "a whole number of at least 1", "none",
                hint: "the runtime ends the process when it loads such a model")
            return
        }
        guard let factor = Int64(text), "\(factor)" == text, factor >= 1 else {
            refuse(name, "a whole number of at least 1", "'\(text)'")
            return
        }
        if factor != declared {
            refuse(name, "\(declared), as runtime.features.subsampling says", "\(factor)")
        }
        guard let stride = model.stride, stride != factor else { return }
        refuse(
            name, "\(stride), the product of the graph's strides", "\(factor)",
            hint: factor < stride
                ? "the runtime would read past the end of the output"
                : "the runtime would leave out the end of each utterance")
    }

    private mutating func checkInputs() {
        guard model.inputs.count == 2 else {
            let names = model.inputs.map { "'\($0.name)'" }.joined(separator: ", ")
            refuse(
                "inputs", "2: features and their length",
                model.inputs.isEmpty ? "none" : "\(model.inputs.count): \(names)")
            return
        }
        let features = model.inputs[0]
        check(features, is: OnnxModel.floatType, "float", rank: 3, "(batch, bins, frames)")
        if let shape = features.shape, shape.count == 3, case .fixed(let bins) = shape[1],
            bins != expectations.features.bins
        {
            refuse("input '\(features.name)'", "\(expectations.features.bins) bins", "\(bins)")
        }
        if let shape = features.shape, shape.count == 3, case .fixed(let frames) = shape[2] {
            refuse("input '\(features.name)'", "any number of frames", "\(frames) only")
        }
        check(model.inputs[1], is: OnnxModel.int64Type, "int64", rank: 1, "(batch)")
    }

    private mutating func checkOutput() {
        guard let output = model.outputs.first else {
            refuse("outputs", "1: scores of tokens", "none")
            return
        }
        check(output, is: OnnxModel.floatType, "float", rank: 3, "(batch, frames, tokens)")
        guard let shape = output.shape, shape.count == 3, let tokens = expectations.tokens else {
            return
        }
        switch shape[2] {
        case .fixed(let size) where size != tokens:
            refuse(
                "output '\(output.name)'", "\(tokens) scores, one for each token", "\(size)",
                hint: "the runtime aborts on a token that the table lacks")
        case .fixed: break
        case .open:
            warn(
                "output '\(output.name)'", "a fixed number of scores, \(tokens)", "an open one",
                hint: "whether the token table fits can then be seen in the smoke test only")
        }
    }

    private mutating func checkOperators() {
        if let name = model.externalTensors.first {
            let count = model.externalTensors.count
            refuse(
                "weights", "all in the model's own file",
                count == 1 ? "'\(name)' in another" : "\(count) in others, the first '\(name)'")
        }
        // A loop without an end makes the runtime hang; every other operator ends.
        if model.operators.contains("Loop"), !expectations.allowedOperators.contains("Loop") {
            refuse(
                "operators", "no Loop", "one",
                hint:
                    "a loop can run for ever; 'allow_operators: [Loop]' in bundle.yaml lets it pass"
            )
        }
        if model.operators.contains("ConvInteger") {
            warn(
                "operators", "convolutions quantised statically", "ConvInteger",
                hint: "dynamic quantisation of convolutions cost 2 to 3 times the CPU when measured"
            )
        }
        let used = model.operators.compactMap { $0.split(separator: ":").count > 1 ? $0 : nil }
        let domains = Set(used.map { String($0.prefix { $0 != ":" }) })
            .union(model.operatorSets.keys)
        for domain in domains.subtracting(Self.knownDomains).sorted() {
            warn("operator domain '\(domain)'", "one that the runtime knows", "another")
        }
    }

    private mutating func check(
        _ port: OnnxPort, is type: Int64, _ typeName: String, rank: Int, _ shape: String
    ) {
        if port.elementType != type {
            refuse(
                "'\(port.name)'", "elements of type \(typeName)",
                port.elementType.map { "type \($0) of onnx.proto" } ?? "no tensor")
        }
        guard let found = port.shape else {
            warn("'\(port.name)'", "a shape: \(shape)", "none")
            return
        }
        if found.count != rank {
            refuse("'\(port.name)'", "\(rank) dimensions: \(shape)", "\(found.count)")
        }
    }

    private mutating func refuse(
        _ part: String, _ expected: String, _ found: String, hint: String? = nil
    ) {
        problems.append(
            BundleProblem(
                .error, "\(thing): \(part)", expected: expected, found: found, hint: hint))
    }

    private mutating func warn(
        _ part: String, _ expected: String, _ found: String, hint: String? = nil
    ) {
        problems.append(
            BundleProblem(
                .warning, "\(thing): \(part)", expected: expected, found: found, hint: hint))
    }
}
