import AgentCore
import CSQLite

/// One connection to a SQLite database file, for one thread; closed when it goes.
///
/// WAL with `synchronous=FULL`: a transaction is durable when `COMMIT` returns.
@safe final class SQLite {
    private let handle: OpaquePointer

    /// Opens the file, made where it is missing, and sets the modes.
    ///
    /// - Parameters:
    ///   - path: absolute, or relative to the working directory.
    ///   - vfs: the name of a registered VFS; nil for SQLite's own.
    /// - Throws: `.inUse` where another process has it.
    init(path: String, vfs: String?) throws(JournalError) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX
        let code = unsafe sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_EXRESCODE, vfs)
        guard let opened = unsafe opened else {
            throw .database(code: code, message: "cannot open '\(path)'")
        }
        unsafe handle = opened
        guard code == SQLITE_OK else { throw failure(code) }
        // Locks are the state directory's: whoever meets a lock here is a second agent.
        try execute("PRAGMA locking_mode=EXCLUSIVE")
        try execute("PRAGMA journal_mode=WAL")
        // The log stays where it is at the end: a full disk has no room to make it anew.
        var keepsLog: Int32 = 1
        _ = unsafe sqlite3_file_control(handle, "main", SQLITE_FCNTL_PERSIST_WAL, &keepsLog)
        try execute("PRAGMA synchronous=FULL")
        try execute("PRAGMA foreign_keys=ON")
        try execute("PRAGMA journal_size_limit=1048576")
    }

    deinit {
        unsafe sqlite3_close_v2(handle)
    }

    /// Runs statements that give no rows.
    func execute(_ sql: String) throws(JournalError) {
        let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code) }
    }

    /// Runs all of `body` or none of it.
    func transaction(_ body: () throws(JournalError) -> Void) throws(JournalError) {
        try execute("BEGIN IMMEDIATE")
        do {
            try body()
            try execute("COMMIT")
        } catch {
            // The error that matters is the first; where the rollback fails too, the next BEGIN tells.
            _ = unsafe sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
            throw error
        }
    }

    /// Writes the log's pages into the file, so that the next transaction begins at the log's start again.
    ///
    /// Where that fails, the transaction meets the reason.
    func restartLog() {
        _ = unsafe sqlite3_exec(handle, "PRAGMA wal_checkpoint(RESTART)", nil, nil, nil)
    }

    /// Runs one statement with its values, and reads each row.
    func query<Row>(
        _ sql: String, _ values: [Value] = [], row: (Statement) -> Row
    ) throws(JournalError) -> [Row] {
        let statement = try unsafe Statement(sql, values, on: handle)
        var rows: [Row] = []
        while try statement.step() { rows.append(row(statement)) }
        return rows
    }

    /// Runs one statement that gives no rows.
    func run(_ sql: String, _ values: [Value] = []) throws(JournalError) {
        _ = try query(sql, values) { _ in () }
    }

    /// A value of a statement.
    enum Value {
        case integer(Int64)
        case text(String)
        case null
    }

    private func failure(_ code: Int32) -> JournalError {
        unsafe JournalError(code, on: handle)
    }
}

extension JournalError {
    /// Sorts SQLite's extended result code into what the agent tells apart.
    init(_ code: Int32, on handle: OpaquePointer) {
        switch code & 0xFF {
        case SQLITE_BUSY, SQLITE_LOCKED: self = .inUse
        case SQLITE_FULL: self = .full
        default:
            self = unsafe .database(code: code, message: String(cString: sqlite3_errmsg(handle)))
        }
    }

    /// Whether there may have been no room: to SQLite a spent quota is any failed write (os_unix.c, `unixWrite`).
    var meansNoRoom: Bool {
        switch self {
        case .full: true
        case .database(let code, _): code == SQLITE_IOERR | (3 << 8)  // SQLITE_IOERR_WRITE
        case .inUse: false
        }
    }

    /// `SQLITE_IOERR_READ`.
    static let readCode = SQLITE_IOERR | (1 << 8)

    /// Whether the disk could not read it: SQLITE_IOERR_READ, or SQLITE_IOERR_FSTAT.
    var isUnread: Bool {
        guard case .database(let code, _) = self else { return false }
        return [Self.readCode, SQLITE_IOERR | (7 << 8)].contains(code)
    }

    /// Whether the file is no database, or a damaged one.
    var isDamage: Bool {
        guard case .database(let code, _) = self else { return false }
        return [SQLITE_CORRUPT, SQLITE_NOTADB].contains(code & 0xFF)
    }
}
