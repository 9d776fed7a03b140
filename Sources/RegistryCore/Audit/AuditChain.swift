package import Primitives

/// Checks a stretch of the audit log: nothing was changed, taken out, put in or moved.
///
/// What the chain alone cannot show is that its newest records are missing: for that, compare with a
/// head that was kept elsewhere.
package struct AuditChain: Sendable, Hashable {
    /// What is wrong with a log, at the first record where something is.
    package enum Fault: Error, Sendable, Hashable {
        case wrongNumber(expected: Int64, found: Int64)
        case notCanonical(number: Int64)
        case wrongPrevious(number: Int64, expected: SHA256Digest, found: SHA256Digest)
        case wrongHash(number: Int64, expected: SHA256Digest, found: SHA256Digest)
    }

    /// The newest record that was checked; nil before the first.
    package private(set) var head: AuditHead?

    /// - Parameter head: what was checked, or kept, before; nil to begin with record 1.
    package init(after head: AuditHead? = nil) {
        self.head = head
    }

    /// Checks the next record, and counts it in.
    package mutating func verify(_ record: StoredAuditRecord) throws(Fault) {
        let number = (head?.number ?? 0) + 1
        let previous = head?.hash ?? AuditRecord.genesis
        guard record.number == number else {
            throw .wrongNumber(expected: number, found: record.number)
        }
        guard let json = try? JSON(parsing: record.bytes, limit: AuditRecord.byteLimit),
            json.canonicalBytes == record.bytes, json["schema"]?.string == AuditRecord.schema,
            json["subject"]?.string == record.subject
        else { throw .notCanonical(number: number) }
        guard json["number"]?.integer == number else {
            throw .wrongNumber(expected: number, found: json["number"]?.integer ?? 0)
        }
        let found = json["previous"]?.string.flatMap { SHA256Digest(hex: $0) }
        guard found == previous else {
            throw .wrongPrevious(
                number: number, expected: previous, found: found ?? AuditRecord.genesis)
        }
        let hash = AuditRecord.hash(previous, record.bytes)
        guard hash == record.hash else {
            throw .wrongHash(number: number, expected: hash, found: record.hash)
        }
        head = AuditHead(number: number, hash: hash)
    }
}

extension AuditChain.Fault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .wrongNumber(let expected, let found): "expected record \(expected), got \(found)"
        case .notCanonical(let number):
            "record \(number): expected canonical JSON of this schema, got something else"
        case .wrongPrevious(let number, let expected, let found):
            "record \(number): expected to follow \(expected), got \(found)"
        case .wrongHash(let number, let expected, let found):
            "record \(number): expected hash \(expected), got \(found)"
        }
    }
}
