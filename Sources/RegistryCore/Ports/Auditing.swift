import Primitives

/// The audit log: it only grows; part of a transaction (`RegistryStoring`), so that what is done and the
/// record of it stand or fall together.
package protocol Auditing {
    /// The newest record; nil in an empty log.
    func auditHead() throws(RegistryError) -> AuditHead?

    /// Adds a record; its number must follow the head's.
    func add(_ record: StoredAuditRecord) throws(RegistryError)

    /// Records after `number`, oldest first, at most `limit`; only those about `subject` unless that is nil.
    func auditRecords(
        after number: Int64, limit: Int, subject: String?
    ) throws(RegistryError) -> [StoredAuditRecord]
}

extension Auditing {
    /// Chains an event to the log.
    func append(
        _ event: AuditEvent, by actor: Actor, at now: UTCTime
    ) throws(RegistryError) {
        let record = AuditRecord(event, by: actor, at: now, after: try auditHead())
        try add(StoredAuditRecord(record))
    }
}
