package import Primitives
package import Speech

/// One version of a model, with the digests of all its bytes and what a device needs to judge it.
///
/// It is a TUF target, `bundles/<model>/<version>.json`, and a value that cannot be wrong in itself: what
/// names a file names one that is listed. docs/formats/manifest.md describes the format.
package struct Manifest: Sendable, Hashable {
    package static let schema = "fieldfare.manifest/1"
    /// Bytes of a whole manifest: room for some 60 GB of chunks.
    package static let byteLimit = 1 << 20
    package static let fileLimit = 4_096
    package static let localeLimit = 64
    package static let task = "asr"

    package let model: ModelName
    package let version: SemanticVersion
    package let created: UTCTime
    package let locales: [AttributeName]
    package let runtime: RecogniserSettings
    /// In order of their paths.
    package let files: [ManifestFile]
    package let smoke: SmokeSuite
    package let requirements: Requirements
    package let ioSchema: SchemaReference
    package let telemetrySchema: SchemaReference
    package let compatibility: Compatibility
    package let modelCard: TargetPath
    package let routingPolicy: TargetPath?
    package let provenance: Provenance
    /// The oldest version that a device may go back to, once it has committed this one; nil for any.
    package let rollbackFloor: SemanticVersion?

    package init(
        model: ModelName, version: SemanticVersion, created: UTCTime, locales: [AttributeName],
        runtime: RecogniserSettings, files: [ManifestFile], smoke: SmokeSuite,
        requirements: Requirements, ioSchema: SchemaReference, telemetrySchema: SchemaReference,
        compatibility: Compatibility, modelCard: TargetPath, routingPolicy: TargetPath?,
        provenance: Provenance, rollbackFloor: SemanticVersion?
    ) throws(FieldError) {
        self.model = model
        self.version = version
        self.created = created
        self.locales = locales
        self.runtime = runtime
        self.files = files
        self.smoke = smoke
        self.requirements = requirements
        self.ioSchema = ioSchema
        self.telemetrySchema = telemetrySchema
        self.compatibility = compatibility
        self.modelCard = modelCard
        self.routingPolicy = routingPolicy
        self.provenance = provenance
        self.rollbackFloor = rollbackFloor
        try checkVersions()
        try checkFiles()
        try checkReferences()
    }

    /// The listed file at `path`.
    package func file(at path: TargetPath) -> ManifestFile? {
        files.first { $0.path == path }
    }

    /// Bytes of all files; equal files count once for each path.
    package var totalLength: Int64 { files.reduce(0) { $0 + $1.length } }

    /// Where the manifest of a version stands among the targets.
    package static func targetPath(model: ModelName, version: SemanticVersion) -> TargetPath {
        guard let path = TargetPath("bundles/\(model)/\(version).json") else {
            preconditionFailure("a model name and a version make a path")
        }
        return path
    }

    package var targetPath: TargetPath { Self.targetPath(model: model, version: version) }
}

// MARK: What must hold between fields

extension Manifest {
    private func checkFiles() throws(FieldError) {
        guard !files.isEmpty, files.count <= Self.fileLimit else {
            throw FieldError(
                path: "files", expected: "1 to \(Self.fileLimit) files", found: "\(files.count)")
        }
        for (index, file) in files.enumerated() {
            let field = "files[\(index)].path"
            guard BundleLayout.accepts(file.path) else {
                throw FieldError(
                    path: field, expected: BundleLayout.expected, found: "'\(file.path)'")
            }
            guard index > 0 else { continue }
            guard files[index - 1].path < file.path else {
                throw FieldError(
                    path: field, expected: "each path once, in order of bytes",
                    found: "'\(file.path)' after '\(files[index - 1].path)'")
            }
        }
        try checkFolders()
    }

    /// No path may be a file and the folder of another.
    private func checkFolders() throws(FieldError) {
        let paths = Set(files.map(\.path))
        for file in files {
            var folder = ""
            for part in file.path.parts.dropLast() {
                folder += folder.isEmpty ? part : "/" + part
                guard let path = TargetPath(folder), paths.contains(path) else { continue }
                throw FieldError(
                    path: "files", expected: "'\(folder)' as a file or a folder", found: "both")
            }
        }
    }

    private func checkReferences() throws(FieldError) {
        try require(runtime.model, at: "runtime.model")
        try require(runtime.tokens, at: "runtime.tokens")
        for (index, utterance) in smoke.utterances.enumerated() {
            try require(utterance.wav, at: "smoke.utterances[\(index)].wav")
            guard locales.contains(utterance.locale) else {
                throw FieldError(
                    path: "smoke.utterances[\(index)].locale", expected: "one of the locales",
                    found: "'\(utterance.locale)'")
            }
        }
        try require(modelCard, at: "model_card")
        if let routingPolicy { try require(routingPolicy, at: "routing_policy") }
        try require(ioSchema.path, at: "io_schema.path", sha256: ioSchema.sha256)
        try require(
            telemetrySchema.path, at: "telemetry_schema.path", sha256: telemetrySchema.sha256)
    }

    private func require(
        _ path: TargetPath, at field: String, sha256: SHA256Digest? = nil
    ) throws(FieldError) {
        guard let file = file(at: path) else {
            throw FieldError(
                path: field, expected: "a file of the bundle", found: "'\(path)', not listed")
        }
        guard let sha256, sha256 != file.sha256 else { return }
        throw FieldError(
            path: field, expected: "the digest that 'files' lists, \(file.sha256)",
            found: "\(sha256)")
    }

    private func checkVersions() throws(FieldError) {
        guard !locales.isEmpty, Set(locales).count == locales.count else {
            throw FieldError(path: "locales", expected: "at least one, each once", found: "others")
        }
        if let rollbackFloor, version < rollbackFloor {
            throw FieldError(
                path: "rollback_floor", expected: "at most the version itself, \(version)",
                found: "\(rollbackFloor)")
        }
        if let older = compatibility.supersedes, older >= version {
            throw FieldError(
                path: "compatibility.supersedes", expected: "a version before \(version)",
                found: "\(older)")
        }
    }
}
