import EffectTestSupport
package import PosixFiles
import Synchronization

/// The observer of every device of this process, which hands each call on to the one that watches now.
///
/// SQLite's VFS is registered for the life of a process, and so there is one of these.
package final class Effects: SyscallObserving {
    package static let all = Effects()
    /// The VFS through which a journal reaches the disk under this observer.
    package static let vfs = ObservedDatabases(all).name

    private let watcher = Mutex<(any SyscallObserving)?>(nil)

    /// Hands calls to `observer` from now on; nil to nobody.
    package func watch(_ observer: (any SyscallObserving)?) { watcher.withLock { $0 = observer } }

    package func verdict(on call: Syscall) -> SyscallVerdict {
        watcher.withLock { $0 }?.verdict(on: call) ?? .proceed
    }

    package func made(_ call: Syscall, _ answer: Int64) {
        watcher.withLock { $0 }?.made(call, answer)
    }

    /// Tells that a test has changed a byte on the disk, durably, as a rotten disk would.
    func rotted(_ path: String, at offset: Int64, _ byte: UInt8) {
        (watcher.withLock { $0 } as? any RotHearing)?.rotted(path, at: offset, byte)
    }
}

/// An observer that has to know of bytes that nobody wrote.
protocol RotHearing: Sendable {
    func rotted(_ path: String, at offset: Int64, _ byte: UInt8)
}

extension Syscall {
    /// Whether it changes what lies on the disk, or makes it durable: a point at which a device may end.
    package var isEffect: Bool {
        switch operation {
        case .open: isMaking
        case .write, .sync, .truncate, .chmod, .reserve, .punch, .rename, .link, .clone, .copy,
            .unlink,
            .mkdir, .symlink:
            true
        case .read, .writeback, .seek, .advise, .status, .space, .readlink, .list, .lock: false
        }
    }

    /// Whether it reads what lies on the disk, names and lengths included, and so may meet a disk that cannot.
    package var isReading: Bool {
        switch operation {
        case .open: !isMaking
        case .read, .seek, .status, .space, .readlink, .list: true
        case .write, .sync, .truncate, .chmod, .reserve, .punch, .rename, .link, .clone, .copy,
            .unlink, .mkdir, .symlink, .writeback, .advise, .lock:
            false
        }
    }

    /// What it does to which file below the story's folder, in words that are the same in every run.
    package func name(below folder: String) -> String {
        let isCommit = operation == .sync && path.hasSuffix("-wal")
        let word = isCommit ? "commit" : operation.rawValue
        return "\(word) \(Self.normal(path, below: folder))"
    }

    private static func normal(_ path: String, below folder: String) -> String {
        if path == folder { return "." }
        let own = path.hasPrefix(folder + "/") ? path.dropFirst(folder.count + 1) : path[...]
        return own.split(separator: "/").map { part in
            if part.hasPrefix(".new-") { return ".new-*" }
            let stem = part.prefix { $0 != "." }
            let isDigest = stem.count == 64 && stem.allSatisfy(\.isHexDigit)
            return isDigest ? "<digest>" + part.dropFirst(64) : String(part)
        }.joined(separator: "/")
    }
}
