package import AgentCore
import Primitives

/// A journal in memory that keeps its bytes, so that what cannot be written and read back shows.
///
/// `JournalingSuite` holds it to the port.
package final class MemoryJournal: Journaling, JournalUnderTest {
    private var text: String?
    private var reports: [QueuedReport] = []
    /// What every further `save` and `dequeue` fails with; nil ends it.
    package var failure: JournalError?

    /// What outlives the journal.
    package private(set) var lasting: LastingMemory?

    package init() {}

    /// As after damage: the journal is begun anew.
    package func lose() {
        text = nil
        reports = []
    }

    /// Whether there is a reserve to give up.
    package var hasReserve = false

    package func giveUpReserve() -> Bool {
        defer { hasReserve = false }
        return hasReserve
    }

    package func opened() -> MemoryJournal { self }
    package func fill(_ journal: MemoryJournal) { failure = .full }
    package func makeRoom(for journal: MemoryJournal) { failure = nil }

    package func load() throws(JournalError) -> JournalState? {
        guard let text else { return nil }
        do {
            return try JournalState(
                try JSON(parsing: Array(text.utf8), limit: JournalState.byteLimit))
        } catch { throw .database(code: 11, message: "\(error)") }
    }

    package func save(
        _ state: JournalState, queueing queued: [QueuedReport]
    ) throws(JournalError) {
        if let failure { throw failure }
        text = state.json.text
        lasting = LastingMemory(of: state)
        for report in queued {
            reports.removeAll {
                $0.sequence == report.sequence
                    || (report.series != nil && $0.series == report.series)
            }
            reports.append(report)
        }
        reports.sort { $0.sequence < $1.sequence }
        while reports.count > QueuedReport.queueLimit {
            reports.remove(at: reports.firstIndex { $0.series == nil } ?? 0)
        }
    }

    package func queue(limit: Int) throws(JournalError) -> [QueuedReport] {
        Array(reports.prefix(limit))
    }

    package func dequeue(_ sequences: [Int64]) throws(JournalError) {
        if let failure { throw failure }
        reports.removeAll { sequences.contains($0.sequence) }
    }
}
