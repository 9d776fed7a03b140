import CPosixShims
import Glibc
package import Primitives

/// A way to have a file's bytes under a second name.
package enum PlacementMethod: String, Sendable, Hashable {
    /// A file of its own that shares the disk blocks until one of the two changes.
    case reflink
    /// A second name of the very same file: neither may ever be opened for writing.
    case hardLink = "hard link"
    /// A file of its own with blocks of its own.
    case copy
}

extension Directory {
    /// Gives a file of `source` a place in this folder, durably and without replacing anything.
    ///
    /// - Parameters:
    ///   - path: the new place; its folder must exist.
    ///   - source: the folder that the file is in.
    ///   - original: the file in `source`; only a regular file.
    ///   - methods: tried in order; one that the file systems cannot do is passed over.
    /// - Returns: the method that did it.
    /// - Throws: `.exists`; `.system` with `EXDEV` where no method could do it.
    @discardableResult
    package func place(
        _ path: TargetPath, from source: Directory, _ original: TargetPath,
        by methods: [PlacementMethod] = [.reflink, .hardLink, .copy]
    ) throws(FileError) -> PlacementMethod {
        let (folder, name) = try locate(path)
        let (home, originalName) = try source.locate(original)
        let file = try home.openFile(originalName, .reading)
        for method in methods {
            do {
                switch method {
                case .reflink: try folder.clone(file, to: name)
                case .hardLink:
                    try home.link(originalName, to: folder, name)
                    try folder.sync()
                case .copy: try folder.copy(file, to: name)
                }
                return method
            } catch {
                guard error.meansUnsupported else { throw error }
            }
        }
        throw .system(.link, path: folder.join(name), errno: EXDEV)
    }

    private func clone(_ file: OpenFile, to name: String) throws(FileError) {
        let pending = try stage(file, name)
        try calls.make(Syscall(.clone, pending.file.path)) {
            cposix_clone_file(file.descriptor, pending.file.descriptor)
        }
        try pending.commit(.new)
    }

    private func copy(_ file: OpenFile, to name: String) throws(FileError) {
        let pending = try stage(file, name)
        let size = try file.size()
        try pending.file.reserve(size)
        var offset: Int64 = 0
        do throws(FileError) {
            while offset < size {
                let range = offset..<min(size, offset + (64 << 20))
                let count = try calls.transfer(
                    Syscall(.copy, pending.file.path, range: range), count: range.count
                ) { most in
                    cposix_copy_range(
                        file.descriptor, offset, pending.file.descriptor, offset, most)
                }
                guard count > 0 else {
                    throw FileError.short(path: file.path, expected: size, found: offset)
                }
                offset += Int64(count)
            }
        } catch {
            guard error.meansUnsupported else { throw error }
            try copyThroughMemory(file, from: offset, to: pending.file)
        }
        try pending.commit(.new)
    }

    /// The way of file systems that `copy_file_range` refuses.
    private func copyThroughMemory(
        _ file: OpenFile, from start: Int64, to copy: OpenFile
    ) throws(FileError) {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var offset = start
        while true {
            let count = try file.read(into: &buffer, at: offset)
            if count == 0 { return }
            try unsafe copy.write(buffer.span.bytes.extracting(0..<count), at: offset)
            offset += Int64(count)
        }
    }

    /// A pending file with the permissions of `file`, but owner-only where nobody else may read it.
    private func stage(_ file: OpenFile, _ name: String) throws(FileError) -> PendingFile {
        let mode = try file.status().mode
        return try PendingFile(
            in: self, name: name,
            mode: mode & 0o044 == 0 ? .ownerOnly : mode & 0o222 == 0 ? .readOnly : .shared)
    }
}

extension FileError {
    /// Whether the file systems cannot do this at all, so that another way may.
    fileprivate var meansUnsupported: Bool {
        guard case .system(let operation, _, let errno) = self,
            [.clone, .link, .copy].contains(operation)
        else { return false }
        return [EOPNOTSUPP, EXDEV, ENOSYS, EINVAL, EPERM, EMLINK, ENOTTY].contains(errno)
    }
}
