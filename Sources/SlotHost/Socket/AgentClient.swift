import CPosixShims
import Glibc
package import Primitives

/// A connection to a running agent's local socket (docs/protocol.md, "The agent's local socket").
///
/// For one thread. Requests are answered in their order; events of a watched connection may come in between, and are kept
/// for `nextEvent`.
package final class AgentClient {
    /// What the agent tells of itself, unasked.
    package enum Event: Sendable, Hashable {
        /// The active version, at once and after each change; nil where there is no usable model.
        case model(SemanticVersion?)
        /// What the agent is at.
        case state(String)
        /// A slot that is leased and no longer active is to be let go of within these seconds.
        case release(slot: String, seconds: Int64)
    }

    /// Bytes of one line, its newline included.
    package static let lineLimit = 64 << 10
    /// Events that may wait; beyond it the oldest goes, since the newest says what is active.
    private static let eventLimit = 64
    private static let cloudOnly = "cloud_only"

    private let connection: PipeEnd
    private var received: [UInt8] = []
    private var descriptors: [ReceivedDescriptor] = []
    private var events: [Event] = []

    /// Connects.
    ///
    /// - Parameters:
    ///   - path: the agent's socket.
    ///   - timeout: for each send and each answer, in milliseconds.
    /// - Throws: `.unreachable`.
    package init(
        connecting path: String, timeoutMilliseconds timeout: Int64 = 10_000
    ) throws(AgentClientError) {
        let socket = unsafe cposix_connect_unix(path, timeout * 1_000_000)
        guard socket >= 0 else { throw .unreachable(path: path, errno: -socket) }
        connection = PipeEnd(owning: socket)
    }

    /// To be polled for events, beside other descriptors.
    package var descriptor: Int32 { connection.number }

    // MARK: Requests

    /// Sends one request and waits for its answer.
    ///
    /// - Returns: the answer, whose `ok` is true.
    /// - Throws: `.refused` where it is false.
    @discardableResult
    package func request(_ json: JSON) throws(AgentClientError) -> JSON {
        try exchange(json).answer
    }

    /// Leases the active model; nil where the device has none to use (`cloud_only`).
    package func lease(as application: String) throws(AgentClientError) -> SocketLease? {
        let (answer, descriptor): (JSON, ReceivedDescriptor?)
        do {
            (answer, descriptor) = try exchange([
                "op": "lease", "application": .string(application),
            ])
        } catch {
            guard case .refused(Self.cloudOnly, detail: _) = error else { throw error }
            return nil
        }
        guard let descriptor else {
            throw .malformed("lease: expected a descriptor, got none")
        }
        return try SocketLease(answer, holding: descriptor)
    }

    /// Says that the application serves this version from now on, which it leased last on this connection.
    package func acknowledge(_ version: SemanticVersion) throws(AgentClientError) {
        try request(["op": "acknowledge", "version": .string(version.description)])
    }

    /// Asks for events of the model alone; the first comes at once, and tells what is active.
    package func watch() throws(AgentClientError) { try request(["op": "watch"]) }

    /// Asks for all events; what is active comes at once, then the state, then what is to be let go of.
    package func watchAll() throws(AgentClientError) { try request(["op": "events"]) }

    /// The next event, or nil where none comes in time.
    ///
    /// - Parameter milliseconds: how long to wait; 0 to look only.
    /// - Returns: the oldest event that was not returned yet.
    /// - Throws: `.lost` and `.malformed`.
    package func nextEvent(
        waitingMilliseconds milliseconds: Int32
    ) throws(AgentClientError) -> Event? {
        if events.isEmpty, try !hasLine() {
            var waiting = pollfd(fd: connection.number, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&waiting, 1, milliseconds) > 0 else { return nil }
            try receive()
        }
        while let line = takeLine() {
            guard try keepEvent(in: try Self.parse(line)) else {
                throw .malformed("event: expected one, got an answer")
            }
        }
        return events.isEmpty ? nil : events.removeFirst()
    }

    // MARK: Lines

    private func exchange(
        _ request: JSON
    ) throws(AgentClientError) -> (answer: JSON, descriptor: ReceivedDescriptor?) {
        try send(request.bytes + [0x0A])
        while true {
            while try !hasLine() { try receive() }
            guard let line = takeLine() else { continue }
            let json = try Self.parse(line)
            if try keepEvent(in: json) { continue }
            let descriptor = descriptors.isEmpty ? nil : descriptors.removeFirst()
            switch json["ok"] {
            case true: return (json, descriptor)
            case false:
                throw .refused(
                    code: json["code"]?.string ?? "", detail: json["detail"]?.string ?? "")
            default: throw .malformed("answer: expected 'ok', got none")
            }
        }
    }

    private func send(_ line: [UInt8]) throws(AgentClientError) {
        guard line.count <= Self.lineLimit else {
            throw .malformed("request: expected \(Self.lineLimit) bytes, got \(line.count)")
        }
        var rest = line[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe cposix_send(connection.number, $0.baseAddress, $0.count, -1)
            }
            if count == -Int(EINTR) { continue }
            guard count > 0 else { throw Self.lost(count) }
            rest = rest.dropFirst(count)
        }
    }

    private func hasLine() throws(AgentClientError) -> Bool {
        if received.contains(0x0A) { return true }
        guard received.count < Self.lineLimit else {
            throw .malformed("line: expected \(Self.lineLimit) bytes, got more")
        }
        return false
    }

    private func takeLine() -> [UInt8]? {
        guard let end = received.firstIndex(of: 0x0A) else { return nil }
        let line = Array(received[..<end])
        received.removeSubrange(...end)
        return line
    }

    private func receive() throws(AgentClientError) {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        var descriptor: Int32 = -1
        let count = unsafe cposix_receive(
            connection.number, &buffer, buffer.count, &descriptor)
        if descriptor >= 0 { descriptors.append(ReceivedDescriptor(descriptor)) }
        if count == -Int(EINTR) { return }
        guard count > 0 else { throw Self.lost(count) }
        received += buffer[..<count]
    }

    private func keepEvent(in json: JSON) throws(AgentClientError) -> Bool {
        guard json["event"] != nil else { return false }
        // One of a kind that a later agent tells is passed over.
        guard let event = try Self.event(json) else { return true }
        if events.count == Self.eventLimit { events.removeFirst() }
        events.append(event)
        return true
    }

    private static func event(_ json: JSON) throws(AgentClientError) -> Event? {
        do {
            var fields = try Fields(json)
            switch try fields.string("event", limit: 32) {
            case "model":
                if json["version"] == .null { return .model(nil) }
                return .model(
                    try fields.parse("version", SemanticVersion.expected) { SemanticVersion($0) })
            case "state": return .state(try fields.string("state", limit: 32))
            case "release":
                return .release(
                    slot: try fields.string("slot", limit: 1),
                    seconds: try fields.integer("within_s", in: 0...Int64.max))
            default: return nil
            }
        } catch { throw .malformed("event: \(error)") }
    }

    private static func parse(_ line: [UInt8]) throws(AgentClientError) -> JSON {
        do { return try JSON(parsing: line, limit: lineLimit) } catch {
            throw .malformed("line: \(error)")
        }
    }

    private static func lost(_ result: Int) -> AgentClientError {
        result == -Int(EAGAIN) ? .timedOut : .lost(errno: Int32(-result))
    }
}

