package import Primitives

/// A report that waits to be sent: unsigned, because the newest of a series may still take its place.
package struct QueuedReport: Sendable, Hashable {
    /// Reports that wait in a journal at most: some days of periodic ones.
    package static let queueLimit = 512

    /// Counts up over the life of the device key; never used twice.
    package let sequence: Int64
    /// What replaces what; nil for an event, which nothing replaces.
    ///
    /// Periodic reports are cumulative, so a newer one of the same series makes the older one useless.
    package let series: String?
    package let body: JSON

    package init(sequence: Int64, series: String?, body: JSON) {
        self.sequence = sequence
        self.series = series
        self.body = body
    }
}

/// Why the journal could not be read or written.
package enum JournalError: Error, Sendable, Hashable {
    /// Another process has it.
    case inUse
    case full
    /// The database's own code and word.
    case database(code: Int32, message: String)
}

extension JournalError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .inUse: "expected nobody else to use it, got another process"
        case .full: "expected room on the disk, got none"
        case .database(let code, let message): "the database failed: \(message) (SQLite \(code))"
        }
    }
}

/// The agent's memory: port of the agent, implemented by `AgentJournal` on SQLite and by memory in tests.
///
/// For one thread. What a call has written is durable when it returns, whole or not at all.
package protocol Journaling {
    /// What was saved last; nil for a new journal.
    func load() throws(JournalError) -> JournalState?

    /// What outlived a journal that was lost; for a journal that has saved nothing yet. Nil where there is none.
    var lasting: LastingMemory? { get }

    /// Replaces the state and queues reports, in one transaction.
    ///
    /// A report replaces the older one of its series. Beyond `QueuedReport.queueLimit` the oldest event goes, and then the
    /// oldest of all: periodic reports hold the sums of all turns, and are few.
    func save(_ state: JournalState, queueing reports: [QueuedReport]) throws(JournalError)

    /// Gives up the room that the journal holds for a full disk, to whoever writes next; false where it holds none.
    ///
    /// A `save` without room does so itself, and one that succeeds takes the room again.
    func giveUpReserve() -> Bool

    /// The oldest queued reports, at most `limit`, in order of their sequences.
    func queue(limit: Int) throws(JournalError) -> [QueuedReport]

    /// Forgets reports that the registry has taken or refused; unknown sequences are no error.
    func dequeue(_ sequences: [Int64]) throws(JournalError)
}
