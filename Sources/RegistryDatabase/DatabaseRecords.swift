import Foundation
import GRDB
import Primitives
import RegistryCore

/// One transaction on the tables; each port has its verbs in a file of its own.
struct DatabaseRecords {
    let database: Database
    let attributes = AttributesMemory()

    init(_ database: Database) { self.database = database }

    // MARK: The three doors to SQL

    func execute(
        _ sql: String, _ arguments: StatementArguments = []
    ) throws(RegistryError) {
        try attempt { try database.cachedStatement(sql: sql).execute(arguments: arguments) }
    }

    /// Executes, and tells how many rows were changed.
    func count(
        changedBy sql: String, _ arguments: StatementArguments = []
    ) throws(RegistryError) -> Int {
        try execute(sql, arguments)
        return database.changesCount
    }

    func rows<Value>(
        _ sql: String, _ arguments: StatementArguments = [],
        _ read: (Row) throws(RegistryError) -> Value
    ) throws(RegistryError) -> [Value] {
        try attempt {
            let cursor = try Row.fetchCursor(
                try database.cachedStatement(sql: sql), arguments: arguments)
            var values: [Value] = []
            while let row = try cursor.next() { values.append(try read(row)) }
            return values
        }
    }

    func row<Value>(
        _ sql: String, _ arguments: StatementArguments = [],
        _ read: (Row) throws(RegistryError) -> Value
    ) throws(RegistryError) -> Value? {
        try rows(sql, arguments, read).first
    }

    private func attempt<Value>(_ body: () throws -> Value) throws(RegistryError) -> Value {
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

/// Reads a column into a type that cannot be wrong; what does not fit was damaged on disk.
extension Row {
    func parse<Text, Value>(
        _ column: String, _ make: (Text) -> Value?
    ) throws(RegistryError) -> Value where Text: DatabaseValueConvertible {
        guard let stored = Text.fromDatabaseValue(self[column]), let value = make(stored) else {
            throw .storage("database: column '\(column)' holds what it should not")
        }
        return value
    }

    func bytes(_ column: String) throws(RegistryError) -> [UInt8] {
        try parse(column) { (data: Data) in [UInt8](data) }
    }

    func time(_ column: String) throws(RegistryError) -> UTCTime {
        try parse(column) { (seconds: Int64) in UTCTime(seconds: seconds) }
    }

    func optionalTime(_ column: String) throws(RegistryError) -> UTCTime? {
        let value: DatabaseValue = self[column]
        return value.isNull ? nil : try time(column)
    }

    /// Reads a column of canonical JSON.
    func json<Value>(
        _ column: String, _ read: (JSON) throws(FieldError) -> Value
    ) throws(RegistryError) -> Value {
        let bytes: [UInt8] = try parse(column) { (text: String) in Array(text.utf8) }
        do {
            return try read(try JSON(parsing: bytes, limit: 16 << 20))
        } catch {
            throw .storage("database: column '\(column)' holds what it should not: \(error)")
        }
    }
}

/// What devices say of themselves, read once for each text: of a million devices few say different things.
final class AttributesMemory {
    private static let limit = 4_096
    private var known: [String: DeviceAttributes] = [:]

    func read(_ row: Row) throws(RegistryError) -> DeviceAttributes {
        let text: String = try row.parse("attributes") { $0 }
        if let attributes = known[text] { return attributes }
        let attributes = try row.json("attributes") { (json) throws(FieldError) in
            var fields = try Fields(json)
            return try DeviceAttributes(reading: &fields)
        }
        if known.count < Self.limit { known[text] = attributes }
        return attributes
    }
}

extension [UInt8] {
    var data: Data { Data(self) }
}

extension JSON {
    /// Canonical JSON as text.
    var canonicalText: String { String(decoding: canonicalBytes, as: UTF8.self) }
}
