package import Primitives

/// The rollouts and their controllers' states; part of a transaction (`RegistryStoring`), so that a
/// decision, its evidence in the audit log, and the state it leads to are there together or not at all.
package protocol RolloutStoring {
    /// The rollout of a model and channel: running, or the last one there was.
    func rollout(
        _ model: ModelName, _ channel: ChannelName
    ) throws(RegistryError) -> RolloutRecord?

    func rollouts() throws(RegistryError) -> [RolloutRecord]

    /// The rollouts of one model, in the order of their channels.
    func rollouts(of model: ModelName) throws(RegistryError) -> [RolloutRecord]

    /// The models and channels that have a rollout, whether or not its record can be read.
    func rolloutLines() throws(RegistryError) -> [RolloutLine]

    /// Adds a rollout, or replaces the one of the same model and channel.
    func setRollout(_ record: RolloutRecord) throws(RegistryError)
}

/// What a rollout is kept under.
package struct RolloutLine: Sendable, Hashable {
    package let model: ModelName
    package let channel: ChannelName

    package init(model: ModelName, channel: ChannelName) {
        self.model = model
        self.channel = channel
    }
}
