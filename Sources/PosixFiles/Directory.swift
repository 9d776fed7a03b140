import CPosixShims
import Glibc
package import Primitives

/// A handle on a folder, below which files are found, written and removed, and outside of which nothing is.
///
/// Every operation takes a `TargetPath` and is made relative to the handle, one folder at a time, each opened without
/// following links (`locate`, the one gate). Neither `..` nor an absolute path nor a link that somebody planted leads
/// out of it. Renaming the folder itself does not disturb it.
package final class Directory: Sendable {
    /// The folder's path as it was opened, for messages only.
    package let path: String
    let handle: Descriptor
    let calls: SystemCalls

    init(_ handle: Descriptor, path: String, calls: SystemCalls) {
        self.handle = handle
        self.path = path
        self.calls = calls
    }

    /// Opens the folder at a path of the operating system; links in this path are the operator's and are followed.
    ///
    /// - Parameters:
    ///   - path: absolute, or relative to the working directory.
    ///   - observer: in tests, sees every system call made below this folder.
    /// - Throws: `.notFound`; `.system` with `ENOTDIR` for what is no folder.
    package convenience init(
        opening path: String, observer: (any SyscallObserving)? = nil
    ) throws(FileError) {
        let calls = SystemCalls(observer: observer)
        let number = try calls.make(Syscall(.open, path)) {
            unsafe cposix_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        }
        self.init(Descriptor(owning: number), path: path, calls: calls)
    }

    /// Opens the folder at a path of the operating system, and first makes it and its parents where they are missing.
    ///
    /// A folder that is made is durable before anything is put into it.
    package convenience init(
        making path: String, mode: FileMode = .shared, observer: (any SyscallObserving)? = nil
    ) throws(FileError) {
        let calls = SystemCalls(observer: observer)
        var above = path.hasPrefix("/") ? "/" : "."
        for part in path.split(separator: "/") {
            let folder = above == "/" ? "/\(part)" : above == "." ? "\(part)" : "\(above)/\(part)"
            do {
                try calls.make(Syscall(.mkdir, folder)) {
                    unsafe cposix_mkdirat(AT_FDCWD, folder, mode.folderBits)
                }
                try Directory(opening: above, observer: observer).sync()
            } catch {
                guard case .exists = error else { throw error }
            }
            above = folder
        }
        try self.init(opening: path, observer: observer)
    }

    /// The descriptor's number, to lend to a child process or a C library; valid while this object lives.
    package var descriptor: Int32 { handle.number }

    /// Opens a folder below this one.
    package func directory(_ path: TargetPath) throws(FileError) -> Directory {
        var folder = self
        for part in path.parts { folder = try folder.child(part) }
        return folder
    }

    /// The one gate: the folder that holds `path`'s last part, reached without following a link, and that part's name.
    func locate(_ path: TargetPath) throws(FileError) -> (folder: Directory, name: String) {
        var parts = path.parts
        let name = parts.removeLast()
        var folder = self
        for part in parts { folder = try folder.child(part) }
        return (folder, name)
    }

    /// Opens one folder directly inside this one; a link is refused.
    func child(_ name: String) throws(FileError) -> Directory {
        let handle = try open(name, O_RDONLY | O_DIRECTORY)
        return Directory(handle, path: join(name), calls: calls)
    }

    /// Opens a name directly inside this folder, never a link and never waiting for a pipe's other end.
    func open(
        _ name: String, _ flags: Int32, mode: FileMode = .shared
    ) throws(FileError) -> Descriptor {
        do {
            let number = try calls.make(
                Syscall(.open, join(name), isMaking: flags & O_CREAT != 0)
            ) {
                unsafe cposix_openat(
                    handle.number, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
                    mode.fileBits)
            }
            return Descriptor(owning: number)
        } catch .system(.open, let path, ENOTDIR) {
            let found = try status(name).kind
            if found == .link { throw .linkRefused(.open, path: path) }
            throw .wrongKind(path: path, expected: .folder, found: found)
        }
    }

    /// What stands under a name directly inside this folder.
    func status(_ name: String) throws(FileError) -> FileStatus {
        var status = cposix_status()
        try calls.make(Syscall(.status, join(name))) {
            unsafe cposix_status_at(handle.number, name, &status)
        }
        return FileStatus(status)
    }

    /// The path of a name inside this folder, for messages.
    func join(_ name: String) -> String {
        path.hasSuffix("/") ? path + name : "\(path)/\(name)"
    }

    /// Makes the names in this folder durable.
    package func sync() throws(FileError) {
        try calls.make(Syscall(.sync, path)) { cposix_fsync(handle.number) }
    }

    /// Bytes that an unprivileged process may still write on this file system.
    package func freeBytes() throws(FileError) -> Int64 {
        try calls.make(Syscall(.space, path)) { cposix_free_bytes(handle.number) }
    }
}

/// Who may read what is made: everyone, or its owner alone; the process's umask still takes bits away.
package enum FileMode: Sendable, Hashable {
    /// `0644`, folders `0755`.
    case shared
    /// `0600`, folders `0700`: keys, tokens, journals.
    case ownerOnly
    /// `0444`: bytes that shall never change, such as blobs and slots.
    case readOnly

    var fileBits: mode_t {
        switch self {
        case .shared: 0o644
        case .ownerOnly: 0o600
        case .readOnly: 0o444
        }
    }

    var folderBits: mode_t {
        switch self {
        case .shared, .readOnly: 0o755
        case .ownerOnly: 0o700
        }
    }
}
