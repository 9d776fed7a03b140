import CPosixShims
import Glibc
package import Primitives

/// How a file is opened.
package enum FileAccess: Sendable, Hashable {
    /// An existing file, for reading.
    case reading
    /// An existing file, for reading and writing.
    case writing
    /// For reading and writing; made empty where there is none.
    case makingIfMissing(FileMode)
    /// For reading and writing; there must be none yet.
    case makingNew(FileMode)
}

extension Directory {
    /// Opens a regular file.
    ///
    /// - Throws: `.notFound`; `.linkRefused`; `.wrongKind` for a folder, pipe or device; `.exists` for `.makingNew`.
    package func open(_ path: TargetPath, _ access: FileAccess) throws(FileError) -> OpenFile {
        let (folder, name) = try locate(path)
        return try folder.openFile(name, access)
    }

    func openFile(_ name: String, _ access: FileAccess) throws(FileError) -> OpenFile {
        let handle =
            switch access {
            case .reading: try open(name, O_RDONLY)
            case .writing: try open(name, O_RDWR)
            case .makingIfMissing(let mode): try open(name, O_RDWR | O_CREAT, mode: mode)
            case .makingNew(let mode): try open(name, O_RDWR | O_CREAT | O_EXCL, mode: mode)
            }
        let file = OpenFile(handle, path: join(name), calls: calls)
        if case .makingNew = access { return file }  // O_CREAT with O_EXCL makes files only
        let kind = try file.status().kind
        guard kind == .file else {
            throw .wrongKind(path: file.path, expected: .file, found: kind)
        }
        return file
    }

    /// All bytes of a file.
    ///
    /// - Throws: `.tooLarge` beyond `limit` bytes, also when the file grows while it is read.
    package func read(_ path: TargetPath, limit: Int) throws(FileError) -> [UInt8] {
        let file = try open(path, .reading)
        let size = try file.size()
        guard size <= Int64(limit) else {
            throw .tooLarge(path: file.path, limit: Int64(limit), found: size)
        }
        var bytes = [UInt8](repeating: 0, count: Int(size) + 1)
        let count = try file.read(into: &bytes, at: 0)
        guard count <= limit, count < bytes.count else {
            throw .tooLarge(path: file.path, limit: min(size, Int64(limit)), found: Int64(count))
        }
        bytes.removeSubrange(count...)
        return bytes
    }

    /// All bytes of a file, or nil where there is none.
    package func readIfPresent(_ path: TargetPath, limit: Int) throws(FileError) -> [UInt8]? {
        do {
            return try read(path, limit: limit)
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    /// What stands at a path, or nil where nothing does; a link is described, not followed.
    package func status(_ path: TargetPath) throws(FileError) -> FileStatus? {
        do {
            let (folder, name) = try locate(path)
            return try folder.status(name)
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }
}
