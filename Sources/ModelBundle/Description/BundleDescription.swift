package import Primitives
package import Speech

/// What a person writes in `bundle.yaml`: a manifest without what can be computed.
///
/// The CLI reads the YAML and hands over the same structure as JSON. Files that other fields name need not be
/// listed again. Where the manifest has bytes, `512 MiB` may be written; where it has thousandths, `2.5%`.
package struct BundleDescription: Sendable, Hashable {
    package static let schema = "fieldfare.bundle/1"
    /// Operators that `allow_operators` may name.
    package static let refusableOperators: Set<String> = ["Loop"]

    package var model: ModelName
    package var version: SemanticVersion
    package var locales: [AttributeName]
    package var runtime: RecogniserSettings
    package var smoke: SmokeSuite
    package var requirements: Requirements
    package var ioSchema: TargetPath
    package var telemetrySchema: TargetPath
    package var compatibility: Compatibility
    package var modelCard: TargetPath
    package var routingPolicy: TargetPath?
    package var provenance: Provenance
    package var rollbackFloor: SemanticVersion?
    /// Files that no other field names.
    package var extraFiles: [TargetPath]
    package var allowedOperators: Set<String>

    package init(_ json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        _ = try fields.parse("schema", "'\(Self.schema)'") { $0 == Self.schema ? $0 : nil }
        _ = try fields.parse("task", "'\(Manifest.task)'") { $0 == Manifest.task ? $0 : nil }
        model = try fields.parse("model", ModelName.expected) { ModelName($0) }
        version = try fields.parse("version", SemanticVersion.expected) { SemanticVersion($0) }
        locales = try Manifest.locales(&fields)
        runtime = try RecogniserSettings(fields.value("runtime", "an object"), at: "runtime")
        smoke = try SmokeSuite(
            Self.smoke(fields.value("smoke", "an object")), at: "smoke")
        requirements = try Requirements(
            Self.requirements(fields.value("requirements", "an object")), at: "requirements")
        ioSchema = try fields.parse("io_schema", TargetPath.expected) { TargetPath($0) }
        telemetrySchema = try fields.parse("telemetry_schema", TargetPath.expected) {
            TargetPath($0)
        }
        compatibility = try Compatibility(
            fields.value("compatibility", "an object"), at: "compatibility")
        modelCard = try fields.parse("model_card", TargetPath.expected) { TargetPath($0) }
        routingPolicy = try fields.optionalParse("routing_policy", TargetPath.expected) {
            TargetPath($0)
        }
        provenance = try Provenance(fields.value("provenance", "an object"), at: "provenance")
        rollbackFloor = try fields.optionalParse("rollback_floor", SemanticVersion.expected) {
            SemanticVersion($0)
        }
        extraFiles = try Self.paths(&fields, "files")
        allowedOperators = try Self.operators(&fields)
        try fields.refuseUnknown()
    }

    /// Every file of the bundle once, in the order of the manifest.
    package var paths: [TargetPath] {
        var paths: Set<TargetPath> = [
            runtime.model, runtime.tokens, ioSchema, telemetrySchema, modelCard,
        ]
        paths.formUnion(smoke.utterances.map(\.wav))
        paths.formUnion(extraFiles)
        if let routingPolicy { paths.insert(routingPolicy) }
        return paths.sorted()
    }
}

// MARK: What the description leaves open or writes otherwise

extension BundleDescription {
    private static func smoke(_ json: JSON) throws(FieldError) -> JSON {
        guard case .object(var fields) = json else { return json }
        fields["timeout_ms"] = fields["timeout_ms"] ?? 10_000
        fields["memory_limit"] = fields["memory_limit"] ?? .integer(512 << 20)
        try rewrite(
            &fields, "memory_limit", in: "smoke", WrittenNumber.bytesExpected, WrittenNumber.bytes)
        try rewrite(
            &fields, "max_wer", in: "smoke", WrittenNumber.rateExpected, WrittenNumber.thousandths)
        return .object(fields)
    }

    private static func requirements(_ json: JSON) throws(FieldError) -> JSON {
        guard case .object(var fields) = json else { return json }
        for key in ["min_memory", "min_disk"] {
            try rewrite(
                &fields, key, in: "requirements", WrittenNumber.bytesExpected, WrittenNumber.bytes)
        }
        return .object(fields)
    }

    private static func rewrite(
        _ fields: inout JSONObject, _ key: String, in path: String, _ expected: String,
        _ read: (JSON) -> JSON?
    ) throws(FieldError) {
        guard let value = fields[key] else { return }
        guard let number = read(value) else {
            throw FieldError(
                path: "\(path).\(key)", expected: expected, found: "'\(value.string ?? "")'")
        }
        fields[key] = number
    }

    private static func paths(
        _ fields: inout Fields, _ key: String
    ) throws(FieldError) -> [TargetPath] {
        var paths: [TargetPath] = []
        for element in try fields.optionalArray(key, limit: Manifest.fileLimit) {
            guard let text = element.json.string, let path = TargetPath(text) else {
                throw FieldError(
                    path: element.path, expected: TargetPath.expected,
                    found: element.json.string.map { "'\($0)'" } ?? element.json.kind)
            }
            paths.append(path)
        }
        return paths
    }

    private static func operators(_ fields: inout Fields) throws(FieldError) -> Set<String> {
        var names: Set<String> = []
        for element in try fields.optionalArray("allow_operators", limit: 16) {
            guard let name = element.json.string, refusableOperators.contains(name) else {
                throw FieldError(
                    path: element.path,
                    expected: "one of \(refusableOperators.sorted().joined(separator: ", "))",
                    found: element.json.string.map { "'\($0)'" } ?? element.json.kind)
            }
            names.insert(name)
        }
        return names
    }
}
