/// All that one transaction sees and changes.
package typealias RegistryRecords = MetadataStoring & FleetStoring & ReportStoring
    & EvidenceStoring & HearingStoring & RolloutStoring & PinStoring
    & PlaceboStoring & AccessStoring & RetentionStoring & Auditing

/// Opens transactions on the registry's records: one `write` closure is one use case, whole or not at all.
///
/// - `write` is durable on return. Where the closure throws, nothing has changed. Writes come one after
///   the other, and each sees all that came before.
/// - `read` sees one moment; what it is given must not be written to.
/// - Both block the calling thread, so a server calls them on threads of its own.
package protocol RegistryStoring: Sendable {
    func read<Value>(
        _ body: (any RegistryRecords) throws(RegistryError) -> Value
    ) throws(RegistryError) -> Value

    func write<Value>(
        _ body: (any RegistryRecords) throws(RegistryError) -> Value
    ) throws(RegistryError) -> Value

    /// A copy of all records as they are now, independent of these; it is gone with its last reference.
    func copy() throws(RegistryError) -> any RegistryStoring

    /// Writes something that changes nothing, durably: whether the store can be written to.
    func probe() throws(RegistryError)
}
