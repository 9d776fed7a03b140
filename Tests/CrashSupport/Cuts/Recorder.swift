import Glibc
package import PosixFiles
import Synchronization

/// Writes down a story: each change of the disk with its bytes, and what was seen in between.
package final class Recorder: SyscallObserving, RotHearing, Witnessing {
    /// One thing that happened.
    enum Event {
        /// A call that was made; the bytes are those that a write, copy or clone has brought, the permissions those of
        /// what was made or changed.
        case call(Syscall, [UInt8], mode: UInt32)
        case sight(Sight)
        /// A byte changed on the disk itself.
        case rot(String, Int64, UInt8)
    }

    private let list = Mutex<[Event]>([])

    package init() {}

    var events: [Event] { list.withLock { $0 } }

    package func verdict(on call: Syscall) -> SyscallVerdict { .proceed }

    package func made(_ call: Syscall, _ answer: Int64) {
        guard call.isEffect else { return }
        var bytes: [UInt8] = []
        var mode: UInt32 = 0
        switch call.operation {
        case .write, .copy:
            bytes = Self.read(call.path, at: call.range?.lowerBound ?? 0, Int(answer))
        case .clone: bytes = Scratch.bytes(call.path) ?? []
        case .open, .mkdir, .chmod:
            var status = stat()
            let answer = unsafe lstat(call.path, &status)
            precondition(answer == 0, "cannot look at \(call.path)")
            mode = status.st_mode & 0o7777
        default: break
        }
        list.withLock { $0.append(.call(call, bytes, mode: mode)) }
    }

    package func see(_ sight: Sight) { list.withLock { $0.append(.sight(sight)) } }

    func rotted(_ path: String, at offset: Int64, _ byte: UInt8) {
        list.withLock { $0.append(.rot(path, offset, byte)) }
    }

    /// What a write has just put there, by a descriptor of our own.
    private static func read(_ path: String, at offset: Int64, _ count: Int) -> [UInt8] {
        let handle = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        precondition(handle >= 0, "cannot read \(path) back")
        defer { close(handle) }
        var bytes = [UInt8](repeating: 0, count: count)
        let found = unsafe pread(handle, &bytes, count, off_t(offset))
        precondition(found == count, "cannot read \(path) back")
        return bytes
    }
}
