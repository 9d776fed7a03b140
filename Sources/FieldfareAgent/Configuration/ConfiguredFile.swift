import Glibc
import PosixFiles
import Primitives

/// A file that the configuration or an operator names; links on the way to it are theirs, and are followed.
enum ConfiguredFile {
    /// All bytes of the file.
    static func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        guard let resolved = unsafe realpath(path, nil) else {
            throw FileError(.open, path: path, errno: errno)
        }
        defer { unsafe free(resolved) }
        let (folder, leaf) = MergedConfiguration.split(unsafe String(cString: resolved))
        guard let name = TargetPath(leaf) else { throw .notFound(.open, path: path) }
        return try Directory(opening: folder).read(name, limit: limit)
    }
}
