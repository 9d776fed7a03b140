import Console
import Cryptography
import Glibc
import PosixFiles

/// Runs the program of an external key once for each signature.
///
/// The program has the environment but for our secrets, the terminal and standard error of this one, so that it can ask
/// for a PIN or reach an agent; descriptors of ours close when it starts. It must answer in time and end with 0; what it
/// answers is verified before it is used.
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
        // A program that does not read its request must not end ours, and how it ends must be told to us, even where
        // whoever started us wants to hear of no child.
        let signals = [(SIGPIPE, signal(SIGPIPE, SIG_IGN)), (SIGCHLD, signal(SIGCHLD, SIG_DFL))]
        defer { for (number, old) in signals { _ = signal(number, old) } }
        guard requests.open(), answers.open() else {
            throw failure(.failed, "expected a pipe, got: \(Self.reason(errno))")
        }
        // Also what our own parent has left open in us: a child that outlives the program would hold it.
        guard Descriptor.closeOnExec(from: UInt32(STDERR_FILENO) + 1) else {
            throw failure(.failed, "expected a system that closes files when it starts, got none")
        }
        let process = try start(reading: requests.reading, writing: answers.writing)
        requests.closeReading()
        answers.closeWriting()
        let deadline = SystemClock.monotonicNanoseconds() + program.timeoutSeconds * 1_000_000_000
        var exchange = ProgramExchange(
            request: request, requests: requests, answers: answers,
            limit: SignerProtocol.answerLimit)
        var status: Int32?
        while status == nil, !exchange.isTooLong, SystemClock.monotonicNanoseconds() < deadline {
            exchange.step()
            requests = exchange.requests
            status = Self.ended(process)
        }
        guard let status else {
            _ = kill(process, SIGKILL)
            _ = Self.wait(process)
            guard exchange.isTooLong else {
                throw failure(
                    .failed, "expected an answer within \(program.timeoutSeconds) s, got none")
            }
            throw tooLong
        }
        // A child of its own may keep the pipe open after it.
        exchange.drain()
        guard !exchange.isTooLong else { throw tooLong }
        guard status == 0 else {
            let how = status & 0x7F == 0 ? "code \(status >> 8)" : "signal \(status & 0x7F)"
            throw failure(.failed, "expected it to end with code 0, got \(how)")
        }
        return exchange.answer
    }

    private var tooLong: Failure {
        failure(
            .failed, "expected an answer of at most \(SignerProtocol.answerLimit) bytes, got more")
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
        defer { for index in unsafe words.indices { unsafe free(words[index]) } }
        var variables = unsafe Self.variables()
        var process: pid_t = 0
        let code = unsafe posix_spawn(
            &process, program.words[0], &actions, &attributes, &words, &variables)
        guard code == 0 else {
            throw failure(.failed, "expected a program to start, got: \(Self.reason(code))")
        }
        return process
    }

    /// Our environment without what opens our own doors, ended by a null pointer.
    private static func variables() -> [UnsafeMutablePointer<CChar>?] {
        let secrets = ["FIELDFARE_PASSPHRASE=", "FIELDFARE_TOKEN="]
        var variables: [UnsafeMutablePointer<CChar>?] = unsafe []
        var next = unsafe environ
        while let variable = unsafe next.pointee {
            let isSecret = secrets.contains { unsafe strncmp(variable, $0, $0.utf8.count) == 0 }
            if !isSecret { unsafe variables.append(variable) }
            unsafe next = unsafe next.successor()
        }
        return unsafe variables + [nil]
    }

    /// The wait status once the process has ended; nil while it runs.
    private static func ended(_ process: pid_t) -> Int32? {
        var status: Int32 = 0
        return unsafe waitpid(process, &status, WNOHANG) == process ? status : nil
    }

    private static func wait(_ process: pid_t) -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) == -1, errno == EINTR {}
        return status
    }

    private static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
