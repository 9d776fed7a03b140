package import Primitives
package import Rollouts

/// One rollout as the registry keeps it: the controller's state, and what was done about it.
package struct RolloutRecord: Sendable, Hashable {
    package let model: ModelName
    package let channel: ChannelName
    package let created: UTCTime
    /// The number of the audit record that tells of its creation.
    package let firstRecord: Int64
    /// The controller's state: what is to be, whether or not it is published yet.
    package var state: ControllerState
    /// Before the start: the rollout whose plan is in force meanwhile, so that it can still be rolled back.
    package var previous: ControllerState?
    /// Whether a brake rehearsal of this policy has succeeded.
    package var isRehearsed = false
    /// The warnings that whoever created it acknowledged.
    package var acknowledged: [String] = []
    /// When the gate last looked; nil before its first look.
    package var lastLook: UTCTime?
    /// What the gate saw then, for people (`docs/protocol.md`); decisions never read it.
    package var look: JSON?

    package init(state: ControllerState, created: UTCTime, firstRecord: Int64) {
        model = state.plan.model
        channel = state.plan.channel
        self.created = created
        self.firstRecord = firstRecord
        self.state = state
    }

    /// The state of the rollout whose plan devices follow; nil before any.
    package var inForce: ControllerState? { state.isStarted ? state : previous }

    /// What the audit log knows it by.
    package var subject: String { Self.subject(model, channel) }

    package static func subject(_ model: ModelName, _ channel: ChannelName) -> String {
        "rollouts/\(model)/\(channel)"
    }
}
