/// One system call about to be made below a root.
package struct Syscall: Sendable, Hashable, CustomStringConvertible {
    package let operation: FileOperation
    /// The name in its folder, or the path of the folder or file handle.
    package let path: String

    package var description: String { "\(operation.rawValue) \(path)" }
}

/// What a test lets happen to a system call.
package enum SyscallVerdict: Sendable, Hashable {
    case proceed
    /// The call is not made; it answers this error number instead. `EINTR` is retried, like a real one.
    case fail(errno: Int32)
    /// A read, write or copy moves at most so many bytes (at least 1).
    case atMost(Int)
}

/// A test's eye on the system calls of a `Directory`, to count them, fail them, or stop at the k-th.
///
/// A killed process is one whose every call from the k-th on fails: clean-up does not run either.
/// Outside of tests there is none, and the cost is one comparison with nil.
package protocol SyscallObserving: Sendable {
    func verdict(on call: Syscall) -> SyscallVerdict
}

/// Makes every system call of this target: asks the observer, retries `EINTR`, names the error.
struct SystemCalls: Sendable {
    let observer: (any SyscallObserving)?

    /// Makes a call that answers a result or minus errno.
    @discardableResult
    func make<Answer: SignedInteger>(
        _ operation: FileOperation, _ path: String, _ call: () -> Answer
    ) throws(FileError) -> Answer {
        try transfer(operation, path, count: 1) { _ in call() }
    }

    /// As `make`, for a call that moves up to `count` bytes and may move fewer.
    func transfer<Answer: SignedInteger>(
        _ operation: FileOperation, _ path: String, count: Int, _ call: (Int) -> Answer
    ) throws(FileError) -> Answer {
        while true {
            var allowed = count
            var answer: Answer
            switch observer?.verdict(on: Syscall(operation: operation, path: path)) {
            case nil, .proceed: answer = call(allowed)
            case .fail(let errno): answer = Answer(-errno)
            case .atMost(let most):
                allowed = min(allowed, max(1, most))
                answer = call(allowed)
            }
            if answer >= 0 { return answer }
            let errno = Int32(-answer)
            if errno != Self.interrupted {
                throw FileError(operation, path: path, errno: errno)
            }
        }
    }

    /// `EINTR` on every Linux architecture.
    private static let interrupted: Int32 = 4
}
