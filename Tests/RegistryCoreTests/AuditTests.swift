import Primitives
import RegistryCore
import RegistryTestSupport
import Testing

struct AuditTests {
    private let now = UTCTime(clamping: 1_764_000_000)

    private func log(_ count: Int) -> [StoredAuditRecord] {
        var head: AuditHead?
        return (0..<count).map { index in
            let event = AuditEvent(
                name: "test.event", subject: "tests/\(index)",
                facts: ["index": .integer(Int64(index))])
            let record = AuditRecord(event, by: .controller, at: now + Int64(index), after: head)
            head = record.head
            return StoredAuditRecord(record)
        }
    }

    private func verify(_ records: [StoredAuditRecord]) throws(AuditChain.Fault) -> AuditHead? {
        var chain = AuditChain()
        for record in records { try chain.verify(record) }
        return chain.head
    }

    @Test func `the bytes and hash of the first record are these`() throws {
        let record = try #require(log(1).first)
        #expect(
            String(decoding: record.bytes, as: UTF8.self)
                == #"{"actor":{"kind":"controller"},"at":1764000000,"event":"test.event","#
                + #""facts":{"index":0},"number":1,"previous":"# + "\""
                + String(repeating: "0", count: 64)
                + #"","schema":"fieldfare.audit/1","subject":"tests/0"}"#)
        #expect(record.hash.hex == Self.firstHash)
    }

    /// By `printf '%064d' 0 | xxd -r -p | cat - record | sha256sum`.
    private static let firstHash =
        "296688227ce2bd4f3f5a899ef9a432e33d2ce541a8a9960deab912e51eb56165"

    @Test func `an untouched log verifies to its head`() throws {
        let records = log(20)
        let head = try verify(records)
        #expect(head == AuditHead(number: 20, hash: try #require(records.last).hash))
        var chain = AuditChain(after: AuditHead(number: 10, hash: records[9].hash))
        for record in records[10...] { try chain.verify(record) }
        #expect(chain.head == head)
    }

    @Test(arguments: 0..<20)
    func `any changed byte is found`(index: Int) throws {
        for position in stride(from: 0, to: log(20)[index].bytes.count, by: 7) {
            var records = log(20)
            var bytes = records[index].bytes
            bytes[position] ^= 1
            records[index] = StoredAuditRecord(
                number: records[index].number, subject: records[index].subject, bytes: bytes,
                hash: records[index].hash)
            #expect(throws: AuditChain.Fault.self) { try verify(records) }
        }
    }

    @Test func `a record taken out, moved or put in is found`() throws {
        var without = log(5)
        without.remove(at: 2)
        #expect(throws: AuditChain.Fault.wrongNumber(expected: 3, found: 4)) { try verify(without) }
        var moved = log(5)
        moved.swapAt(1, 2)
        #expect(throws: AuditChain.Fault.self) { try verify(moved) }
        var doubled = log(5)
        doubled.insert(doubled[1], at: 2)
        #expect(throws: AuditChain.Fault.self) { try verify(doubled) }
    }

    @Test func `a record rewritten with a hash of its own breaks the chain at the next`() throws {
        var records = log(5)
        let event = AuditEvent(name: "test.other", subject: "tests/2", facts: [:])
        let forged = AuditRecord(
            event, by: .registry, at: now,
            after: AuditHead(number: 2, hash: records[1].hash))
        records[2] = StoredAuditRecord(forged)
        let error = #expect(throws: AuditChain.Fault.self) { try verify(records) }
        guard case .wrongPrevious(number: 4, _, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `the subject that records are found by is part of what is hashed`() throws {
        var records = log(3)
        records[1] = StoredAuditRecord(
            number: 2, subject: "tests/elsewhere", bytes: records[1].bytes, hash: records[1].hash)
        #expect(throws: AuditChain.Fault.notCanonical(number: 2)) { try verify(records) }
    }

    @Test func `the log is read in pages by those who may`() throws {
        let registry = TestRegistry()
        try registry.found(at: now)
        let log = AuditLog(store: registry.store)
        let all = try log.records(after: 0, limit: 100, by: registry.admin)
        #expect(all.count == 2)
        #expect(try log.records(after: 1, limit: 100, by: registry.admin) == [all[1]])
        #expect(try log.records(after: 0, limit: -5, by: registry.admin) == [all[0]])
        #expect(try log.verify() == AuditHead(number: 2, hash: all[1].hash))
        let publisher = Principal(id: .registry, name: "p", scopes: [Scope(.publish)])
        #expect(throws: RegistryError.forbidden(needs: Scope(.read))) {
            try log.records(after: 0, limit: 1, by: publisher)
        }
    }
}
