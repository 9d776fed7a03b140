package import Primitives

/// The rollouts and their controllers' states; part of a transaction (`RegistryStoring`), so that a
/// decision, its evidence in the audit log, and the state it leads to are there together or not at all.
package protocol RolloutStoring {
    /// The rollout of a model and channel: running, or the last one there was.
    func rollout(
        _ model: ModelName, _ channel: ChannelName
    ) throws(RegistryError) -> RolloutRecord?

    func rollouts() throws(RegistryError) -> [RolloutRecord]

    /// Adds a rollout, or replaces the one of the same model and channel.
    func setRollout(_ record: RolloutRecord) throws(RegistryError)
}
