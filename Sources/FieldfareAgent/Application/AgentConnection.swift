import Primitives
import SlotHost

/// An application's connection to the agent of its device: leases, turns, events and orders.
///
///     let connection = try AgentConnection(socket: "/run/fieldfare-agent/agent.sock")
///     try connection.watch()
///     while let event = try connection.nextEvent(waitingMilliseconds: 60_000) { ... }
///
/// For one thread, which it blocks for at most the time-out of each answer. An application that has the agent inside its
/// own process connects to its socket as any other does. After `unreachable` the connection is of no more use: make
/// another one, and go on with the model that is leased meanwhile.
public final class AgentConnection {
    /// Turns in one request; a line of the socket has room for so many, whatever they say.
    private static let turnsAtOnce = 64

    private let client: AgentClient

    /// Connects.
    ///
    /// - Parameters:
    ///   - socket: the agent's socket, `/run/fieldfare-agent/agent.sock` where its configuration names no other.
    ///   - timeoutMilliseconds: how long each answer may take.
    /// - Throws: `AgentError` with `unreachable`.
    public init(socket: String, timeoutMilliseconds: Int = 10_000) throws(AgentError) {
        client = try Self.asked { () throws(AgentClientError) in
            try AgentClient(
                connecting: socket,
                timeoutMilliseconds: Int64(clamping: max(1, min(timeoutMilliseconds, 86_400_000))))
        }
    }

    /// To be polled for events, beside other descriptors; readable as soon as `nextEvent` has something to look at.
    public var descriptor: Int32 { client.descriptor }

    // MARK: The model

    /// Leases the active model.
    ///
    /// - Parameter application: a name that stays the same over restarts, at most 64 bytes; restarts of its process
    ///   during a probation count against the new version.
    /// - Returns: the lease; nil where the device has no usable model (`cloud_only`).
    /// - Throws: `AgentError`.
    public func lease(as application: String) throws(AgentError) -> ModelLease? {
        try asked { client throws(AgentClientError) in try client.lease(as: application) }
            .map { ModelLease($0) }
    }

    /// Says that the application serves the leased model from now on; only then does the agent call it `serving`.
    ///
    /// - Parameter lease: the one that was taken last on this connection.
    /// - Throws: `AgentError`; `refused` for any other lease.
    public func acknowledge(_ lease: ModelLease) throws(AgentError) {
        try request(["op": "acknowledge", "version": .string(lease.version)])
    }

    /// Records turns that a model has answered, the oldest first.
    ///
    /// Where a turn makes a new version fall, this returns after the device has gone back.
    ///
    /// - Parameters:
    ///   - turns: as many as there are.
    ///   - version: the version that answered.
    /// - Throws: `AgentError`; of more than 64 turns some are then recorded.
    public func record(_ turns: [Turn], of version: String) throws(AgentError) {
        var rest = turns[...]
        while !rest.isEmpty {
            let some = rest.prefix(Self.turnsAtOnce)
            try request([
                "op": "turns", "turns": .array(some.map { $0.json(of: version) }),
            ])
            rest = rest.dropFirst(Self.turnsAtOnce)
        }
    }

    // MARK: Events

    /// Asks for events; what is active comes at once, then the state, then what is to be let go of.
    ///
    /// - Throws: `AgentError`.
    public func watch() throws(AgentError) {
        try asked { client throws(AgentClientError) in try client.watchAll() }
    }

    /// The next event, or nil where none comes in time.
    ///
    /// Events that come while another answer is waited for are kept: the newest 64.
    ///
    /// - Parameter milliseconds: how long to wait; 0 to look only.
    /// - Returns: the oldest event that was not returned yet.
    /// - Throws: `AgentError` with `unreachable` where the agent is gone.
    public func nextEvent(waitingMilliseconds milliseconds: Int) throws(AgentError) -> AgentEvent? {
        try asked { client throws(AgentClientError) in
            try client.nextEvent(waitingMilliseconds: Int32(clamping: max(0, milliseconds)))
        }
        .map { AgentEvent($0) }
    }

    // MARK: The agent

    /// What the agent is at, and what it has.
    ///
    /// - Returns: its state at this moment.
    /// - Throws: `AgentError`.
    public func state() throws(AgentError) -> AgentState {
        try AgentState(try request(["op": "status"]))
    }

    /// Goes back to the version before, and stays off this one, whatever the plan says; for root and the agent's user.
    ///
    /// - Throws: `AgentError` with `refused` where there is nothing to go back to, `forbidden` for others.
    public func rollBack() throws(AgentError) { try request(["op": "rollback"]) }

    /// Takes no new version until `unhold`; going back stays possible.
    ///
    /// For root and the agent's user.
    ///
    /// - Throws: `AgentError`.
    public func hold() throws(AgentError) { try request(["op": "hold"]) }

    /// Ends a hold, and what `rollBack` forbade.
    ///
    /// For root and the agent's user.
    ///
    /// - Throws: `AgentError`.
    public func unhold() throws(AgentError) { try request(["op": "unhold"]) }

    // MARK: Errors

    @discardableResult
    private func request(_ json: JSON) throws(AgentError) -> JSON {
        try asked { client throws(AgentClientError) in try client.request(json) }
    }

    private func asked<Value>(
        _ ask: (AgentClient) throws(AgentClientError) -> Value
    ) throws(AgentError) -> Value {
        try Self.asked { () throws(AgentClientError) in try ask(client) }
    }

    private static func asked<Value>(
        _ ask: () throws(AgentClientError) -> Value
    ) throws(AgentError) -> Value {
        do { return try ask() } catch { throw AgentError(error) }
    }
}

extension AgentError {
    /// What a client of the local socket met with.
    init(_ error: AgentClientError) {
        self.init(Code(error), error.description, hint: error.hint)
    }
}

extension AgentError.Code {
    fileprivate init(_ error: AgentClientError) {
        self =
            switch error {
            case .unreachable, .lost, .timedOut: .unreachable
            case .malformed: .malformedAnswer
            case .refused(let code, _): AgentError.Code(rawValue: code)
            }
    }
}
