package import Primitives

extension TargetPath {
    /// Where a repository with consistent snapshots serves the target: `<folder>/<sha256>.<name>`.
    ///
    /// TUF 1.0.34 section 6.2. Nil where that is longer than a path may be.
    package func consistent(_ digest: SHA256Digest) -> TargetPath? {
        var parts = self.parts
        parts[parts.count - 1] = "\(digest).\(parts[parts.count - 1])"
        return TargetPath(parts.joined(separator: "/"))
    }

    /// The path, each part percent-encoded, to append to a URL.
    package var urlPath: String {
        parts.map { PercentEncoding.encode($0) }.joined(separator: "/")
    }
}
