package import AgentCore
import CSQLite
package import PosixFiles
import Primitives

extension Journal {
    /// Looks at the journal of a state directory that no agent uses now, reading every page; damage is not repaired.
    ///
    /// - Returns: what it holds; nil where there is no journal, or nothing in it.
    /// - Throws: `.inUse`, or what is wrong with it.
    package static func examine(in directory: Directory) throws(JournalError) -> JournalState? {
        guard let name = TargetPath(fileName), (try? directory.status(name)) != nil else {
            return nil
        }
        let database = try SQLite(path: directory.path + "/" + fileName, vfs: nil)
        let checks = try database.query("PRAGMA quick_check(1)") { $0.text(0) ?? "" }
        guard checks == ["ok"] else {
            throw .database(code: SQLITE_CORRUPT, message: checks.first ?? "no answer")
        }
        let rows = try database.query("SELECT json FROM state") { $0.text(0) ?? "" }
        guard let row = rows.first else { return nil }
        do {
            return try JournalState(
                JSON(parsing: Array(row.utf8), limit: JournalState.byteLimit))
        } catch {
            throw .database(code: SQLITE_CORRUPT, message: "state: \(error)")
        }
    }
}