/// Why a request to the agent has no answer, or a bad one.
package enum AgentClientError: Error, Sendable, Hashable {
    /// Nobody listens, or not for this user.
    case unreachable(path: String, errno: Int32)
    /// The connection ended; 0 where the agent closed it.
    case lost(errno: Int32)
    case timedOut
    /// A line that is not what the protocol says.
    case malformed(String)
    /// The agent said no.
    case refused(code: String, detail: String)
}

extension AgentClientError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreachable(let path, let errno):
            "cannot reach the agent: socket '\(path)': expected one that an agent listens on, "
                + "got \(Self.words(errno))"
        case .lost(0): "lost the agent: it closed the connection"
        case .lost(let errno): "lost the agent: \(ErrorNumber(errno))"
        case .timedOut: "lost the agent: no answer in time"
        case .malformed(let detail): "cannot understand the agent: \(detail)"
        case .refused(let code, let detail):
            "the agent refused: \(detail.isEmpty ? code : detail)"
        }
    }

    /// What was found in the place of an agent's socket.
    private static func words(_ errno: Int32) -> String {
        switch errno {
        case ENOENT: "nothing of that name"
        case ECONNREFUSED: "one that nobody listens on"
        case EACCES, EPERM: "one that this user may not use"
        default: "\(ErrorNumber(errno))"
        }
    }

    /// What a person can do about it; nil where there is nothing but to try again.
    package var hint: String? {
        switch self {
        case .unreachable(_, EACCES), .unreachable(_, EPERM), .refused("forbidden", _):
            "ask as root or as the agent's user"
        case .unreachable: "start it with 'fieldfare-agent run', or name its socket with --socket"
        case .lost, .timedOut: "see the agent's log; then ask again"
        case .malformed, .refused("malformed_request", _):
            "use the command and the agent of one version"
        case .refused("storage", _): "see the agent's log, and the room on its disk"
        case .refused: "'fieldfare-agent status' shows what it has"
        }
    }
}
