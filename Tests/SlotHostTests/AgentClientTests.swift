import CPosixShims
import Glibc
import Primitives
import SlotHost
import TestSupport
import Testing

/// A client at one end of a real socket, and at the other end a peer whose lines are known beforehand.
struct AgentClientTests {
    private let scratch = ScratchFolder("client")

    /// The far end of one connection.
    private final class Peer {
        let number: Int32

        init(_ number: Int32) { self.number = number }

        deinit { close(number) }

        func send(_ text: String, descriptor: Int32 = -1) throws {
            let bytes = Array(text.utf8)
            try #require(unsafe cposix_send(number, bytes, bytes.count, descriptor) == bytes.count)
        }

        func received() -> String {
            var buffer = [UInt8](repeating: 0, count: 200_000)
            var descriptor: Int32 = -1
            let count = unsafe cposix_receive(number, &buffer, buffer.count, &descriptor)
            return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        }
    }

    private func connect(timeout: Int64 = 10_000) throws -> (AgentClient, Peer) {
        let path = scratch.path("agent.sock")
        let listener = unsafe cposix_listen_unix(path, 0o660, 1)
        try #require(listener >= 0)
        defer { close(listener) }
        let client = try AgentClient(connecting: path, timeoutMilliseconds: timeout)
        let accepted = cposix_accept(listener)
        try #require(accepted >= 0)
        return (client, Peer(accepted))
    }

    @Test func `makes the socket for its user and group alone, whatever the umask`() throws {
        let path = scratch.path("agent.sock")
        let listener = unsafe cposix_listen_unix(path, 0o660, 1)
        defer { close(listener) }
        var status = stat()
        try #require(unsafe lstat(path, &status) == 0)
        #expect(status.st_mode & 0o007 == 0)
        #expect(status.st_mode & 0o600 == 0o600)
        #expect(unsafe cposix_listen_unix(path, 0o660, 1) == -EADDRINUSE)
        let long = "/" + String(repeating: "x", count: 200)
        #expect(unsafe cposix_listen_unix(long, 0o660, 1) == -ENAMETOOLONG)
    }

    @Test func `asks and hears the answer`() throws {
        let (client, peer) = try connect()
        try peer.send(#"{"ok":true,"type":"status","state":"committed"}"# + "\n")
        #expect(try client.request(["op": "status"])["state"] == "committed")
        #expect(peer.received() == #"{"op":"status"}"# + "\n")
    }

    @Test func `says why the agent refused`() throws {
        let (client, peer) = try connect()
        try peer.send(#"{"ok":false,"code":"refused","detail":"no"}"# + "\n")
        let error = AgentClientError.refused(code: "refused", detail: "no")
        #expect(throws: error) { try client.request(["op": "rollback"]) }
        #expect(error.description == "the agent refused: no")
    }

    @Test func `leases a model with its descriptor, and lets go with the object`() throws {
        let (client, peer) = try connect()
        let digest = String(repeating: "ab", count: 32)
        let answer =
            #"{"deadline_s":60,"manifest_sha256":"\#(digest)","ok":true,"path":"/slots/a","slot":"a","type":"lease","version":"1.0.0"}"#
        var pipe: [Int32] = [0, 0]
        try #require(unsafe cposix_pipe(&pipe) == 0)
        try peer.send(answer + "\n", descriptor: pipe[1])
        close(pipe[1])
        defer { close(pipe[0]) }
        do {
            let lease = try #require(try client.lease(as: "voice"))
            #expect(peer.received() == #"{"application":"voice","op":"lease"}"# + "\n")
            #expect(lease.slot == "a" && lease.path == "/slots/a" && lease.deadline == 60)
            #expect(lease.version == SemanticVersion("1.0.0"))
            #expect(lease.manifestSHA256.hex == digest)
            #expect(isOpen(pipe[0]))
        }
        #expect(!isOpen(pipe[0]))
    }

    /// Whether somebody still holds the writing end.
    private func isOpen(_ reading: Int32) -> Bool {
        var waiting = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&waiting, 1, 0) == 0
    }

    @Test func `has no lease where there is no model, and none without a descriptor`() throws {
        let (client, peer) = try connect()
        try peer.send(#"{"ok":false,"code":"cloud_only","detail":"none"}"# + "\n")
        #expect(try client.lease(as: "voice") == nil)
        try peer.send(#"{"ok":true,"type":"lease"}"# + "\n")
        #expect(throws: AgentClientError.malformed("lease: expected a descriptor, got none")) {
            try client.lease(as: "voice")
        }
        try peer.send(#"{"ok":true,"type":"lease"}"# + "\n", descriptor: peer.number)
        #expect(throws: AgentClientError.self) { try client.lease(as: "voice") }
    }

    @Test func `keeps events that come between a question and its answer`() throws {
        let (client, peer) = try connect()
        try peer.send(
            "{\"ok\":true}\n{\"event\":\"model\",\"version\":null}\n"
                + "{\"event\":\"model\",\"version\":\"1.0.0\"}\n{\"ok\":true}\n")
        try client.watch()
        let version = try #require(SemanticVersion("1.0.0"))
        try client.acknowledge(version)
        #expect(peer.received().hasSuffix(#"{"op":"acknowledge","version":"1.0.0"}"# + "\n"))
        #expect(try client.nextEvent(waitingMilliseconds: 0) == .model(nil))
        #expect(try client.nextEvent(waitingMilliseconds: 0) == .model(version))
        #expect(try client.nextEvent(waitingMilliseconds: 0) == nil)
        try peer.send("{\"event\":\"model\",\"version\":\"1.1.0\"}\n")
        #expect(
            try client.nextEvent(waitingMilliseconds: 10_000)
                == .model(SemanticVersion("1.1.0")))
    }

    @Test func `puts a line together that comes in pieces`() throws {
        let (client, peer) = try connect()
        try peer.send("{\"event\":\"model\",")
        #expect(try client.nextEvent(waitingMilliseconds: 0) == nil)
        try peer.send("\"version\":null}\n{\"ok\"")
        #expect(try client.nextEvent(waitingMilliseconds: 0) != nil)
        try peer.send(":true}\n")
        try client.request(["op": "check"])
    }

    @Test func `gives up on silence, on an end, and on what is not the protocol`() throws {
        let (silent, peer) = try connect(timeout: 50)
        #expect(throws: AgentClientError.timedOut) { try silent.request(["op": "status"]) }
        withExtendedLifetime(peer) {}

        var (client, other): (AgentClient, Peer?) = try reconnect()
        other = nil
        #expect(throws: AgentClientError.self) { try client.request(["op": "status"]) }
        withExtendedLifetime(other) {}

        for line in ["garbage\n", "{}\n", "{\"ok\":true,\"ok\":true}\n"] {
            let (client, peer) = try reconnect()
            try peer?.send(line)
            #expect {
                try client.request(["op": "status"])
            } throws: { error in
                guard case .malformed = error as? AgentClientError else { return false }
                return true
            }
        }
        let endless: Peer?
        (client, endless) = try reconnect()
        try endless?.send(String(repeating: "x", count: AgentClient.lineLimit))
        #expect(throws: AgentClientError.malformed("line: expected 65536 bytes, got more")) {
            try client.request(["op": "status"])
        }
        let long = JSON.string(String(repeating: "x", count: AgentClient.lineLimit))
        #expect(throws: AgentClientError.self) { try client.request(["op": long]) }
    }

