/// One system call about to be made below a root.
package struct Syscall: Sendable, Hashable, CustomStringConvertible {
    package let operation: FileOperation
    /// The name in its folder, or the path of the folder or file handle.
    package let path: String
    /// The name it was under before, for `rename` and `link`; what a new symbolic link names.
    package let other: String?
    /// The bytes it is to move, for `read`, `write`, `writeback`, `copy`, `reserve` and `punch`; for `truncate` those that stay.
    package let range: Range<Int64>?
    /// Whether an `open` makes the name where there is none (`O_CREAT`).
    package let isMaking: Bool

    package init(
        _ operation: FileOperation, _ path: String, other: String? = nil,
        range: Range<Int64>? = nil, isMaking: Bool = false
    ) {
        self.operation = operation
        self.path = path
        self.other = other
        self.range = range
        self.isMaking = isMaking
    }

    package var description: String { "\(operation.rawValue) \(path)" }
}

/// What a test lets happen to a system call.
package enum SyscallVerdict: Sendable, Hashable {
    case proceed
    /// The call is not made; it answers this error number instead. `EINTR` is retried, like a real one.
    case fail(errno: Int32)
    /// A read, write or copy moves at most so many bytes (at least 1).
    case atMost(Int)
    /// The call is not made, and answers as if it had been: a disk, or a program, that forgets it. Not for `open`, whose
    /// answer is a descriptor.
    case pretend
}

/// A test's eye on the system calls of a `Directory`, to count them, fail them, forget them, or stop at the k-th.
///
/// A killed process is one whose every call from the k-th on fails: clean-up does not run either.
/// Outside of tests there is none, and the cost is one comparison with nil. It is the one port of the device to its
/// disk: `scripts/layers.py` refuses system calls beside it, and tests hand SQLite's in as well.
package protocol SyscallObserving: Sendable {
    func verdict(on call: Syscall) -> SyscallVerdict
    /// Hears that a call was made and did not fail; `answer` is what it returned: a count of bytes, a descriptor, or 0.
    ///
    /// The bytes are on no parameter: whoever records them reads them back.
    func made(_ call: Syscall, _ answer: Int64)
}

extension SyscallObserving {
    package func made(_: Syscall, _: Int64) {}
}

/// Makes every system call of this target: asks the observer, retries `EINTR`, names the error.
struct SystemCalls: Sendable {
    let observer: (any SyscallObserving)?

    /// Makes a call that answers a result or minus errno.
    @discardableResult
    func make<Answer: SignedInteger>(
        _ call: Syscall, _ perform: () -> Answer
    ) throws(FileError) -> Answer {
        try answer(call, count: 1, pretended: 0) { _ in perform() }
    }

    /// As `make`, for a call that moves up to `count` bytes and may move fewer.
    func transfer<Answer: SignedInteger>(
        _ call: Syscall, count: Int, _ perform: (Int) -> Answer
    ) throws(FileError) -> Answer {
        try answer(call, count: count, pretended: Answer(count), perform)
    }

    private func answer<Answer: SignedInteger>(
        _ call: Syscall, count: Int, pretended: Answer, _ perform: (Int) -> Answer
    ) throws(FileError) -> Answer {
        while true {
            let answer: Answer
            switch observer?.verdict(on: call) {
            case nil, .proceed: answer = perform(count)
            case .fail(let errno): answer = Answer(-errno)
            case .atMost(let most): answer = perform(min(count, max(1, most)))
            case .pretend:
                precondition(call.operation != .open, "a descriptor cannot be pretended: \(call)")
                return pretended
            }
            if answer >= 0 {
                observer?.made(call, Int64(answer))
                return answer
            }
            let errno = Int32(-answer)
            if errno != Self.interrupted {
                throw FileError(call.operation, path: call.path, errno: errno)
            }
        }
    }

    /// `EINTR` on every Linux architecture.
    private static let interrupted: Int32 = 4
}
