import Foundation
import GRDB
import Primitives
import RegistryCore
import RegistryDatabase
import RegistryTestSupport
import Rollouts
import TUF
import TestSupport
import Testing

struct SQLiteStoreTests {
    private let folder = ScratchFolder("registry-database")
    private let now = UTCTime(clamping: 1_764_000_000)

    private func open(_ name: String = "registry.sqlite") throws -> SQLiteStore {
        try SQLiteStore(path: folder.path(name))
    }

    @Test func `SQLite keeps records as the port asks`() throws {
        let names = Mutexed()
        try RegistryStoreSuite { try open("\(names.next()).sqlite") }.run()
    }

    /// GRDB 7.10 sets NORMAL while it opens a pool, in which an acknowledged transaction can be lost.
    @Test func `a commit is fsynced before it is acknowledged`() throws {
        let store = try open()
        #expect(try store.writerSetting("synchronous") == "2")
        #expect(try store.writerSetting("journal_mode") == "wal")
        #expect(try store.writerSetting("foreign_keys") == "1")
    }

    @Test func `what was written is there after opening it again`() throws {
        try TestRegistry(store: open()).found(at: now)
        let registry = TestRegistry(store: try open())
        #expect(try registry.clientView(of: .targets, at: now).version.number == 1)
        #expect(try AuditLog(store: registry.store).verify()?.number == 2)
    }

    @Test
    func `a copy is another database, stays while the first is opened again, and goes by itself`()
        throws
    {
        let path = folder.path("registry.sqlite")
        func files() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder.path)
                .filter { $0.contains(".copy-") }
        }
        let store = try SQLiteStore(path: path)
        var copy: (any RegistryStoring)? = try store.copy()
        _ = try SQLiteStore(path: path)
        #expect(try !files().isEmpty)
        try copy?.write { (records) throws(RegistryError) in
            let record = AuditRecord(
                AuditEvent(name: "x", subject: "y", facts: [:]), by: .registry, at: .epoch,
                after: nil)
            try records.add(StoredAuditRecord(record))
        }
        let head = try store.read { (records) throws(RegistryError) in try records.auditHead() }
        #expect(head == nil)
        copy = nil
        #expect(try files() == [])
        try Data().write(to: URL(fileURLWithPath: path + ".copy-1"))
        SQLiteStore.removeCopies(of: path)
        #expect(try files() == [])
    }

    @Test func `a rollout whose record is damaged keeps no other from moving or being ordered`()
        throws
    {
        let registry = TestRegistry(store: try open())
        try registry.found(at: now)
        try registry.release("1.0.0", replaces: [], at: now)
        try registry.createFirst("1.0.0", at: now)
        try DatabaseQueue(path: folder.path("registry.sqlite")).write { database in
            try database.execute(
                sql: "INSERT INTO rollout (model, channel, record) VALUES ('broken', 'main', '{}')")
        }
        _ = try registry.desk.order(
            .start, registry.model, .main, reason: "", by: registry.admin, at: now)
        let report = try registry.controller.tick(at: now + 3_600)
        #expect(report.looks == 1)
        #expect(Set(report.failures.map(\.model.description)) == ["broken"])
        _ = try registry.desk.order(
            RolloutInstruction(.rollback, leavesNoModel: true), registry.model, .main,
            by: registry.admin, at: now + 3_600)
        #expect(try registry.publishedPlan().0?.state == .rolledBack)
    }
}

/// A counter, for names.
private final class Mutexed {
    private var count = 0

    func next() -> Int {
        count += 1
        return count
    }
}
