package import Primitives

/// The kinds of model that a bundle may hold, by the name of their settings in sherpa-onnx.
package enum ModelFamily: String, Sendable, Hashable, CaseIterable {
    /// An offline CTC model with the input layout of NeMo: features (B, 80, T), lengths (B).
    case nemoCTC = "nemo_ctc"
}

/// How the runtime scales the features of one utterance.
package enum FeatureNormalisation: String, Sendable, Hashable, CaseIterable {
    /// Each bin to mean 0 and deviation 1 over the utterance.
    case perFeature = "per_feature"
    /// Not at all; sherpa-onnx writes it `NA`, or leaves `normalize_type` out.
    case none = "NA"
}

/// The features that a model was trained on, as sherpa-onnx is to compute them.
package struct FeatureSettings: Sendable, Hashable {
    package let sampleRate: Int
    package let bins: Int
    package let normalisation: FeatureNormalisation
    /// Feature frames to one output frame; sherpa-onnx reads past the output where this is too small.
    package let subsampling: Int

    package init(
        sampleRate: Int = 16_000, bins: Int = 80, normalisation: FeatureNormalisation,
        subsampling: Int
    ) {
        self.sampleRate = sampleRate
        self.bins = bins
        self.normalisation = normalisation
        self.subsampling = subsampling
    }

    package init(_ json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        sampleRate = Int(try fields.integer("sample_rate", in: 16_000...16_000))
        bins = Int(try fields.integer("bins", in: 80...80))
        let expected = FeatureNormalisation.allCases.map(\.rawValue).joined(separator: " or ")
        normalisation = try fields.parse("normalize", expected) {
            FeatureNormalisation(rawValue: $0)
        }
        subsampling = Int(try fields.integer("subsampling", in: 1...64))
        try fields.refuseUnknown()
    }

    package var json: JSON {
        [
            "sample_rate": .integer(Int64(sampleRate)), "bins": .integer(Int64(bins)),
            "normalize": .string(normalisation.rawValue),
            "subsampling": .integer(Int64(subsampling)),
        ]
    }
}

/// What the runtime needs to know to make a recogniser of a bundle: the manifest's `runtime`.
package struct RecogniserSettings: Sendable, Hashable {
    package static let engine = "sherpa-onnx"

    /// The oldest runtime that the publisher has tried the bundle with.
    package let minimumVersion: SemanticVersion
    package let family: ModelFamily
    package let model: TargetPath
    package let tokens: TargetPath
    package let features: FeatureSettings

    package init(
        minimumVersion: SemanticVersion, family: ModelFamily, model: TargetPath,
        tokens: TargetPath, features: FeatureSettings
    ) {
        self.minimumVersion = minimumVersion
        self.family = family
        self.model = model
        self.tokens = tokens
        self.features = features
    }

    package init(_ json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        _ = try fields.parse("engine", "'\(Self.engine)'") { $0 == Self.engine ? $0 : nil }
        minimumVersion = try fields.parse("min_version", SemanticVersion.expected) {
            SemanticVersion($0)
        }
        let families = ModelFamily.allCases.map(\.rawValue).joined(separator: " or ")
        family = try fields.parse("family", families) { ModelFamily(rawValue: $0) }
        model = try fields.parse("model", TargetPath.expected) { TargetPath($0) }
        tokens = try fields.parse("tokens", TargetPath.expected) { TargetPath($0) }
        let features = try fields.value("features", "an object")
        self.features = try FeatureSettings(features, at: fields.path(of: "features"))
        try fields.refuseUnknown()
    }

    package var json: JSON {
        [
            "engine": .string(Self.engine), "min_version": .string(minimumVersion.description),
            "family": .string(family.rawValue), "model": .string(model.description),
            "tokens": .string(tokens.description), "features": features.json,
        ]
    }
}
