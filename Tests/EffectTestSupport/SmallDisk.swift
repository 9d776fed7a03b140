import Glibc
package import PosixFiles
import Synchronization

/// A disk of so many bytes: what would make a file longer than there is room for fails, as on a full disk.
///
/// Counts the bytes below names, without blocks, folders and holes; what is removed or cut is free at once.
package final class SmallDisk: SyscallObserving {
    private struct State {
        var capacity: Int64 = .max
        var lengths: [String: Int64] = [:]
        var used: Int64 { lengths.values.reduce(0, +) }
    }

    private let state = Mutex(State())
    private let errno: Int32

    /// - Parameter errno: what a disk without room answers: `ENOSPC`, or `EDQUOT` for a spent quota.
    package init(errno: Int32 = ENOSPC) { self.errno = errno }

    /// Takes all the room there is.
    package func fill() { state.withLock { $0.capacity = $0.used } }

    /// Gives room without end.
    package func makeRoom() { state.withLock { $0.capacity = .max } }

    package func verdict(on call: Syscall) -> SyscallVerdict {
        guard let end = call.range?.upperBound, [.write, .reserve].contains(call.operation) else {
            return .proceed
        }
        return state.withLock { state in
            let growth = max(0, end - state.lengths[call.path, default: 0])
            return growth <= state.capacity - state.used ? .proceed : .fail(errno: errno)
        }
    }

    package func made(_ call: Syscall, _ answer: Int64) {
        state.withLock { state in
            let end = call.range?.upperBound ?? 0
            switch call.operation {
            case .write, .reserve:
                state.lengths[call.path] = max(end, state.lengths[call.path, default: 0])
            case .truncate: state.lengths[call.path] = end
            case .unlink: state.lengths[call.path] = nil
            case .rename:
                guard let from = call.other else { return }
                state.lengths[call.path] = state.lengths.removeValue(forKey: from)
            default: break
            }
        }
    }
}