    private func reconnect() throws -> (AgentClient, Peer?) {
        unsafe unlink(scratch.path("agent.sock"))
        return try connect()
    }

    @Test func `says where nobody listens`() throws {
        let path = scratch.path("nothing.sock")
        let error = AgentClientError.unreachable(path: path, errno: ENOENT)
        #expect(throws: error) { try AgentClient(connecting: path) }
        #expect(error.description == "\(Self.socket(path)), got nothing of that name")
        #expect(error.hint == Self.start)
    }

    private static let start =
        "start it with 'fieldfare-agent run', or name its socket with --socket"

    private static func socket(_ path: String) -> String {
        "cannot reach the agent: socket '\(path)': expected one that an agent listens on"
    }

    private static let table: [(AgentClientError, text: String, hint: String?)] = [
        (
            .unreachable(path: "/s", errno: ECONNREFUSED),
            "\(socket("/s")), got one that nobody listens on", start
        ),
        (
            .unreachable(path: "/s", errno: EACCES),
            "\(socket("/s")), got one that this user may not use",
            "ask as root or as the agent's user"
        ),
        (
            .unreachable(path: "/s", errno: ENOTSOCK),
            "\(socket("/s")), got socket operation on non-socket", start
        ),
        (
            .lost(errno: 0), "lost the agent: it closed the connection",
            "see the agent's log; then ask again"
        ),
        (
            .lost(errno: ECONNRESET), "lost the agent: connection reset by peer",
            "see the agent's log; then ask again"
        ),
        (
            .timedOut, "lost the agent: no answer in time",
            "see the agent's log; then ask again"
        ),
        (
            .malformed("line: x"), "cannot understand the agent: line: x",
            "use the command and the agent of one version"
        ),
        (
            .refused(code: "forbidden", detail: "hold: expected root, got user 7"),
            "the agent refused: hold: expected root, got user 7",
            "ask as root or as the agent's user"
        ),
        (
            .refused(code: "malformed_request", detail: "local request: x"),
            "the agent refused: local request: x", "use the command and the agent of one version"
        ),
        (
            .refused(code: "storage", detail: "hold: x"), "the agent refused: hold: x",
            "see the agent's log, and the room on its disk"
        ),
        (
            .refused(code: "new_code", detail: ""), "the agent refused: new_code",
            "'fieldfare-agent status' shows what it has"
        ),
    ]

    @Test func `says what it met, and what can be done about it`() {
        for (error, text, hint) in Self.table {
            #expect(error.description == text)
            #expect(error.hint == hint)
        }
    }

    // MARK: Descriptors on the way

    @Test func `takes one descriptor, and closes those that came beyond it`() throws {
        let (client, peer) = try connect()
        withExtendedLifetime(client) {}
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        var byte: UInt8 = 1
        for _ in 0..<3 { #expect(unsafe cposix_send(ends[0], &byte, 1, peer.number) == 1) }
        // Each message with a descriptor is received by itself.
        for _ in 0..<3 {
            var descriptor: Int32 = -1
            var buffer = [UInt8](repeating: 0, count: 16)
            #expect(unsafe cposix_receive(ends[1], &buffer, buffer.count, &descriptor) == 1)
            #expect(descriptor > 2)
            close(descriptor)
        }
    }
}
