package import AgentCore
package import Primitives
import Rollouts

/// What the agent tells those who asked for events (docs/protocol.md, "The agent's local socket").
package enum LocalEvent: Sendable {
    /// Another version is active; nil where there is no usable model.
    case model(SemanticVersion?)
    /// The agent is at something else.
    case state(String)
    /// A slot that is leased is no longer active, and is to be let go of within these seconds.
    case release(Slot, seconds: Int64)

    /// Which events a connection asked for.
    package enum Subscription: Sendable {
        /// `watch`: the active version only.
        case model
        /// `events`.
        case all
    }

    /// The line, without its newline.
    var bytes: [UInt8] {
        let json: JSON =
            switch self {
            case .model(let version):
                [
                    "event": "model",
                    "version": version.map { .string($0.description) } ?? .null,
                ]
            case .state(let name): ["event": "state", "state": .string(name)]
            case .release(let slot, let seconds):
                [
                    "event": "release", "slot": .string(slot.rawValue),
                    "within_s": .integer(seconds),
                ]
            }
        return json.bytes
    }

    fileprivate var isOfModel: Bool { if case .model = self { true } else { false } }
}

extension LocalConnection {
    /// Sends an event to a peer that asked for such.
    func tell(_ event: LocalEvent) {
        guard let subscription, subscription == .all || event.isOfModel else { return }
        send(event.bytes)
    }
}
