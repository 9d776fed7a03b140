import Console
import Cryptography
import Glibc
import PosixFiles

/// Runs the program of an external key once for each signature.
///
/// The program has the environment, the terminal and standard error of this one, so that it can ask for a PIN or reach an
/// agent; descriptors of ours close when it starts. It must answer in time and end with 0; what it answers is verified before it is used.
struct SigningProgram {
    let program: ExternalProgram
    let publicKey: Ed25519PublicKey

    /// The signature of a message.
    ///
    /// - Throws: `Failure` `failed` where the program gives none, `refused` where it gives another than asked for.
    func sign(_ message: [UInt8]) throws(Failure) -> [UInt8] {
        let answer = try run(SignerProtocol.request(message, by: publicKey))
        do {
            return try SignerProtocol.signature(in: answer, of: message, by: publicKey)
        } catch {
            if case .notOurSignature = error { throw failure(.refused, "\(error)") }
            throw failure(.failed, "\(error)")
        }
    }

    private func failure(_ kind: Failure.Kind, _ text: String) -> Failure {
        Failure(
            kind, "signer '\(program.words[0])': \(text)",
            hint: "the protocol is in docs/formats/signer.md")
    }

    /// Gives the request, and takes the answer, until the program has ended.
    private func run(_ request: [UInt8]) throws(Failure) -> [UInt8] {
        var requests = PipeEnds()
        var answers = PipeEnds()
        defer {
            requests.close()
            answers.close()
        }
        // A program that does not read its request must not end ours.
        let old = signal(SIGPIPE, SIG_IGN)
        defer { _ = signal(SIGPIPE, old) }
        guard requests.open(), answers.open() else {
            throw failure(.failed, "expected a pipe, got: \(Self.reason(errno))")
        }
        let process = try start(reading: requests.reading, writing: answers.writing)
        requests.closeReading()
        answers.closeWriting()
        let deadline = SystemClock.monotonicNanoseconds() + program.timeoutSeconds * 1_000_000_000
        var exchange = Exchange(request: request, requests: requests, answers: answers)
        var status: Int32?
        while status == nil, SystemClock.monotonicNanoseconds() < deadline {
            let isOver = exchange.step()
            requests = exchange.requests
            if exchange.answer.count > SignerProtocol.answerLimit { break }
            if isOver { status = Self.ended(process) }
        }
        guard let status else {
            _ = kill(process, SIGKILL)
            _ = Self.wait(process)
            let limit = SignerProtocol.answerLimit
            throw failure(
                .failed,
                exchange.answer.count > limit
                    ? "expected an answer of at most \(limit) bytes, got more"
                    : "expected an answer within \(program.timeoutSeconds) s, got none")
        }
        guard status == 0 else {
            let how = status & 0x7F == 0 ? "code \(status >> 8)" : "signal \(status & 0x7F)"
            throw failure(.failed, "expected it to end with code 0, got \(how)")
        }
        return exchange.answer
    }

    private func start(reading input: Int32, writing output: Int32) throws(Failure) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe sigaddset(&signals, SIGXFSZ)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        var words = unsafe program.words.map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var process: pid_t = 0
        let code = unsafe posix_spawn(
            &process, program.words[0], &actions, &attributes, &words, environ)
        guard code == 0 else {
            throw failure(.failed, "expected a program to start, got: \(Self.reason(code))")
        }
        return process
    }

    /// The wait status once the process has ended; nil, after a moment, while it runs.
    private static func ended(_ process: pid_t) -> Int32? {
        var status: Int32 = 0
        if unsafe waitpid(process, &status, WNOHANG) == process { return status }
        usleep(5_000)
        return nil
    }

    private static func wait(_ process: pid_t) -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) == -1, errno == EINTR {}
        return status
    }

    private static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}

/// The two ends of a pipe that no child inherits by itself; -1 where an end is closed.
private struct PipeEnds {
    private(set) var reading: Int32 = -1
    private(set) var writing: Int32 = -1

    mutating func open() -> Bool {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return false }
        (reading, writing) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return true
    }

    mutating func closeReading() { Self.close(&reading) }
    mutating func closeWriting() { Self.close(&writing) }

    mutating func close() {
        closeReading()
        closeWriting()
    }

    private static func close(_ end: inout Int32) {
        if end >= 0 { _ = Glibc.close(end) }
        end = -1
    }
}

/// A request on its way out, and an answer on its way in, without waiting for either side alone.
private struct Exchange {
    private static let stepMilliseconds: Int32 = 50

    private var rest: ArraySlice<UInt8>
    var requests: PipeEnds
    let answers: PipeEnds
    /// At most a buffer more than the limit.
    private(set) var answer: [UInt8] = []
    private var isAnswered = false

    init(request: [UInt8], requests: PipeEnds, answers: PipeEnds) {
        rest = request[...]
        self.requests = requests
        self.answers = answers
        _ = fcntl(requests.writing, F_SETFL, O_NONBLOCK)
    }

    /// Moves what can be moved, and waits a little for it.
    ///
    /// - Returns: whether the program has closed its output.
    mutating func step() -> Bool {
        guard !isAnswered else { return true }
        var waiting = [
            pollfd(fd: answers.reading, events: Int16(POLLIN), revents: 0),
            pollfd(fd: requests.writing, events: Int16(POLLOUT), revents: 0),
        ]
        guard unsafe poll(&waiting, 2, Self.stepMilliseconds) > 0 else { return false }
        if waiting[1].revents != 0 { send() }
        if waiting[0].revents != 0 { receive() }
        return isAnswered
    }

    private mutating func send() {
        let count = unsafe rest.withUnsafeBytes { buffer in
            unsafe write(requests.writing, buffer.baseAddress, buffer.count)
        }
        if count > 0 { rest = rest.dropFirst(count) }
        let isBroken = count < 0 && ![EAGAIN, EINTR].contains(errno)
        if rest.isEmpty || isBroken { requests.closeWriting() }
    }

    private mutating func receive() {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe read(answers.reading, &buffer, buffer.count)
        if count > 0 {
            answer += buffer.prefix(count)
        } else if count == 0 || errno != EINTR {
            isAnswered = true
        }
    }
}
