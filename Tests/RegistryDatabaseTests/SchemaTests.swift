import Cryptography
import Foundation
import GRDB
import Primitives
import RegistryCore
import TestSupport
import Testing

@testable import RegistryDatabase

struct SchemaTests {
    /// Registries in the field have run these migrations: a released one never changes, a new one is added.
    @Test func `released migrations are frozen`() {
        let released = [
            ("1", Schema.first, Self.firstDigest), ("2", Schema.pins, Self.pinsDigest),
            ("3", Schema.placebos, Self.placebosDigest),
        ]
        #expect(Schema.migrator.migrations == released.map(\.0))
        for (_, sql, digest) in released {
            #expect(SHA256.digest(of: Array(sql.utf8)).hex == digest)
        }
    }

    private static let firstDigest =
        "2ced82d2f471cfd26d2bac008d78aa9c3bd46ceab7f13641a841ccf5bb82b1c3"

    private static let pinsDigest =
        "039636378525622e1beeb0c3d3520eca5a4e3012304a84aa53b9e4669f5617e7"

    private static let placebosDigest =
        "5f690db1b2d63a91dda363e0b5efe23cfa6b5eaf5ac02d9e211fbaa35ef6de10"

    private let folder = ScratchFolder("registry-schema")

    @Test func `a database that a newer version has migrated is left alone`() throws {
        let path = folder.path("registry.sqlite")
        _ = try SQLiteStore(path: path)
        let queue = try DatabaseQueue(path: path)
        var newer = Schema.migrator
        newer.registerMigration("999") { try $0.execute(sql: "CREATE TABLE tomorrow (x)") }
        try newer.migrate(queue)
        try queue.close()
        #expect(
            throws: RegistryError.storage(
                "database: expected a schema of this version, got a newer one")
        ) {
            try SQLiteStore(path: path)
        }
    }

    @Test func `the audit table refuses to be changed, whoever asks`() throws {
        let path = folder.path("registry.sqlite")
        let store = try SQLiteStore(path: path)
        try store.write { (records) throws(RegistryError) in
            let record = AuditRecord(
                AuditEvent(name: "x", subject: "y", facts: [:]), by: .registry, at: .epoch,
                after: nil)
            try records.add(StoredAuditRecord(record))
        }
        let queue = try DatabaseQueue(path: path)
        for sql in ["UPDATE audit SET subject = 'z'", "DELETE FROM audit"] {
            let error = #expect(throws: DatabaseError.self) {
                try queue.write { try $0.execute(sql: sql) }
            }
            #expect(error?.message == "the audit log only grows")
        }
    }

    @Test func `a file that is no database is said to be none`() throws {
        let path = folder.path("registry.sqlite")
        let bytes = [UInt8](repeating: 0x41, count: 4_096)
        try Data(bytes).write(to: URL(filePath: path))
        #expect(throws: RegistryError.self) { try SQLiteStore(path: path) }
    }
}
