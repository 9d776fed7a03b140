import Foundation
import GRDB
package import RegistryCore

/// The registry's records in one SQLite file, by GRDB: `RegistryStoring` with real transactions.
///
/// Write-ahead log, one writer and several readers, each transaction fsynced before it is acknowledged
/// (`synchronous=FULL`: a `DatabasePool` of GRDB 7.10 resets it to NORMAL while opening, so it is set on the
/// writer after that). Open each file once; its calls block, so a server makes them on threads of its own.
package final class SQLiteStore: RegistryStoring {
    private let pool: DatabasePool
    private let path: String
    private let isCopy: Bool

    /// Opens the file at a path of the operating system, makes it where it is missing, and brings it to
    /// today's schema.
    ///
    /// - Throws: `.storage`; also for a file that a newer version has migrated.
    package convenience init(path: String) throws(RegistryError) {
        try self.init(path: path, isCopy: false)
    }

    /// A copy is nobody's record: it need not survive a power cut, and is removed in the end.
    private init(path: String, isCopy: Bool) throws(RegistryError) {
        self.path = path
        self.isCopy = isCopy
        var configuration = Configuration()
        configuration.label = "registry"
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = 4
        let pool = try Self.attempt {
            let pool = try DatabasePool(path: path, configuration: configuration)
            let level = isCopy ? "OFF" : "FULL"
            try pool.writeWithoutTransaction {
                try $0.execute(sql: "PRAGMA synchronous = \(level)")
            }
            return pool
        }
        self.pool = pool
        let isNewer = try Self.attempt {
            try pool.read { try Schema.migrator.hasBeenSuperseded($0) }
        }
        guard !isNewer else {
            throw .storage("database: expected a schema of this version, got a newer one")
        }
        try Self.attempt { try Schema.migrator.migrate(pool) }
    }

    package func read<Value>(
        _ body: (any RegistryRecords) throws(RegistryError) -> Value
    ) throws(RegistryError) -> Value {
        try Self.attempt { try pool.read { try body(DatabaseRecords($0)) } }
    }

    package func write<Value>(
        _ body: (any RegistryRecords) throws(RegistryError) -> Value
    ) throws(RegistryError) -> Value {
        try Self.attempt { try pool.write { try body(DatabaseRecords($0)) } }
    }

    package func probe() throws(RegistryError) {
        try Self.attempt {
            try pool.write { try $0.execute(sql: "UPDATE probe SET count = count + 1") }
        }
    }

    /// A setting of the writer's connection, such as `synchronous`; for the tests that watch over it.
    package func writerSetting(_ name: String) throws(RegistryError) -> String {
        try Self.attempt {
            try pool.writeWithoutTransaction { database in
                try String.fetchOne(database, sql: "PRAGMA \(name)") ?? ""
            }
        }
    }

    /// Copies the database into a file beside it, which goes with the copy.
    package func copy() throws(RegistryError) -> any RegistryStoring {
        let path = "\(self.path).copy-\(UInt64.random(in: 0...UInt64.max))"
        do {
            try copy(to: path)
            return try SQLiteStore(path: path, isCopy: true)
        } catch {
            Self.remove(path)
            throw error
        }
    }

    /// Copies the database as it is now into a new file, for backups.
    package func copy(to path: String) throws(RegistryError) {
        try Self.attempt {
            let copy = try DatabaseQueue(path: path)
            try pool.backup(to: copy)
            try copy.close()
        }
    }

    deinit {
        guard isCopy else { return }
        try? pool.close()
        Self.remove(path)
    }

    /// Removes a database file with the two that SQLite keeps beside it.
    private static func remove(_ path: String) {
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: path + suffix)
        }
    }

    /// Removes copies that a killed process left; only for who knows that no other process has the database open.
    package static func removeCopies(of path: String) {
        let file = URL(fileURLWithPath: path)
        let folder = file.deletingLastPathComponent().path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasPrefix(file.lastPathComponent + ".copy-") {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
    }

    /// Does something that GRDB may refuse, and says so in the registry's words.
    private static func attempt<Value>(
        _ body: () throws -> Value
    ) throws(RegistryError) -> Value {
        do {
            return try body()
        } catch let error as RegistryError {
            throw error
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
            throw .insufficientStorage
        } catch {
            throw .storage("database: \(error)")
        }
    }
}
