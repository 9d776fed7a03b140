import AgentCore
import CSQLite

/// A prepared statement with its values bound; finalised when it goes.
@safe final class Statement {
    private let statement: OpaquePointer
    private let database: OpaquePointer

    init(
        _ sql: String, _ values: [SQLite.Value], on database: OpaquePointer
    ) throws(JournalError) {
        var prepared: OpaquePointer?
        let code = unsafe sqlite3_prepare_v2(database, sql, -1, &prepared, nil)
        guard code == SQLITE_OK, let prepared = unsafe prepared else {
            throw unsafe JournalError(code, on: database)
        }
        unsafe statement = prepared
        unsafe self.database = database
        for (index, value) in values.enumerated() {
            let code = bind(value, at: Int32(index + 1))
            guard code == SQLITE_OK else { throw unsafe JournalError(code, on: database) }
        }
    }

    deinit {
        unsafe sqlite3_finalize(statement)
    }

    /// Goes on to the next row; false after the last.
    func step() throws(JournalError) -> Bool {
        let code = unsafe sqlite3_step(statement)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw unsafe JournalError(code, on: database)
        }
    }

    func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(statement, column) }

    /// The column's text; nil for NULL.
    func text(_ column: Int32) -> String? {
        guard let start = unsafe sqlite3_column_text(statement, column) else { return nil }
        let count = Int(unsafe sqlite3_column_bytes(statement, column))
        return unsafe String(
            decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    private func bind(_ value: SQLite.Value, at index: Int32) -> Int32 {
        switch value {
        case .integer(let number): unsafe sqlite3_bind_int64(statement, index, number)
        case .null: unsafe sqlite3_bind_null(statement, index)
        case .text(let text):
            // SQLITE_TRANSIENT: SQLite copies the bytes before the call returns.
            unsafe sqlite3_bind_text(
                statement, index, text, Int32(text.utf8.count),
                unsafeBitCast(-1, to: sqlite3_destructor_type.self))
        }
    }
}
