package import Primitives

/// A bundle that was built: its manifest, the bytes to sign, and what is doubtful about it.
package struct BuiltBundle: Sendable, Hashable {
    package let manifest: Manifest
    /// The manifest's bytes, which targets metadata names by length and digest.
    package let bytes: [UInt8]
    package let warnings: [BundleProblem]
}

/// Makes a manifest of a description and its files; the same input gives the same bytes.
package enum BundleBuilder {
    /// Checks the description and its files, reads each file once more for its digests, and lists them.
    ///
    /// - Parameters:
    ///   - description: what bundle.yaml says.
    ///   - files: the folder that the description stands in.
    ///   - created: the moment that the manifest will name; nothing here reads a clock.
    /// - Returns: the manifest, with the warnings of the static checks.
    /// - Throws: `BundleError`, with every problem that was found.
    package static func build(
        _ description: BundleDescription, from files: some BundleFiles, created: UTCTime
    ) throws(BundleError) -> BuiltBundle {
        let problems = BundleCheck.problems(of: description, in: files)
        guard problems.allSatisfy({ $0.severity == .warning }) else {
            throw BundleError(problems: problems)
        }
        let listed = try list(description.paths, in: files, problems)
        do throws(FieldError) {
            let manifest = try description.manifest(listing: listed, created: created)
            let bytes = manifest.bytes
            guard bytes.count <= Manifest.byteLimit else {
                throw FieldError(
                    path: "", expected: "a manifest of at most \(Manifest.byteLimit) bytes",
                    found: "\(bytes.count)")
            }
            return BuiltBundle(manifest: manifest, bytes: bytes, warnings: problems)
        } catch {
            let problem = BundleProblem(
                .error, "bundle.yaml: \(error.path)", expected: error.expected, found: error.found)
            throw BundleError(problems: problems + [problem])
        }
    }

    private static func list(
        _ paths: [TargetPath], in files: some BundleFiles, _ problems: [BundleProblem]
    ) throws(BundleError) -> [ManifestFile] {
        var listed: [ManifestFile] = []
        for path in paths {
            do {
                listed.append(try list(path, in: files))
            } catch {
                let problem = BundleProblem(
                    .error, "\(path)", expected: "a file to read", found: error.reason)
                throw BundleError(problems: problems + [problem])
            }
        }
        return listed
    }

    private static func list(
        _ path: TargetPath, in files: some BundleFiles
    ) throws(BundleFileError) -> ManifestFile {
        guard let length = try files.length(of: path) else {
            throw BundleFileError(path: path, reason: "it is gone")
        }
        let digests = try FileDigests(path, length: length, in: files)
        do {
            return try ManifestFile(
                path: path, length: length, sha256: digests.sha256, chunks: digests.chunks)
        } catch {
            throw BundleFileError(path: path, reason: "\(error)")
        }
    }
}
