import AgentCore
import CPosixShims
import Glibc
import TestSupport
import Testing

@testable import SlotHost

/// Real children, most of them up to no good; a shell plays them.
struct LimitedChildTests {
    private let scratch = ScratchFolder("child")

    private func run(
        _ script: String, shell: String = "/bin/sh", cpu: Int64 = 20, memory: Int64 = 256 << 20,
        wall: Int64 = 20_000, output: Int = 4_096, stop: Interrupt = Interrupt()
    ) throws -> ChildRun {
        let child = try LimitedChild(
            [shell, "-c", script], environment: ["PATH=/usr/bin:/bin"], in: scratch.path,
            limits: ChildLimits(
                addressSpace: memory, cpuSeconds: cpu, wallMilliseconds: wall,
                outputBytes: output))
        return try child.run(until: stop)
    }

    private func text(_ run: ChildRun) -> String { String(decoding: run.output, as: UTF8.self) }

    @Test func `hears what a child prints, and how it exits`() throws {
        let run = try run("echo out; echo err >&2; exit 255")
        #expect(run.ending == .exited(255))
        #expect(run.output == Array("out\n".utf8))
        #expect(run.complaints == Array("err\n".utf8))
    }

    @Test(arguments: [SIGSEGV, SIGABRT, SIGFPE, SIGKILL])
    func `tells the signal that ended it`(number: Int32) throws {
        #expect(try run("kill -\(number) $$").ending == .signalled(number))
    }

    @Test func `kills what hangs, with its children`() throws {
        let run = try run("sleep 1000 & echo $!; sleep 1000", wall: 300)
        #expect(run.ending == .timedOut)
        let grandchild = try #require(Int32(text(run).dropLast()))
        try requireGone(grandchild)
    }

    @Test func `kills the children of what ends, and does not wait for their output`() throws {
        let run = try run("sleep 1000 & echo $!; exit 3")
        #expect(run.ending == .exited(3))
        try requireGone(try #require(Int32(text(run).dropLast())))
    }

    @Test func `kills what prints without end, and keeps a byte more than allowed`() throws {
        let run = try run("while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done")
        #expect(run.ending == .printedTooMuch)
        #expect(run.output.count == 4_097)
    }

    @Test func `notices too much output of what has already ended`() throws {
        let run = try run("head -c 5000 /dev/zero")
        #expect(run.ending == .printedTooMuch)
        #expect(try self.run("head -c 4096 /dev/zero").ending == .exited(0))
    }

    @Test func `keeps the end of the complaints`() throws {
        let run = try run("head -c 300000 /dev/zero >&2; echo last words >&2")
        #expect(run.complaints.count == ChildRun.complaintLimit)
        #expect(run.complaints.suffix(11) == Array("last words\n".utf8))
    }

    @Test func `limits memory, CPU time and the size of files`() throws {
        let memory = try run("dd if=/dev/zero of=/dev/null bs=400M count=1")
        #expect(memory.ending == .exited(1))
        let cpu = try run("while :; do :; done", cpu: 1)
        #expect(cpu.ending == .signalled(SIGXCPU))
        #expect((900...2_000).contains(cpu.cpuMilliseconds))
        let file = try run("ulimit -c; exec dd if=/dev/zero of=large bs=1M count=20")
        #expect(file.ending == .signalled(SIGXFSZ))
        #expect(text(file) == "0\n")
    }

    @Test func `gives the child nothing but its three descriptors, its folder and its environment`()
        throws
    {
        // Left open for children on purpose, as a library might.
        let leak = unsafe open("/dev/null", O_RDONLY)
        defer { close(leak) }
        let run = try run(
            "read line; echo \"<$line>\"; pwd; ls /proc/self/fd | xargs; exec env",
            output: 1 << 16)
        let lines = text(run).split(separator: "\n").map(String.init)
        #expect(lines.prefix(2) == ["<>", scratch.path])
        let descriptors = try #require(lines.dropFirst(2).first).split(separator: " ")
        // One more is the folder that is being listed.
        #expect(descriptors.prefix(3) == ["0", "1", "2"] && descriptors.count <= 4)
        #expect(lines.dropFirst(3).contains("PATH=/usr/bin:/bin"))
        #expect(lines.allSatisfy { !$0.hasPrefix("HOME=") })
    }

    @Test func `keeps the child from the network, and says how`() throws {
        let run = try run(
            "cat /proc/net/dev; echo > /dev/tcp/127.0.0.1/9", shell: "/bin/bash", output: 1 << 16)
        let complaints = String(decoding: run.complaints, as: UTF8.self)
        #expect(run.isolation.hasFilter)
        #expect(complaints.contains("Operation not permitted"))
        // Whether a namespace is permitted is the machine's affair; what is said of it must be true.
        let interfaces = text(run).split(separator: "\n").dropFirst(2).map {
            $0.split(separator: ":")[0].split(separator: " ").joined()
        }
        if run.isolation.hasNamespace { #expect(interfaces == ["lo"]) }
    }

    @Test func `keeps its children in its process group`() throws {
        let run = try run("setsid -f sleep 1000; setsid sleep 1000 & wait; echo $?")
        #expect(String(decoding: run.complaints, as: UTF8.self).contains("setsid"))
        #expect(run.ending == .exited(0))
        #expect(text(run) != "")
    }

    @Test func `stops soon when told so`() throws {
        let stop = Interrupt()
        stop.set()
        #expect(throws: ProbeError.interrupted) { try run("sleep 1000", stop: stop) }
    }

    @Test func `names the step that failed where there is no such program`() throws {
        #expect(throws: ProbeError.cannotStart(operation: "execve", errno: ENOENT)) {
            try run("", shell: "/nowhere/program")
        }
        #expect(throws: ProbeError.cannotStart(operation: "chdir", errno: ENOENT)) {
            _ = try LimitedChild(
                ["/bin/sh"], environment: [], in: "/nowhere",
                limits: ChildLimits(
                    addressSpace: 1 << 28, cpuSeconds: 1, wallMilliseconds: 1, outputBytes: 1))
        }
    }

