import AgentCore
import CPosixShims
import Glibc
import PosixFiles

/// A child process that can do no harm: limited in time, memory, CPU, files and output, and cut off from the network.
///
/// It leads a process group of its own, which is killed as a whole when it ends, is late or says too much, and with the thread
/// that started it. It has no standard input, no inherited descriptors and no environment but what it is given.
struct LimitedChild: ~Copyable {
    /// How long the parent sleeps between looks at its interrupt.
    private static let lookMilliseconds: Int64 = 100

    private let process: pid_t
    private let isolation: NetworkIsolation
    private let limits: ChildLimits
    private let deadline: Int64
    private var out: PipeEnd
    private var err: PipeEnd

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - words: the program's absolute path, and its arguments.
    ///   - environment: `NAME=value`, all of it.
    ///   - folder: where it starts.
    ///   - limits: what it may use.
    /// - Throws: `.cannotStart`.
    init(
        _ words: [String], environment: [String], in folder: String, limits: ChildLimits
    ) throws(ProbeError) {
        let out = try Pipe()
        let err = try Pipe()
        let nothing = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard nothing >= 0 else { throw .cannotStart(operation: "open", errno: errno) }
        let input = PipeEnd(owning: nothing)
        var isolation: Int32 = 0
        var step: UnsafePointer<CChar>?
        let answer = unsafe CStrings.with(words) { arguments in
            unsafe CStrings.with(environment) { variables in
                unsafe folder.withCString { folder in
                    var child = unsafe cposix_child(
                        program: arguments[0], arguments: arguments, environment: variables,
                        folder: folder, input: input.number, output: out.writing.number,
                        error: err.writing.number, address_space: UInt64(limits.addressSpace),
                        cpu_seconds: UInt64(limits.cpuSeconds),
                        file_size: UInt64(limits.fileSize),
                        open_files: UInt64(limits.openFiles), niceness: 5)
                    return unsafe cposix_start_child(&child, &isolation, &step)
                }
            }
        }
        guard answer > 0 else {
            let operation = unsafe step.map { unsafe String(cString: $0) } ?? "fork"
            throw .cannotStart(operation: operation, errno: -answer)
        }
        process = answer
        self.isolation = NetworkIsolation(
            hasNamespace: isolation & cposix_isolated_by_namespace != 0,
            hasFilter: isolation & cposix_isolated_by_filter != 0)
        self.limits = limits
        self.out = out.reading
        self.err = err.reading
        deadline =
            SystemClock.monotonicNanoseconds() + limits.wallMilliseconds * 1_000_000
    }

    /// Waits until the child has ended or was killed, and reaps it.
    ///
    /// - Throws: `.interrupted` soon after `stop` was set; the child is killed then.
    consuming func run(until stop: Interrupt) throws(ProbeError) -> ChildRun {
        var output: [UInt8] = []
        var complaints: [UInt8] = []
        var killed: ChildRun.Ending?
        var isStopped = false
        let ended = PipeEnd(owning: cposix_pidfd_open(process))
        while cposix_has_ended(process) == 0 {
            let left = (deadline - SystemClock.monotonicNanoseconds()) / 1_000_000
            isStopped = stop.isSet
            if left <= 0 { killed = .timedOut }
            if output.count > limits.outputBytes { killed = .printedTooMuch }
            if killed != nil || isStopped { break }
            wait(for: ended.number, atMost: min(left, Self.lookMilliseconds))
            out.drain(into: &output, limit: limits.outputBytes + 1)
            err.drain(into: &complaints, keepingLast: ChildRun.complaintLimit)
        }
        // Before it is reaped, so that the group's number can be nobody else's.
        _ = cposix_kill_group(process)
        var status: Int32 = 0
        var cpu: Int64 = 0
        _ = unsafe cposix_wait_usage(process, &status, true, &cpu)
        if isStopped { throw .interrupted }
        out.drain(into: &output, limit: limits.outputBytes + 1)
        err.drain(into: &complaints, keepingLast: ChildRun.complaintLimit)
        if killed == nil, output.count > limits.outputBytes { killed = .printedTooMuch }
        return ChildRun(
            ending: killed ?? Self.ending(status), output: output, complaints: complaints,
            cpuMilliseconds: cpu / 1_000_000, isolation: isolation)
    }

    private func wait(for ended: Int32, atMost milliseconds: Int64) {
        var waiting = [
            pollfd(fd: out.waiting, events: Int16(POLLIN), revents: 0),
            pollfd(fd: err.waiting, events: Int16(POLLIN), revents: 0),
            pollfd(fd: ended, events: Int16(POLLIN), revents: 0),
        ]
        _ = unsafe poll(&waiting, nfds_t(waiting.count), Int32(max(1, milliseconds)))
    }

    private static func ending(_ status: Int32) -> ChildRun.Ending {
        let code = cposix_exit_code(status)
        return code >= 0 ? .exited(code) : .signalled(cposix_termination_signal(status))
    }
}
