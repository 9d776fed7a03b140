package import Primitives

/// Who pinned which device to what, and why; part of a transaction (`RegistryStoring`).
///
/// Plans have no more of it than hashes of devices. A device that is forgotten takes its pins along.
package protocol PinStoring {
    /// The pins of one channel, by device; those that have expired too, until they are dropped.
    func pins(
        _ model: ModelName, _ channel: ChannelName
    ) throws(RegistryError) -> [PinRecord]

    /// Adds a pin, or replaces the device's pin in that channel.
    func setPin(_ record: PinRecord) throws(RegistryError)

    /// Drops a device's pin in one channel.
    ///
    /// - Returns: false where there was none.
    func dropPin(
        of device: DeviceID, _ model: ModelName, _ channel: ChannelName
    ) throws(RegistryError) -> Bool
}
