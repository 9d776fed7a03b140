package import Primitives

/// A schema file of the bundle, and its digest, so that an application can compare without reading.
package struct SchemaReference: Sendable, Hashable {
    package let path: TargetPath
    package let sha256: SHA256Digest

    package init(path: TargetPath, sha256: SHA256Digest) {
        self.path = path
        self.sha256 = sha256
    }

    init(_ json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        self.path = try fields.parse("path", TargetPath.expected) { TargetPath($0) }
        sha256 = try fields.parse("sha256", "64 lower-case hexadecimal digits") {
            SHA256Digest(hex: $0)
        }
        try fields.refuseUnknown()
    }

    package var json: JSON {
        ["path": .string(path.description), "sha256": .string(sha256.hex)]
    }
}

/// How the input and output of a bundle relate to those of the version it supersedes.
package struct Compatibility: Sendable, Hashable {
    package enum Mode: String, Sendable, Hashable, CaseIterable {
        /// Applications made for the version before work with this one.
        case backward
        /// Applications made for this one work with the version before.
        case forward
        /// Neither: the application must change together with the bundle.
        case none
    }

    package let mode: Mode
    /// The version compared with; nil for the first of a model.
    package let supersedes: SemanticVersion?

    package init(mode: Mode, supersedes: SemanticVersion?) {
        self.mode = mode
        self.supersedes = supersedes
    }

    init(_ json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        let expected = Mode.allCases.map(\.rawValue).joined(separator: ", ")
        mode = try fields.parse("mode", "one of \(expected)") { Mode(rawValue: $0) }
        supersedes = try fields.optionalParse("supersedes", SemanticVersion.expected) {
            SemanticVersion($0)
        }
        try fields.refuseUnknown()
    }

    package var json: JSON {
        var fields: JSONObject = ["mode": .string(mode.rawValue)]
        if let supersedes { fields["supersedes"] = .string(supersedes.description) }
        return .object(fields)
    }
}
