import GRDB
import Primitives
import RegistryCore

extension DatabaseRecords: Auditing {
    func auditHead() throws(RegistryError) -> AuditHead? {
        try row("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1") {
            (row) throws(RegistryError) in
            AuditHead(number: row["number"], hash: try row.digest("hash"))
        }
    }

    func add(_ record: StoredAuditRecord) throws(RegistryError) {
        let head = try auditHead()?.number ?? 0
        guard record.number == head + 1 else {
            throw .storage("audit log: expected record \(head + 1), got \(record.number)")
        }
        try execute(
            "INSERT INTO audit (number, subject, hash, record) VALUES (?, ?, ?, ?)",
            [record.number, record.subject, record.hash.bytes.data, record.bytes.data])
    }

    func auditRecords(
        after number: Int64, limit: Int, subject: String?
    ) throws(RegistryError) -> [StoredAuditRecord] {
        let filter = subject == nil ? "" : "AND subject = ?"
        let about: StatementArguments = subject.map { [$0] } ?? []
        return try rows(
            "SELECT * FROM audit WHERE number > ? \(filter) ORDER BY number LIMIT ?",
            [number] + about + [limit]
        ) { (row) throws(RegistryError) in
            StoredAuditRecord(
                number: row["number"], subject: row["subject"], bytes: try row.bytes("record"),
                hash: try row.digest("hash"))
        }
    }
}
