import Glibc

/// A program that runs beside the test, with its outputs in files; killed with this object, where it has not ended.
package final class RunningProgram {
    private let process: pid_t
    private var code: Int32?

    /// Starts it.
    ///
    /// - Parameters:
    ///   - words: the program's path and its arguments.
    ///   - environment: all that the program finds in its environment.
    ///   - path: of the two output files, without their endings `.out` and `.err`.
    /// - Throws: `ChildError`.
    package init(_ words: [String], environment: [String] = [], outputs path: String) throws {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for (number, ending) in [(1, "out"), (2, "err")] as [(Int32, String)] {
            unsafe posix_spawn_file_actions_addopen(
                &actions, number, "\(path).\(ending)", O_CREAT | O_TRUNC | O_WRONLY, 0o600)
        }
        let arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        let variables = unsafe environment.map { unsafe strdup($0) } + [nil]
        defer {
            for index in unsafe arguments.indices { unsafe free(arguments[index]) }
            for index in unsafe variables.indices { unsafe free(variables[index]) }
        }
        var process = pid_t()
        let result = unsafe posix_spawn(
            &process, words[0], &actions, nil, arguments, variables)
        guard result == 0 else { throw ChildError(call: "posix_spawn", number: result) }
        self.process = process
    }

    deinit {
        guard !hasEnded() else { return }
        kill(process, SIGKILL)
        _ = hasEnded(waiting: true)
    }

    /// Asks it to end.
    package func terminate() { kill(process, SIGTERM) }

    /// The exit code, or -1 for a signal; nil while it runs.
    package var exitCode: Int32? { hasEnded() ? code : nil }

    private func hasEnded(waiting: Bool = false) -> Bool {
        if code != nil { return true }
        var status: Int32 = 0
        guard unsafe waitpid(process, &status, waiting ? 0 : WNOHANG) == process else {
            return false
        }
        code = status & 0x7F == 0 ? status >> 8 & 0xFF : -1
        return true
    }
}
