import Primitives

/// Reads the audit log, and checks it.
package struct AuditLog: Sendable {
    package static let pageLimit = 1_000

    private let store: any RegistryStoring

    package init(store: any RegistryStoring) {
        self.store = store
    }

    /// Records after `number`, oldest first, at most `limit` of them.
    package func records(
        after number: Int64, limit: Int64, by actor: Principal
    ) throws(RegistryError) -> [StoredAuditRecord] {
        try authorise(actor, .read, on: .registry)
        let limit = Int(min(max(1, limit), Int64(Self.pageLimit)))
        return try store.read { (records) throws(RegistryError) in
            try records.auditRecords(after: number, limit: limit, subject: nil)
        }
    }

    /// Checks the whole log, page by page.
    ///
    /// - Returns: the newest record; nil for an empty log.
    /// - Throws: `.damaged` at the first record that does not fit.
    package func verify() throws(RegistryError) -> AuditHead? {
        var chain = AuditChain()
        while true {
            let after = chain.head?.number ?? 0
            let page = try store.read { (records) throws(RegistryError) in
                try records.auditRecords(after: after, limit: Self.pageLimit, subject: nil)
            }
            for record in page {
                do { try chain.verify(record) } catch { throw .damagedAudit(error) }
            }
            if page.count < Self.pageLimit { return chain.head }
        }
    }
}
