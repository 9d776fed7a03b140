package import Primitives

/// Why a file of a bundle could not be read, in the reader's words.
package struct BundleFileError: Error, Sendable, Hashable {
    package let path: TargetPath
    package let reason: String

    package init(path: TargetPath, reason: String) {
        self.path = path
        self.reason = reason
    }
}

extension BundleFileError: CustomStringConvertible {
    package var description: String { "'\(path)': \(reason)" }
}

/// The files below a bundle's folder, read in parts, so that a model of 512 MB is never whole in memory.
///
/// Implementations follow no symbolic link out of the folder. The files must not change meanwhile; who
/// uploads them afterwards sends them by digest, and a file that did change is refused there.
package protocol BundleFiles {
    /// The length of the regular file at `path`; nil where there is none.
    func length(of path: TargetPath) throws(BundleFileError) -> Int64?

    /// Exactly the `count` bytes from `offset` on.
    func read(_ path: TargetPath, at offset: Int64, count: Int) throws(BundleFileError) -> [UInt8]
}

extension BundleFiles {
    /// A whole small file; nil where it is longer than `limit`.
    func small(_ path: TargetPath, length: Int64, limit: Int) throws(BundleFileError) -> [UInt8]? {
        guard length <= Int64(limit) else { return nil }
        return try read(path, at: 0, count: Int(length))
    }
}