    @Test func `dies with the thread that started it`() throws {
        let pipe = try SlotHost.Pipe()
        let job = Starter(folder: scratch.path, output: pipe.writing.number)
        try job.runOnThread()
        let process = try #require(job.process)
        let ended = cposix_pidfd_open(process)
        try #require(ended >= 0)
        defer { close(ended) }
        var waiting = pollfd(fd: ended, events: Int16(POLLIN), revents: 0)
        #expect(unsafe poll(&waiting, 1, 10_000) == 1)
        var status: Int32 = 0
        #expect(unsafe cposix_wait(process, &status, true) == process)
        #expect(cposix_termination_signal(status) == SIGKILL)
    }

    /// Waits for the end of a process that was sent a signal just now; whoever is to reap it may take his time.
    private func requireGone(_ process: Int32) throws {
        let ended = cposix_pidfd_open(process)
        if ended == -ESRCH { return }
        try #require(ended >= 0)
        defer { close(ended) }
        var waiting = pollfd(fd: ended, events: Int16(POLLIN), revents: 0)
        #expect(unsafe poll(&waiting, 1, 10_000) == 1)
    }
}

/// Starts a child that sleeps, on a thread that ends at once.
private final class Starter: @unchecked Sendable {
    private let folder: String
    private let output: Int32
    /// Written by the thread before it is joined, read after.
    private(set) var process: pid_t?

    init(folder: String, output: Int32) {
        self.folder = folder
        self.output = output
    }

    func runOnThread() throws {
        var thread = pthread_t()
        let box = unsafe Unmanaged.passRetained(self)
        let answer = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Starter>.fromOpaque(context).takeRetainedValue().start()
                return nil
            }, unsafe box.toOpaque())
        try #require(answer == 0)
        pthread_join(thread, nil)
    }

    private func start() {
        var isolation: Int32 = 0
        var step: UnsafePointer<CChar>?
        let answer = unsafe CStrings.with(["/bin/sleep", "1000"]) { arguments in
            unsafe CStrings.with([]) { variables in
                unsafe folder.withCString { folder in
                    var child = unsafe cposix_child(
                        program: arguments[0], arguments: arguments, environment: variables,
                        folder: folder, input: output, output: output, error: output,
                        address_space: 0, cpu_seconds: 0, file_size: 0, open_files: 0,
                        niceness: 0)
                    return unsafe cposix_start_child(&child, &isolation, &step)
                }
            }
        }
        process = answer > 0 ? answer : nil
    }
}
