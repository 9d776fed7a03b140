package import AgentCore
import CSQLite
package import PosixFiles
package import Primitives

/// The agent's journal and report queue in one SQLite file, `journal.db` in the state directory.
///
/// ```sql
/// CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL);
/// CREATE TABLE reports (sequence INTEGER PRIMARY KEY, series TEXT UNIQUE, body TEXT NOT NULL);
/// ```
///
/// `PRAGMA user_version` counts the migrations. A damaged file, or one that the disk has not read for an hour, is moved aside,
/// once, to `journal.db.damaged`, and a new journal begins: the agent then takes the slots as it finds them, and remembers what
/// `memory.json` says. On a full disk the log is used again from its start, and then `journal.reserve` is given up.
package final class Journal: Journaling {
    package static let fileName = "journal.db"
    package static let damagedName = "journal.db.damaged"

    private let database: SQLite
    private var ballast: Ballast
    private var memory: MemoryFile
    private let warn: (String) -> Void
    private var hasWarned = false
    /// Why an older journal was moved aside when this one was opened; nil where none was.
    package let damage: String?

    /// Opens the journal of a state directory.
    ///
    /// - Parameters:
    ///   - directory: the state directory.
    ///   - vfs: in tests, the name of the VFS through which SQLite reaches the disk; nil for its own.
    ///   - now: the time.
    ///   - warn: hears once of each trouble with `memory.json`, which fails nothing, and of reports that are dropped.
    /// - Throws: `.inUse` where another agent has it, and an I/O error where the disk cannot read it; damage is not thrown but
    ///   told by `damage`, and so is a disk that has not read it for an hour.
    package init(
        in directory: Directory, vfs: String? = nil, at now: UTCTime = SystemClock.now(),
        warn: @escaping (String) -> Void = { _ in }
    ) throws(JournalError) {
        let path = directory.path + "/" + Self.fileName
        let mark = UnreadMark(in: directory)
        do {
            database = try Self.openRead(path, in: directory, vfs: vfs)
            damage = nil
        } catch {
            guard error.isDamage || error.isUnread && mark.isOld(at: now) else { throw error }
            try Self.moveAside(in: directory)
            database = try Self.open(path, vfs: vfs)
            damage = "\(error)"
        }
        mark.remove()
        self.warn = warn
        memory = MemoryFile(in: directory)
        ballast = Ballast(in: directory)
        tellTrouble()
    }

    private func tellTrouble() {
        defer { hasWarned = memory.trouble != nil }
        guard let trouble = memory.trouble, !hasWarned else { return }
        warn("what outlives the journal is not kept: \(trouble)")
    }

    /// Opens a journal, and one that seems damaged once more: to SQLite's check a page that the disk could not read is a
    /// wrong one.
    ///
    /// - Throws: an I/O error, which is no damage, where the disk still cannot read it.
    private static func openRead(
        _ path: String, in directory: Directory, vfs: String?
    ) throws(JournalError) -> SQLite {
        do { return try open(path, vfs: vfs) } catch {
            guard error.isDamage else { throw error }
        }
        for suffix in ["", "-wal"] { try readThrough(name(fileName + suffix), in: directory) }
        return try open(path, vfs: vfs)
    }

    private static func readThrough(
        _ path: TargetPath, in directory: Directory
    ) throws(JournalError) {
        do {
            let file = try directory.open(path, .reading)
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            var offset: Int64 = 0
            while case let count = try file.read(into: &buffer, at: offset), count > 0 {
                offset += Int64(count)
            }
        } catch {
            guard error.isNotFound else {
                throw .database(
                    code: JournalError.readCode, message: "\(error)")
            }
        }
    }

    private static func open(_ path: String, vfs: String?) throws(JournalError) -> SQLite {
        let database = try SQLite(path: path, vfs: vfs)
        try migrate(database)
        // Reads every page once, so that damage shows now and not in the middle of a swap.
        let checks = try database.query("PRAGMA quick_check(1)") { $0.text(0) ?? "" }
        guard checks == ["ok"] else {
            throw .database(code: SQLITE_CORRUPT, message: checks.first ?? "no answer")
        }
        let rows = try database.query("SELECT json FROM state") { $0.text(0) ?? "" }
        if let row = rows.first { _ = try state(from: row) }
        return database
    }

    /// The schema's versions, oldest first; never changed once released.
    private static let migrations = [
        """
        CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL);
        CREATE TABLE reports (
            sequence INTEGER PRIMARY KEY, series TEXT UNIQUE, body TEXT NOT NULL);
        """
    ]

    private static func migrate(_ database: SQLite) throws(JournalError) {
        let version = try database.query("PRAGMA user_version") { $0.integer(0) }.first ?? 0
        guard version <= Int64(migrations.count) else {
            throw .database(
                code: SQLITE_NOTADB,
                message: "schema \(version) is newer than \(migrations.count), known here")
        }
        for (index, sql) in migrations.enumerated() where Int64(index) >= version {
            try database.transaction { () throws(JournalError) in
                try database.execute(sql)
                try database.execute("PRAGMA user_version=\(index + 1)")
            }
        }
    }

    /// Gives the file and its companions other names, over those of an earlier time, durably.
    private static func moveAside(in directory: Directory) throws(JournalError) {
        for suffix in ["", "-wal", "-shm"] {
            do {
                try directory.rename(name(fileName + suffix), to: name(damagedName + suffix))
            } catch {
                guard error.isNotFound else {
                    throw .database(code: SQLITE_IOERR, message: "\(error)")
                }
            }
        }
    }

    private static func name(_ text: String) -> TargetPath {
        guard let path = TargetPath(text) else { preconditionFailure("a name of ours: \(text)") }
        return path
    }

    private static func state(from text: String) throws(JournalError) -> JournalState {
        do {
            let json = try JSON(parsing: Array(text.utf8), limit: JournalState.byteLimit)
            return try JournalState(json)
        } catch {
            throw .database(code: SQLITE_CORRUPT, message: "state: \(error)")
        }
    }
}

