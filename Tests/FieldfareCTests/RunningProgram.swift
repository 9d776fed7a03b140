import CPosixShims
import Glibc
import Testing

/// A program that runs beside the test, with its outputs in files; killed with this object, where it has not ended.
final class RunningProgram {
    private let process: pid_t
    private var code: Int32?

    /// Starts it.
    ///
    /// - Parameters:
    ///   - words: the program's path and its arguments.
    ///   - path: of the two output files, without their endings `.out` and `.err`.
    /// - Throws: what the test then fails with.
    init(_ words: [String], outputs path: String) throws {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for (number, ending) in [(1, "out"), (2, "err")] as [(Int32, String)] {
            unsafe posix_spawn_file_actions_addopen(
                &actions, number, "\(path).\(ending)", O_CREAT | O_TRUNC | O_WRONLY, 0o600)
        }
        let arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe arguments.indices { unsafe free(arguments[index]) } }
        var process = pid_t()
        let nothing: [UnsafeMutablePointer<CChar>?] = unsafe [nil]
        let result = unsafe posix_spawn(
            &process, words[0], &actions, nil, arguments, nothing)
        try #require(result == 0, "cannot start \(words[0]): \(result)")
        self.process = process
    }

    deinit {
        guard !hasEnded() else { return }
        kill(process, SIGKILL)
        _ = cposix_wait(process, nil, true)
    }

    func terminate() { kill(process, SIGTERM) }

    /// The exit code, or -1 for a signal; nil while it runs.
    var exitCode: Int32? { hasEnded() ? code : nil }

    private func hasEnded() -> Bool {
        if code != nil { return true }
        var status: Int32 = 0
        guard unsafe cposix_wait(process, &status, false) == process else { return false }
        code = cposix_exit_code(status)
        return true
    }
}
