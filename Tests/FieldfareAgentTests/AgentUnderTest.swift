import AgentCore
import CPosixShims
import CurlTransport
import Glibc
import PosixFiles
import Primitives
import SlotHost
import Speech
import Synchronization
import TestSupport
import Testing

@testable import FieldfareAgent

/// An agent in a folder of its own, on a thread of its own, and a registry that nobody answers at.
final class AgentUnderTest {
    let scratch = ScratchFolder("agent")
    private var running: Running?

    var socket: String { scratch.path("agent.sock") }

    /// The thread that an agent runs on.
    private final class Running: Sendable {
        let agent: Agent
        /// A registry over plain HTTP, in the place of the configured one.
        let registry: String?
        let thread = Mutex(pthread_t())
        let failure = Mutex<AgentError?>(nil)

        init(_ agent: Agent, at registry: String?) {
            self.agent = agent
            self.registry = registry
        }

        private func run() throws(AgentError) {
            guard let registry else { return try agent.run() }
            var settings = HTTPClientSettings()
            settings.allowsPlainHTTP = true
            try agent.run { RegistryClient(base: registry, settings: settings) }
        }

        func begin() {
            var thread = pthread_t()
            let context = unsafe Unmanaged.passRetained(self).toOpaque()
            let code = unsafe pthread_create(
                &thread, nil,
                { context in
                    guard let context = unsafe context else { return nil }
                    let running = unsafe Unmanaged<Running>.fromOpaque(context).takeRetainedValue()
                    do throws(AgentError) { try running.run() } catch {
                        running.failure.withLock { $0 = error }
                    }
                    return nil
                }, context)
            precondition(code == 0)
            self.thread.withLock { $0 = thread }
        }

        func end() {
            agent.stop()
            thread.withLock { _ = pthread_join($0, nil) }
        }
    }

    /// Writes a configuration file, and returns its path.
    func configuration(
        state: String = "state", socket: String = "agent.sock", authorities: String? = nil,
        with more: JSONObject = [:]
    ) throws -> String {
        let root = scratch.path("root.json")
        try write(RepositorySimulator().trustedRoot, to: root)
        var fields: JSONObject = [
            "registry": "https://127.0.0.1:9", "trusted_root": .string(root),
            "state_directory": .string(scratch.path(state)),
            "socket": .string(scratch.path(socket)), "model": "commands-en", "region": "eu",
            "device_class": "hub", "locale": "en-GB", "poll_interval_s": 3600,
            "connect_timeout_s": 1,
        ]
        fields["ca_file"] = authorities.map { .string($0) }
        fields.merge(more) { $1 }
        let name = state.split(separator: "/").joined(separator: ".")
        let path = scratch.path("\(name).\(socket).json")
        try write(JSON.object(fields).bytes, to: path)
        return path
    }

    /// Gives the device two bundles before it starts for the first time: 1.0.0 in slot a, 1.1.0 in b and active.
    func stage() throws {
        let slots = try SlotFolder(Directory(making: scratch.path("state/slots")))
        for (version, slot) in [("1.0.0", Slot.a), ("1.1.0", .b)] {
            let bundle = try MemoryBundle(version)
            _ = try slots.stage(
                bundle.target, into: slot, from: MemorySource([bundle]), until: Interrupt())
        }
        try slots.activate(.b)
    }

    /// Whether something of that name is in the folder.
    func exists(_ name: String) -> Bool { unsafe access(scratch.path(name), F_OK) == 0 }

    func write(_ bytes: [UInt8], to path: String) throws {
        let file = unsafe open(path, O_CREAT | O_TRUNC | O_WRONLY, 0o600)
        defer { close(file) }
        try #require(unsafe Glibc.write(file, bytes, bytes.count) == bytes.count)
    }

    /// Makes a smoke program that hears the words of every standard bundle, and returns its path.
    func writeSmokeProgram() throws -> String {
        let result = scratch.path("smoke.json")
        try write(PassingProbing.line(for: MemoryBundle("1.0.0").target.manifest), to: result)
        return try writeSmokeProgram("exec cat \(result)")
    }

    /// Makes a smoke program that does this in a shell, and returns its path.
    ///
    /// By a shell: a descriptor of ours, open for writing, could be in a child of another test when the script is to be
    /// executed, which the kernel refuses.
    @discardableResult
    func writeSmokeProgram(_ command: String) throws -> String {
        let program = scratch.path("smoke")
        let words = ["/bin/sh", "-c", #"printf '%s' "$1" > "$2" && chmod 700 "$2""#, "sh"]
        let script = "#!/bin/sh\n\(command)\n"
        try #require(try ChildProcess(words + [script, program]).ending == .exited(0))
        return program
    }

    /// Starts it, and waits until it answers.
    ///
    /// - Parameters:
    ///   - registry: a registry over plain HTTP; nil for one that nobody answers at.
    ///   - more: of its configuration.
    /// - Throws: what the agent ends with.
    func start(at registry: String? = nil, with more: JSONObject = [:]) throws {
        let agent = try Agent(configuration: configuration(with: more))
        let running = Running(agent, at: registry)
        running.begin()
        self.running = running
        for _ in 0..<500 {
            if (try? connect()) != nil { return }
            if let failure = running.failure.withLock({ $0 }) { throw failure }
            cposix_pause(20_000_000)
        }
        Issue.record("the agent does not answer")
    }

    func stop() {
        running?.end()
        running = nil
    }

    func connect() throws -> AgentClient { try AgentClient(connecting: socket) }
}

/// A connection that sends whatever it likes.
final class Wire {
    private let number: Int32
    private var received: [UInt8] = []

    init(_ path: String) throws {
        number = unsafe cposix_connect_unix(path, 30_000_000_000)
        try #require(number >= 0)
    }

    deinit { close(number) }

    /// Sends as much as the other side takes.
    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe cposix_send(number, bytes, bytes.count, -1)
    }

    /// The next line.
    func line() throws -> JSON {
        while true {
            if let end = received.firstIndex(of: 0x0A) {
                let line = Array(received[..<end])
                received.removeSubrange(...end)
                return try JSON(parsing: line, limit: 65_536)
            }
            try #require(receive() > 0, "the agent closed the connection")
        }
    }

    /// Whether the agent ends the connection in time, whatever it sent before.
    func isClosed() -> Bool {
        while true {
            let count = receive()
            if count == 0 || count == -Int(ECONNRESET) || count == -Int(EPIPE) { return true }
            if count < 0 { return false }
        }
    }

    private func receive() -> Int {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var descriptor: Int32 = -1
        let count = unsafe cposix_receive(number, &buffer, buffer.count, &descriptor)
        if count > 0 { received += buffer[..<count] }
        return count
    }
}
