package import AgentCore
package import PosixFiles

/// The slots as an application sees them that leases its model without an agent.
///
/// It makes, changes and removes nothing, so that it needs no more than to read the folder.
package final class SlotReader: SlotReading {
    /// How often a lease is tried where the agent has the lease file alone, for moments: a second in all.
    private static let leaseTries = 1_000

    let root: Directory
    let manifests = ManifestCache()

    /// - Parameter root: the `slots` folder of an agent's state directory.
    package init(_ root: Directory) { self.root = root }

    /// Leases the active slot, as the agent does for those who ask it.
    ///
    /// - Returns: nil where no slot is active, or what is active is damaged.
    /// - Throws: `.system` with `EBUSY` where somebody has the lease file alone all the time.
    package func lease() throws(SlotError) -> SlotLease? { try lease(tries: Self.leaseTries) }

    func lockShared(_ slot: Slot) throws(FileError) -> OpenFile? { try tryShared(slot) }
}
