import Primitives

/// Compares the files in a folder with the manifest that lists them.
package enum BundleVerifier {
    /// Every file that is missing, or has another length or digest; none where all is as listed.
    package static func problems(
        of manifest: Manifest, in files: some BundleFiles
    ) -> [BundleProblem] {
        manifest.files.compactMap { problem(of: $0, in: files) }
    }

    private static func problem(
        of file: ManifestFile, in files: some BundleFiles
    ) -> BundleProblem? {
        func wrong(_ expected: String, _ found: String) -> BundleProblem {
            BundleProblem(.error, "\(file.path)", expected: expected, found: found)
        }
        do throws(BundleFileError) {
            guard let length = try files.length(of: file.path) else {
                return wrong("a file", "none")
            }
            guard length == file.length else { return wrong("\(file.length) bytes", "\(length)") }
            let digests = try FileDigests(file.path, length: length, in: files)
            guard digests.sha256 == file.sha256 else {
                return wrong("SHA-256 \(file.sha256)", "\(digests.sha256)")
            }
            let differing = digests.chunks.indices.first { digests.chunks[$0] != file.chunks[$0] }
            return differing.map {
                wrong("chunk \($0): SHA-256 \(file.chunks[$0])", "\(digests.chunks[$0])")
            }
        } catch {
            return wrong("a file to read", error.reason)
        }
    }
}
