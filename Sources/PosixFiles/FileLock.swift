import CPosixShims
package import Primitives

/// A lock on a file, held until the value is gone: by one holder, or shared by many.
///
/// `flock(2)`: it belongs to the open file, so two locks exclude each other also within one process; the kernel
/// drops it when the holder dies. The lock file stays and is never removed or replaced by its users.
package struct FileLock: ~Copyable, Sendable {
    /// Who else may hold it meanwhile.
    package enum Mode: Sendable, Hashable {
        /// Other sharers.
        case shared
        /// Nobody.
        case exclusive
    }

    package let mode: Mode
    /// The locked file; an exclusive holder may write into it, for people to read, who it is.
    package let file: OpenFile

    fileprivate init(mode: Mode, file: OpenFile) {
        self.mode = mode
        self.file = file
    }

    deinit {
        // A child that inherited the descriptor would otherwise go on holding it.
        _ = cposix_unlock(file.descriptor)
    }
}

extension Directory {
    /// Takes the lock if that is possible now; makes the lock file where it is missing.
    ///
    /// - Returns: nil where another holder is in the way.
    package func tryLock(
        _ path: TargetPath, _ mode: FileLock.Mode
    ) throws(FileError) -> FileLock? {
        let (folder, name) = try locate(path)
        while true {
            let file = try folder.openFile(name, .makingIfMissing(.ownerOnly))
            do {
                try calls.make(Syscall(.lock, file.path)) {
                    cposix_try_lock(file.descriptor, mode == .exclusive)
                }
            } catch {
                if error.isLockedElsewhere { return nil }
                throw error
            }
            // Somebody may have replaced the file between open and lock: then this lock is worth nothing.
            if let named = try status(path), named.isSameFile(as: try file.status()) {
                return FileLock(mode: mode, file: file)
            }
        }
    }

    /// Takes the lock, asking again with growing pauses of at most 50 ms.
    ///
    /// - Parameters:
    ///   - path: the lock file.
    ///   - mode: shared or exclusive.
    ///   - limit: how long to wait in all.
    ///   - isCancelled: looked at before each pause.
    /// - Returns: the lock, held.
    /// - Throws: `.busy` when the time is over or `isCancelled` says so.
    package func lock(
        _ path: TargetPath, _ mode: FileLock.Mode, waiting limit: Duration,
        isCancelled: () -> Bool = { false }
    ) throws(FileError) -> FileLock {
        // Not ContinuousClock: that would link Swift's concurrency runtime and libdispatch into the agent.
        let start = cposix_boottime()
        var pause = 1
        while true {
            if let lock = try tryLock(path, mode) { return lock }
            guard .nanoseconds(cposix_boottime() - start) < limit, !isCancelled() else {
                throw .busy(path: join(path.description))
            }
            cposix_pause(Int64(pause) * 1_000_000)
            pause = min(pause * 2, 50)
        }
    }
}

extension FileError {
    fileprivate var isLockedElsewhere: Bool {
        guard case .system(.lock, _, let errno) = self else { return false }
        return errno == cposix_would_block
    }
}
