import Primitives
import SlotHost

/// What a running agent tells an application that watches.
public enum AgentEvent: Sendable, Hashable {
    /// This version is active now, nil where there is no usable model: lease it, load it, acknowledge it, and let go of
    /// what was leased before. The first comes at once.
    case model(version: String?)
    /// What the agent is at: `idle`, `checking`, `downloading` and so on (docs/agent.md). The newest counts; those
    /// that it passed in an instant are not told.
    case state(String)
    /// This slot is still leased, is no longer active, and has to be let go of within these seconds; the next update
    /// waits for it.
    case release(slot: String, withinSeconds: Int)

    init(_ event: AgentClient.Event) {
        self =
            switch event {
            case .model(let version): .model(version: version?.description)
            case .state(let name): .state(name)
            case .release(let slot, let seconds):
                .release(slot: slot, withinSeconds: Int(clamping: seconds))
            }
    }
}
