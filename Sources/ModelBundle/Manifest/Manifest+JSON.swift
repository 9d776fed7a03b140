package import Primitives
import Speech

extension Manifest {
    /// Reads a manifest strictly: canonical or not, but every field known and every reference listed.
    package init(parsing bytes: [UInt8]) throws(ManifestError) {
        let json: JSON
        do {
            json = try JSON(parsing: bytes, limits: JSONLimits(bytes: Self.byteLimit, depth: 8))
        } catch { throw .json(error) }
        do { try self.init(json) } catch { throw .field(error) }
    }

    package init(_ json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        _ = try fields.parse("schema", "'\(Self.schema)'") { $0 == Self.schema ? $0 : nil }
        _ = try fields.parse("task", "'\(Self.task)'") { $0 == Self.task ? $0 : nil }
        let runtime = try RecogniserSettings(fields.value("runtime", "an object"), at: "runtime")
        let smoke = try SmokeSuite(fields.value("smoke", "an object"), at: "smoke")
        try self.init(
            model: fields.parse("model", ModelName.expected) { ModelName($0) },
            version: fields.parse("version", SemanticVersion.expected) { SemanticVersion($0) },
            created: fields.parse("created", "a moment such as 2026-11-21T05:06:07Z") {
                UTCTime(iso8601: $0)
            },
            locales: Self.locales(&fields), runtime: runtime, files: Self.files(&fields),
            smoke: smoke,
            requirements: Requirements(
                fields.value("requirements", "an object"), at: "requirements"),
            ioSchema: SchemaReference(fields.value("io_schema", "an object"), at: "io_schema"),
            telemetrySchema: SchemaReference(
                fields.value("telemetry_schema", "an object"), at: "telemetry_schema"),
            compatibility: Compatibility(
                fields.value("compatibility", "an object"), at: "compatibility"),
            modelCard: fields.parse("model_card", TargetPath.expected) { TargetPath($0) },
            routingPolicy: fields.optionalParse("routing_policy", TargetPath.expected) {
                TargetPath($0)
            },
            provenance: Provenance(fields.value("provenance", "an object"), at: "provenance"),
            rollbackFloor: fields.optionalParse("rollback_floor", SemanticVersion.expected) {
                SemanticVersion($0)
            })
        try fields.refuseUnknown()
    }

    /// The manifest's bytes: canonical JSON, so that equal manifests have equal digests.
    package var bytes: [UInt8] { json.canonicalBytes }

    package var json: JSON {
        var fields: JSONObject = [
            "schema": .string(Self.schema), "task": .string(Self.task),
            "model": .string(model.description), "version": .string(version.description),
            "created": .string(created.description),
            "locales": .array(locales.map { .string($0.description) }), "runtime": runtime.json,
            "files": .array(files.map(\.json)), "smoke": smoke.json,
            "requirements": requirements.json, "io_schema": ioSchema.json,
            "telemetry_schema": telemetrySchema.json, "compatibility": compatibility.json,
            "model_card": .string(modelCard.description), "provenance": provenance.json,
        ]
        if let routingPolicy { fields["routing_policy"] = .string(routingPolicy.description) }
        if let rollbackFloor { fields["rollback_floor"] = .string(rollbackFloor.description) }
        return .object(fields)
    }

    static func locales(_ fields: inout Fields) throws(FieldError) -> [AttributeName] {
        var locales: [AttributeName] = []
        for element in try fields.array("locales", limit: localeLimit) {
            guard case .string(let text) = element.json, let locale = AttributeName(text) else {
                throw FieldError(
                    path: element.path, expected: AttributeName.expected,
                    found: element.json.string.map { "'\($0)'" } ?? element.json.kind)
            }
            locales.append(locale)
        }
        return locales
    }

    private static func files(_ fields: inout Fields) throws(FieldError) -> [ManifestFile] {
        var files: [ManifestFile] = []
        for element in try fields.array("files", limit: fileLimit) {
            files.append(try ManifestFile(element.json, at: element.path))
        }
        return files
    }
}
