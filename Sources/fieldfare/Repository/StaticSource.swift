import Console
import PosixFiles
import Primitives

/// Where a repository's static files are.
protocol StaticSource {
    /// A file by its path below the repository; nil where there is none.
    func bytes(_ path: String, limit: Int) throws(Failure) -> [UInt8]?
}

extension RegistryAPI: StaticSource {
    func bytes(_ path: String, limit: Int) throws(Failure) -> [UInt8]? {
        guard let bytes = try file("/" + path) else { return nil }
        guard bytes.count <= limit else {
            throw Failure(
                .refused, "'\(path)': expected at most \(limit) bytes, got \(bytes.count)")
        }
        return bytes
    }
}

/// A folder with tuf/ and targets/.
struct FolderSource: StaticSource {
    let folder: Directory

    init(_ path: String) throws(Failure) {
        folder = try Failure.catching("folder '\(path)'") { try Directory(opening: path) }
    }

    func bytes(_ path: String, limit: Int) throws(Failure) -> [UInt8]? {
        try Failure.catching("'\(path)'", .refused) {
            guard let path = TargetPath(path) else { return nil }
            return try folder.readIfPresent(path, limit: limit)
        }
    }
}
