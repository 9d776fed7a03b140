import PosixFiles
import Primitives
import TUF

/// Trusted metadata in a folder, one file a role, each replaced durably.
struct MetadataFolder: MetadataStoring {
    private let folder: Directory

    init(making path: String) throws(FileError) {
        folder = try Directory(making: path)
    }

    func load(_ name: MetadataFileName, limit: Int) throws(FileError) -> [UInt8]? {
        do { return try folder.readIfPresent(try path(name), limit: limit) } catch {
            if case .tooLarge = error { return nil }
            throw error
        }
    }

    func store(_ bytes: [UInt8], as name: MetadataFileName) throws(FileError) {
        try folder.replace(try path(name), with: bytes)
    }

    func remove(_ name: MetadataFileName) throws(FileError) {
        try folder.removeFile(try path(name))
    }

    private func path(_ name: MetadataFileName) throws(FileError) -> TargetPath {
        guard let path = TargetPath(name.description) else {
            throw .notFound(.open, path: name.description)
        }
        return path
    }
}