// MARK: The port

extension Journal {
    package func load() throws(JournalError) -> JournalState? {
        let rows = try database.query("SELECT json FROM state") { $0.text(0) ?? "" }
        return try rows.first.map { row throws(JournalError) in try Self.state(from: row) }
    }

    package var lasting: LastingMemory? { memory.held }

    package func save(
        _ state: JournalState, queueing reports: [QueuedReport]
    ) throws(JournalError) {
        var dropped: Int64 = 0
        try change { () throws(JournalError) in
            try database.run(
                "INSERT INTO state VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json",
                [.text(state.json.text)])
            for report in reports { try queue(report) }
            if !reports.isEmpty { dropped = try shorten() }
        }
        if dropped > 0 {
            let limit = QueuedReport.queueLimit
            warn("\(limit) reports wait already: \(dropped) of the oldest are dropped")
        }
        memory.keep(LastingMemory(of: state))
        tellTrouble()
    }

    /// Makes a change in one transaction, on a full disk too.
    private func change(_ body: () throws(JournalError) -> Void) throws(JournalError) {
        do { try database.transaction(body) } catch {
            guard error.meansNoRoom else { throw error }
            try changeWithoutRoom(body)
        }
        ballast.refill()
        // While room is short, none of it goes into a longer log.
        if !ballast.isThere { database.restartLog() }
    }

    /// The log's own blocks are used again from its start; where they do not suffice, those of the ballast.
    private func changeWithoutRoom(
        _ body: () throws(JournalError) -> Void
    ) throws(JournalError) {
        database.restartLog()
        do { return try database.transaction(body) } catch {
            guard error.meansNoRoom, ballast.giveUp() else { throw error }
        }
        database.restartLog()
        try database.transaction(body)
    }

    package func giveUpReserve() -> Bool { ballast.giveUp() }

    private func queue(_ report: QueuedReport) throws(JournalError) {
        if let series = report.series {
            try database.run("DELETE FROM reports WHERE series = ?", [.text(series)])
        }
        try database.run(
            "INSERT OR REPLACE INTO reports VALUES (?, ?, ?)",
            [
                .integer(report.sequence), report.series.map { .text($0) } ?? .null,
                .text(report.body.text),
            ])
    }

    /// Beyond the bound the oldest events go, then the oldest of all; returns how many.
    private func shorten() throws(JournalError) -> Int64 {
        let count = try database.query("SELECT count(*) FROM reports") { $0.integer(0) }.first ?? 0
        let excess = count - Int64(QueuedReport.queueLimit)
        guard excess > 0 else { return 0 }
        try database.run(
            """
            DELETE FROM reports WHERE sequence IN
            (SELECT sequence FROM reports ORDER BY series IS NOT NULL, sequence LIMIT ?)
            """, [.integer(excess)])
        return excess
    }

    package func queue(limit: Int) throws(JournalError) -> [QueuedReport] {
        let rows = try database.query(
            "SELECT sequence, series, body FROM reports ORDER BY sequence LIMIT ?",
            [.integer(Int64(limit))]
        ) { (row: Statement) in
            (row.integer(0), row.text(1), row.text(2) ?? "")
        }
        var reports: [QueuedReport] = []
        for (sequence, series, text) in rows {
            do {
                let body = try JSON(parsing: Array(text.utf8), limit: JournalState.byteLimit)
                reports.append(QueuedReport(sequence: sequence, series: series, body: body))
            } catch {
                throw .database(code: SQLITE_CORRUPT, message: "report \(sequence): \(error)")
            }
        }
        return reports
    }

    package func dequeue(_ sequences: [Int64]) throws(JournalError) {
        guard !sequences.isEmpty else { return }
        try change { () throws(JournalError) in
            for sequence in sequences {
                try database.run(
                    "DELETE FROM reports WHERE sequence = ?", [.integer(sequence)])
            }
        }
    }

    /// What SQLite itself says of a setting, such as `synchronous`.
    package func setting(_ name: String) throws(JournalError) -> String {
        try database.query("PRAGMA \(name)") { $0.text(0) ?? "" }.first ?? ""
    }

    /// Runs statements of a test, such as one that damages the state.
    func execute(_ sql: String) throws(JournalError) { try database.execute(sql) }
}
