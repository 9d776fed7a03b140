import Console
import CurlTransport
import PosixFiles
import Primitives
import RegistryAccess

/// Where a repository's static files are.
protocol StaticSource {
    /// A file by its path below the repository; nil where there is none.
    func bytes(_ path: String, limit: Int) throws(Failure) -> [UInt8]?
}

/// Where large files can be read in parts.
protocol PartialSource: StaticSource {
    /// A part of a file, as far as the file goes; nil where there is no such file.
    func bytes(_ path: String, range: Range<Int64>) throws(Failure) -> [UInt8]?
}

extension RegistryAPI: PartialSource {
    func bytes(_ path: String, limit: Int) throws(Failure) -> [UInt8]? {
        guard let bytes = try file("/" + path) else { return nil }
        guard bytes.count <= limit else {
            throw Failure(
                .refused, "'\(path)': expected at most \(limit) bytes, got \(bytes.count)")
        }
        return bytes
    }

    func bytes(_ path: String, range: Range<Int64>) throws(Failure) -> [UInt8]? {
        let answer = try send(
            .get, "/" + path,
            headers: ["Range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)"],
            accepting: [404, 416])
        switch answer.status {
        case 404: return nil
        case 416: return []
        case 206: return answer.body
        default:
            throw Failure(.failed, "'\(path)': expected a part of it, got status \(answer.status)")
        }
    }
}

/// A folder with tuf/, targets/ and blobs/.
struct FolderSource: PartialSource {
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

    func bytes(_ path: String, range: Range<Int64>) throws(Failure) -> [UInt8]? {
        try Failure.catching("'\(path)'", .refused) {
            guard let path = TargetPath(path) else { return nil }
            let file: OpenFile
            do throws(FileError) {
                file = try folder.open(path, .reading)
            } catch {
                if error.isNotFound { return nil }
                throw error
            }
            var bytes = [UInt8](repeating: 0, count: range.count)
            let count = try file.read(into: &bytes, at: range.lowerBound)
            return Array(bytes.prefix(count))
        }
    }
}
