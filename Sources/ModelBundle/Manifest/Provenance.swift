package import Primitives

/// Where a bundle comes from, as its builder says; signed with the rest, and checked by nobody.
package struct Provenance: Sendable, Hashable {
    /// The commit that the bundle was built from: 40 or 64 lower-case hexadecimal digits.
    package let sourceCommit: String
    /// The pipeline run that built it, an https address; nil for a bundle built by hand.
    package let pipelineURL: String?
    /// Who or what built it.
    package let builder: String
    /// The version whose weights this one was made from, such as the fp32 original of an int8 model.
    package let derivedFrom: SemanticVersion?

    package init(
        sourceCommit: String, pipelineURL: String?, builder: String, derivedFrom: SemanticVersion?
    ) {
        self.sourceCommit = sourceCommit
        self.pipelineURL = pipelineURL
        self.builder = builder
        self.derivedFrom = derivedFrom
    }

    init(_ json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        sourceCommit = try fields.parse(
            "source_commit", "a commit: 40 or 64 lower-case hexadecimal digits"
        ) {
            guard let bytes = Hex.decode($0), bytes.count == 20 || bytes.count == 32 else {
                return nil
            }
            return $0
        }
        pipelineURL = try fields.optionalParse(
            "pipeline_url", "an https address of at most 512 printable characters"
        ) { Self.isAddress($0) ? $0 : nil }
        builder = try fields.parse("builder", "1 to 128 printable characters") {
            Self.isPrintable($0, 1...128) ? $0 : nil
        }
        derivedFrom = try fields.optionalParse("derived_from", SemanticVersion.expected) {
            SemanticVersion($0)
        }
        try fields.refuseUnknown()
    }

    package var json: JSON {
        var fields: JSONObject = [
            "source_commit": .string(sourceCommit), "builder": .string(builder),
        ]
        if let pipelineURL { fields["pipeline_url"] = .string(pipelineURL) }
        if let derivedFrom { fields["derived_from"] = .string(derivedFrom.description) }
        return .object(fields)
    }

    /// The dashboard shows it as a link: so https only, and no spaces or quotes.
    private static func isAddress(_ text: String) -> Bool {
        let forbidden: Set<UInt8> = [0x20, 0x22, 0x27, 0x3C, 0x3E, 0x5C, 0x60]
        return text.hasPrefix("https://") && isPrintable(text, 9...512)
            && text.utf8.allSatisfy { $0 < 0x80 && !forbidden.contains($0) }
    }

    private static func isPrintable(_ text: String, _ length: ClosedRange<Int>) -> Bool {
        length.contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}
