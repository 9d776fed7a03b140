package import Primitives

/// A record as it lies in the log: the bytes that were hashed, and the hash that was stored with them.
package struct StoredAuditRecord: Sendable, Hashable {
    package let number: Int64
    /// What the record is about, to find it by.
    package let subject: String
    /// Canonical JSON.
    package let bytes: [UInt8]
    package let hash: SHA256Digest

    package init(number: Int64, subject: String, bytes: [UInt8], hash: SHA256Digest) {
        self.number = number
        self.subject = subject
        self.bytes = bytes
        self.hash = hash
    }

    package init(_ record: AuditRecord) {
        self.init(
            number: record.number, subject: record.event.subject,
            bytes: record.json.canonicalBytes, hash: record.hash)
    }

    /// The record with its hash, as `GET /v1/audit` shows it; nil where the bytes are no record.
    package var json: JSON? {
        guard let json = try? JSON(parsing: bytes, limit: AuditRecord.byteLimit),
            var fields = json.object
        else { return nil }
        fields["hash"] = .string(hash.hex)
        return .object(fields)
    }
}
