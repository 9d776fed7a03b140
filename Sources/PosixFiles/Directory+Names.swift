import CPosixShims
import Glibc
package import Primitives

extension Directory {
    /// Moves a file or folder, durably; a file that is there is replaced, unless `isNew`.
    ///
    /// - Throws: `.exists` where `isNew` and the name is taken.
    package func rename(
        _ from: TargetPath, to: TargetPath, isNew: Bool = false
    ) throws(FileError) {
        let (source, sourceName) = try locate(from)
        let (target, targetName) = try locate(to)
        if isNew {
            try source.renameNew(sourceName, to: target, targetName)
        } else {
            try source.rename(sourceName, to: target, targetName)
        }
        try target.sync()
        if source !== target { try source.sync() }
    }

    /// Puts a symbolic link in the place of whatever link was there, atomically and durably.
    ///
    ///     symlinkat(target, folder, ".new-<16 hex>"); renameat(temporary -> name); fsync(folder)
    ///
    /// - Parameters:
    ///   - path: where the link stands.
    ///   - target: what it names, relative to the link's own folder.
    /// - Throws: `.system` with `EISDIR` where a folder has the name.
    package func replaceLink(_ path: TargetPath, to target: TargetPath) throws(FileError) {
        let (folder, name) = try locate(path)
        let temporary = Self.temporaryName()
        try folder.symlink(temporary, to: target)
        do {
            try folder.rename(temporary, to: folder, name)
        } catch {
            try? folder.unlink(temporary)
            throw error
        }
        try folder.sync()
    }

    /// Makes a symbolic link where nothing is, durably.
    package func makeLink(_ path: TargetPath, to target: TargetPath) throws(FileError) {
        let (folder, name) = try locate(path)
        try folder.symlink(name, to: target)
        try folder.sync()
    }

    /// What a symbolic link names, or nil where nothing stands.
    ///
    /// - Throws: `.linkEscapes` for an absolute target or one with `..`; `.wrongKind` for what is no link.
    package func readLink(_ path: TargetPath) throws(FileError) -> TargetPath? {
        let (folder, name) = try locate(path)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count: Int
        do {
            count = try calls.make(Syscall(.readlink, folder.join(name))) {
                unsafe bytes.withUnsafeMutableBytes { buffer in
                    let text = unsafe buffer.assumingMemoryBound(to: CChar.self)
                    return unsafe cposix_readlinkat(
                        folder.handle.number, name, text.baseAddress, text.count)
                }
            }
        } catch .notFound {
            return nil
        } catch .system(.readlink, let path, EINVAL) {
            throw .wrongKind(path: path, expected: .link, found: try folder.status(name).kind)
        }
        guard let text = String(validating: bytes[..<count], as: UTF8.self),
            let target = TargetPath(text)
        else { throw .linkEscapes(path: folder.join(name)) }
        return target
    }

    /// Makes a folder and those above it where they are missing, each durably; a link in the way is refused.
    @discardableResult
    package func makeFolders(
        _ path: TargetPath, mode: FileMode = .shared
    ) throws(FileError) -> Directory {
        var folder = self
        for part in path.parts { folder = try folder.makeFolder(part, mode: mode) }
        return folder
    }

    private func makeFolder(_ name: String, mode: FileMode) throws(FileError) -> Directory {
        do {
            try calls.make(Syscall(.mkdir, join(name))) {
                unsafe cposix_mkdirat(handle.number, name, mode.folderBits)
            }
            try sync()
        } catch {
            guard case .exists = error else { throw error }
        }
        return try child(name)
    }

    func rename(_ name: String, to folder: Directory, _ newName: String) throws(FileError) {
        try calls.make(Syscall(.rename, folder.join(newName), other: join(name))) {
            unsafe cposix_renameat(handle.number, name, folder.handle.number, newName)
        }
    }

    /// Renames where the new name is free; by link and unlink where the file system has no RENAME_NOREPLACE.
    func renameNew(_ name: String, to folder: Directory, _ newName: String) throws(FileError) {
        do {
            try calls.make(Syscall(.rename, folder.join(newName), other: join(name))) {
                unsafe cposix_rename_new(handle.number, name, folder.handle.number, newName)
            }
        } catch .system(.rename, _, EINVAL) {
            try link(name, to: folder, newName)
            try unlink(name)
        }
    }

    func link(_ name: String, to folder: Directory, _ newName: String) throws(FileError) {
        try calls.make(Syscall(.link, folder.join(newName), other: join(name))) {
            unsafe cposix_linkat(handle.number, name, folder.handle.number, newName)
        }
    }

    func unlink(_ name: String, isFolder: Bool = false) throws(FileError) {
        try calls.make(Syscall(.unlink, join(name))) {
            unsafe cposix_unlinkat(handle.number, name, isFolder)
        }
    }

    private func symlink(_ name: String, to target: TargetPath) throws(FileError) {
        try calls.make(Syscall(.symlink, join(name), other: target.description)) {
            unsafe cposix_symlinkat(target.description, handle.number, name)
        }
    }
}
