package import Primitives

/// The devices; part of a transaction (`RegistryStoring`).
package protocol FleetStoring {
    func device(_ id: DeviceID) throws(RegistryError) -> DeviceRecord?

    /// Adds a device or replaces what is known of it.
    func setDevice(_ record: DeviceRecord) throws(RegistryError)

    /// Devices in order of their ids, after one of them, at most `limit`.
    func devices(
        after id: DeviceID?, limit: Int
    ) throws(RegistryError) -> [DeviceRecord]

    /// Deletes a device and every row that names it, but the audit log's.
    ///
    /// - Returns: false where there was none.
    func forget(_ id: DeviceID) throws(RegistryError) -> Bool
}
