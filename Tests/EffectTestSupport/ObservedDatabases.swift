import CObservedVFS
package import PosixFiles

/// A VFS for SQLite whose changes and reads of the disk go through the same observer as a `Directory`'s.
///
/// Short writes are gone on with, as SQLite itself does. What an observer lets fail is answered by the result code that
/// SQLite's own VFS has for it: `SQLITE_FULL` for a write without room, an I/O error for the rest.
package struct ObservedDatabases: Sendable {
    /// What to open a database with; its own, so that tests run side by side.
    package let name: String

    /// Registers it for as long as the process lives, and the observer with it.
    ///
    /// - Parameter observer: asked before and told after each open that may make a file, write, truncation, sync and
    ///   removal. A folder that SQLite's own VFS syncs together with a new log is told of, and not asked about. Reads, and
    ///   looks at a file's length or a name, are asked about only; one that does not fail is made whole.
    package init(_ observer: any SyscallObserving) {
        name = "observed-\(UInt64.random(in: .min ... .max))"
        let code = unsafe observed_vfs_register(
            name, Unmanaged.passRetained(Asker(observer)).toOpaque(),
            { asker, call in unsafe Asker.at(asker).verdict(on: Syscall(call)) },
            { asker, call, answer in
                unsafe Asker.at(asker).observer.made(Syscall(call), answer)
            })
        precondition(code == 0, "SQLite takes no VFS: \(code)")
    }
}

/// What the callbacks get.
private final class Asker {
    let observer: any SyscallObserving

    init(_ observer: any SyscallObserving) { self.observer = observer }

    static func at(_ context: UnsafeMutableRawPointer?) -> Asker {
        guard let context = unsafe context else { preconditionFailure("no observer") }
        return unsafe Unmanaged<Asker>.fromOpaque(context).takeUnretainedValue()
    }

    func verdict(on call: Syscall) -> observed_verdict {
        switch observer.verdict(on: call) {
        case .proceed: return observed_verdict(decision: OBSERVED_PROCEED, number: 0)
        case .fail(let errno):
            return observed_verdict(decision: OBSERVED_FAIL, number: Int64(errno))
        case .atMost(let most):
            return observed_verdict(decision: OBSERVED_AT_MOST, number: Int64(most))
        case .pretend:
            precondition(call.operation != .open, "a descriptor cannot be pretended: \(call)")
            return observed_verdict(decision: OBSERVED_PRETEND, number: 0)
        }
    }
}

extension Syscall {
    /// A call of SQLite's in the terms of the port.
    fileprivate init(_ call: UnsafePointer<observed_call>?) {
        guard let call = unsafe call?.pointee, let path = unsafe call.path else {
            preconditionFailure("a call has a path")
        }
        let name = unsafe String(cString: path)
        let range = unsafe call.start..<(call.start + call.count)
        switch unsafe call.operation {
        case OBSERVED_OPEN: self.init(.open, name, isMaking: true)
        case OBSERVED_WRITE: self.init(.write, name, range: range)
        case OBSERVED_TRUNCATE: self.init(.truncate, name, range: range)
        case OBSERVED_SYNC: self.init(.sync, name)
        case OBSERVED_UNLINK: self.init(.unlink, name)
        case OBSERVED_READ: self.init(.read, name, range: range)
        case OBSERVED_STATUS: self.init(.status, name)
        default: preconditionFailure("no such operation")
        }
    }
}
