import Glibc
package import Speech

/// A program run to its end, with limits, as the agent's slot host runs the smoke test.
package struct ChildProcess {
    package let ending: ChildEnd.Ending
    package let output: [UInt8]
    package let errors: String
    package let cpuMilliseconds: Int64

    package var end: ChildEnd {
        ChildEnd(ending: ending, output: output, cpuMilliseconds: cpuMilliseconds)
    }

    /// Runs a program, and kills it where it takes too long.
    ///
    /// - Parameters:
    ///   - words: the program's path and its arguments.
    ///   - environment: all that the program finds in its environment.
    ///   - memory: RLIMIT_AS, in bytes; nil for none.
    ///   - timeout: milliseconds of wall time.
    ///   - script: what the shell does to the descriptors before the program starts.
    /// - Throws: `ChildError` where it cannot be started.
    package init(
        _ words: [String], environment: [String] = [], memory: Int64? = nil,
        timeout: Int32 = 120_000, script: String = ""
    ) throws {
        let limits = memory.map { "ulimit -v \($0 >> 10); " } ?? ""
        let shell = ["/bin/sh", "-c", "ulimit -c 0; \(limits)exec \"$@\" \(script)", "sh"] + words
        let out = try Pipe()
        let err = try Pipe()
        let child = try Self.start(shell, environment, out, err)
        close(out.write)
        close(err.write)
        var collected: [UInt8] = []
        var complaints: [UInt8] = []
        let late = !Self.drain(out.read, into: &collected, err.read, into: &complaints, timeout)
        if late { kill(child, SIGKILL) }
        var status: Int32 = 0
        var usage = rusage()
        while unsafe wait4(child, &status, 0, &usage) < 0, errno == EINTR {}
        close(out.read)
        close(err.read)
        ending = late ? .timedOut : Self.ending(status)
        output = collected
        errors = String(decoding: complaints, as: UTF8.self)
        cpuMilliseconds = Self.milliseconds(usage.ru_utime) + Self.milliseconds(usage.ru_stime)
    }

    /// The path of a program that was built together with the tests.
    package static func program(_ name: String) throws(ChildError) -> String {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(
            decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let path = "/" + own.split(separator: "/").dropLast().joined(separator: "/") + "/" + name
        guard unsafe access(path, X_OK) == 0 else { throw ChildError(call: path, number: errno) }
        return path
    }

    private static func start(
        _ words: [String], _ environment: [String], _ out: Pipe, _ err: Pipe
    ) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, out.write, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, err.write, 2)
        let arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        let variables = unsafe environment.map { unsafe strdup($0) } + [nil]
        defer {
            for index in unsafe arguments.indices { unsafe free(arguments[index]) }
            for index in unsafe variables.indices { unsafe free(variables[index]) }
        }
        var child = pid_t()
        let result = unsafe posix_spawn(&child, words[0], &actions, nil, arguments, variables)
        guard result == 0 else { throw ChildError(call: "posix_spawn", number: result) }
        return child
    }

    /// Reads both pipes to their ends; false where the time ran out before.
    private static func drain(
        _ out: Int32, into output: inout [UInt8], _ err: Int32, into errors: inout [UInt8],
        _ timeout: Int32
    ) -> Bool {
        let start = now()
        var waiting = [pollfd(fd: out, events: Int16(POLLIN), revents: 0)]
        waiting.append(pollfd(fd: err, events: Int16(POLLIN), revents: 0))
        while waiting.contains(where: { $0.fd >= 0 }) {
            let left = Int64(timeout) - (now() - start)
            guard left > 0 else { return false }
            let count = unsafe poll(&waiting, 2, Int32(left))
            guard count > 0 || (count < 0 && errno == EINTR) else { return false }
            for index in 0..<2 where waiting[index].revents != 0 {
                let more =
                    index == 0
                    ? take(waiting[index].fd, into: &output)
                    : take(waiting[index].fd, into: &errors)
                if !more { waiting[index].fd = -1 }
                waiting[index].revents = 0
            }
        }
        return true
    }

    private static func take(_ descriptor: Int32, into bytes: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe read(descriptor, $0.baseAddress, $0.count)
        }
        guard count > 0 else { return false }
        bytes.append(contentsOf: buffer[0..<count])
        return true
    }

    private static func ending(_ status: Int32) -> ChildEnd.Ending {
        let signal = status & 0x7F
        return signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal)
    }

    private static func milliseconds(_ time: timeval) -> Int64 {
        Int64(time.tv_sec) * 1_000 + Int64(time.tv_usec) / 1_000
    }

    private static func now() -> Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// A system call that a test cannot do without failed.
package struct ChildError: Error {
    let call: String
    let number: Int32

    package init(call: String, number: Int32) {
        self.call = call
        self.number = number
    }
}

/// A pipe that programs started later do not inherit, as far as another thread leaves the time to say so.
private struct Pipe {
    let read: Int32
    let write: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { throw ChildError(call: "pipe", number: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        read = ends[0]
        write = ends[1]
    }
}
