import Console
import PosixFiles
import Primitives
import SlotHost
import SpeechRuntime

/// A stand-in for a voice application: leases the model, hears clips at a steady rate, records the turns.
///
/// It goes on with the model it holds while the agent is away, and tells the agent afterwards.
final class VoiceApplication {
    /// Turns that wait for the agent to come back, as many as one request may carry; beyond it the oldest go.
    private static let waitingLimit = 256

    let socket: String
    let name: String
    let library: SpeechLibrary
    private var client: AgentClient?
    private var model: ServedModel?
    private var waiting: [JSON] = []
    private var wasLost = false
    /// The last event spoke of another version than the one served, or of none.
    private var mustLease = false
    private(set) var figures = VoiceFigures()

    init(socket: String, name: String, library: SpeechLibrary) {
        self.socket = socket
        self.name = name
        self.library = library
    }

    var version: SemanticVersion? { model?.version }

    /// Takes what the agent has to say for so long, and follows it.
    ///
    /// - Throws: `Failure` only where a model that the agent gives away cannot be used.
    func listen(milliseconds: Int32) throws(Failure) {
        let until = SystemClock.monotonicNanoseconds() + Int64(milliseconds) * 1_000_000
        repeat {
            let left = max(0, until - SystemClock.monotonicNanoseconds())
            do throws(AgentClientError) {
                let client = try connected()
                if mustLease { try lease(client) }
                let event = try client.nextEvent(waitingMilliseconds: Int32(left / 1_000_000))
                if case .model(let version) = event { mustLease = version != model?.version }
            } catch {
                try lost(error, left)
            }
            // What was not followed within this call is followed at the start of the next.
        } while SystemClock.monotonicNanoseconds() < until
    }

    /// Hears one clip, where there is a model, and records the turn.
    func takeTurn() {
        guard let model else { return }
        let turn = model.turn()
        figures.count(turn)
        waiting.append(turn.json)
        waiting.removeFirst(max(0, waiting.count - Self.waitingLimit))
        record()
    }

    // MARK: The agent

    private func connected() throws(AgentClientError) -> AgentClient {
        if let client { return client }
        let new = try AgentClient(connecting: socket)
        try new.watch()
        client = new
        if wasLost { Output.json(["event": "agent_found"]) }
        wasLost = false
        record()
        return new
    }

    private func lost(_ error: AgentClientError, _ nanoseconds: Int64) throws(Failure) {
        if case .malformed = error { throw Failure(.failed, "\(error)") }
        if case .refused = error {
            figures.countRefused()
            Output.json(["event": "refused", "detail": .string("\(error)")])
        } else {
            if client != nil { figures.countLost() }
            client = nil
            if !wasLost {
                Output.json(["event": "agent_lost", "detail": .string("\(error)")])
            }
            wasLost = true
        }
        SystemClock.pause(nanoseconds: min(nanoseconds, 200_000_000))
    }

    /// Leases what is active now, loads it, says so, and only then lets go of what was served before.
    private func lease(_ client: AgentClient) throws(AgentClientError) {
        guard let lease = try client.lease(as: name) else {
            // The model that is held stays good: its files are leased.
            mustLease = false
            if figures.turns > 0 { figures.countWithoutModel() }
            return Output.json(["event": "cloud_only"])
        }
        mustLease = false
        guard lease.version != model?.version else { return }
        let new: ServedModel
        do {
            new = try ServedModel(
                lease.path, version: lease.version, lease: lease, library: library)
        } catch {
            figures.countWithoutModel()
            return Output.json([
                "event": "not_loaded", "version": .string(lease.version.description),
                "detail": .string("\(error)"),
            ])
        }
        try client.acknowledge(lease.version)
        record()
        model = new
        figures.startVersion()
        Output.json([
            "event": "serving", "version": .string(new.version.description),
            "slot": .string(lease.slot), "load_us": .integer(new.loadMicroseconds),
        ])
    }

    /// Sends the turns that wait; they go on waiting where the agent is away.
    private func record() {
        guard let client, !waiting.isEmpty else { return }
        let request: JSON
        if waiting.count == 1, var fields = waiting[0].object {
            fields["op"] = "turn"
            request = .object(fields)
        } else {
            request = ["op": "turns", "turns": .array(waiting)]
        }
        do {
            try client.request(request)
            waiting = []
        } catch {
            guard case .refused = error else {
                self.client = nil
                return
            }
            waiting = []
            figures.countRefused()
            Output.json(["event": "refused", "detail": .string("\(error)")])
        }
    }
}
