import Primitives
import Speech

extension BundleDescription {
    /// The manifest of this description and its files, which are listed in the order of their paths.
    ///
    /// - Throws: `FieldError` where fields do not fit one another.
    func manifest(
        listing files: [ManifestFile], created: UTCTime
    ) throws(FieldError) -> Manifest {
        try Manifest(
            model: model, version: version, created: created, locales: locales, runtime: runtime,
            files: files, smoke: smoke, requirements: requirements,
            ioSchema: reference(ioSchema, in: files),
            telemetrySchema: reference(telemetrySchema, in: files), compatibility: compatibility,
            modelCard: modelCard, routingPolicy: routingPolicy, provenance: provenance,
            rollbackFloor: rollbackFloor)
    }

    /// What is wrong between the fields, before any digest is known; nil for nothing.
    ///
    /// Digests do not matter to what is checked, so any will do.
    func disagreement(lengths: [TargetPath: Int64]) -> FieldError? {
        guard let digest = SHA256Digest([UInt8](repeating: 0, count: SHA256Digest.byteCount)) else {
            preconditionFailure("32 bytes are a digest")
        }
        do throws(FieldError) {
            var files: [ManifestFile] = []
            for path in paths {
                guard let length = lengths[path] else { return nil }
                let chunks = [SHA256Digest](
                    repeating: digest, count: ManifestFile.chunkCount(of: length))
                files.append(
                    try ManifestFile(path: path, length: length, sha256: digest, chunks: chunks))
            }
            _ = try manifest(listing: files, created: .epoch)
            return nil
        } catch {
            return error
        }
    }

    private func reference(
        _ path: TargetPath, in files: [ManifestFile]
    ) throws(FieldError) -> SchemaReference {
        guard let file = files.first(where: { $0.path == path }) else {
            throw FieldError(path: "files", expected: "'\(path)'", found: "no such file")
        }
        return SchemaReference(path: path, sha256: file.sha256)
    }
}
