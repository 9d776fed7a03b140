import Glibc
import PosixFiles
import Primitives
import Synchronization
import TestSupport
import Testing

/// A path that is known to be good.
func path(_ text: String) throws -> TargetPath { try #require(TargetPath(text)) }

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// What the tests do to the disk behind the back of the code under test.
enum Raw {
    static func link(_ path: String, to target: String) throws {
        let answer = unsafe symlink(target, path)
        try #require(answer == 0)
    }

    static func folder(_ path: String) throws {
        try #require(unsafe mkdir(path, 0o755) == 0)
    }

    static func file(_ path: String, _ content: [UInt8]) throws {
        let file = unsafe fopen(path, "w")
        defer { if let file = unsafe file { unsafe fclose(file) } }
        let count = unsafe file.map { unsafe fwrite(content, 1, content.count, $0) }
        try #require(count == content.count)
    }

    static func content(_ path: String) -> [UInt8]? {
        guard let file = unsafe fopen(path, "r") else { return nil }
        defer { unsafe fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe fread(&buffer, 1, buffer.count, file)
        return Array(buffer[..<count])
    }

    static func exists(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0
    }
}

/// Records system calls; lets the k-th and all later ones fail, as after a kill, or single ones as told.
final class Script: SyscallObserving {
    private struct State {
        var calls: [Syscall] = []
        var made: [Syscall] = []
        var verdicts: [Int: SyscallVerdict]
    }

    private let state: Mutex<State>
    private let kill: Int?
    private let always: SyscallVerdict?

    /// - Parameters:
    ///   - kill: the index of the first call that is no longer made.
    ///   - verdicts: what happens to single calls, by index.
    ///   - always: what happens to all reads and writes.
    init(kill: Int? = nil, verdicts: [Int: SyscallVerdict] = [:], always: SyscallVerdict? = nil) {
        self.kill = kill
        self.always = always
        state = Mutex(State(verdicts: verdicts))
    }

    /// Calls that were asked about.
    var calls: [Syscall] { state.withLock { $0.calls } }

    /// Calls that were made and did not fail.
    var made: [Syscall] { state.withLock { $0.made } }

    func made(_ call: Syscall, _ answer: Int64) { state.withLock { $0.made.append(call) } }

    func verdict(on call: Syscall) -> SyscallVerdict {
        state.withLock { state in
            let index = state.calls.count
            state.calls.append(call)
            if let kill, index >= kill { return .fail(errno: EIO) }
            if let verdict = state.verdicts[index] { return verdict }
            if let always, [.read, .write, .copy].contains(call.operation) { return always }
            return .proceed
        }
    }
}

/// Does something behind the back of the code under test, just before the first call of one kind on one path.
final class Interloper: SyscallObserving {
    private let operation: FileOperation
    private let suffix: String
    private let act: @Sendable () -> Void
    private let isDone = Atomic<Bool>(false)

    init(
        before operation: FileOperation, on suffix: String, _ act: @escaping @Sendable () -> Void
    ) {
        self.operation = operation
        self.suffix = suffix
        self.act = act
    }

    func verdict(on call: Syscall) -> SyscallVerdict {
        if call.operation == operation, call.path.hasSuffix(suffix),
            !isDone.exchange(true, ordering: .relaxed)
        {
            act()
        }
        return .proceed
    }
}
