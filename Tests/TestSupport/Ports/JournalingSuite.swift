package import AgentCore
import Primitives
import Rollouts
import Testing

/// A journal of one test, and the disk below it.
package protocol JournalUnderTest {
    associatedtype Opened: Journaling

    /// Opens the journal as a process does that starts; the one opened before is gone by then.
    func opened() throws -> Opened

    /// Lets the disk be full: nothing that needs more room can be written.
    func fill(_ journal: Opened) throws

    /// Ends that.
    func makeRoom(for journal: Opened) throws
}

/// What every `Journaling` must do: run by the tests of memory and SQLite alike.
package struct JournalingSuite<Subject: JournalUnderTest> {
    private let make: () throws -> Subject

    /// - Parameter make: a new journal's place, in which nothing was ever saved.
    package init(make: @escaping () throws -> Subject) {
        self.make = make
    }

    private func report(_ sequence: Int64, series: String? = nil) -> QueuedReport {
        QueuedReport(
            sequence: sequence, series: series, body: ["sequence": .integer(sequence)])
    }

    private func sequences(_ journal: some Journaling) throws -> [Int64] {
        try journal.queue(limit: .max).map(\.sequence)
    }

    /// What was saved last is there after a restart, the queue with it.
    package func remembers() throws {
        let subject = try make()
        let body: JSON = ["text": "zwei \"Wörter\"\n\u{0}", "deep": [["list": [1, -2, .null]]]]
        let queued = QueuedReport(sequence: 7, series: "x", body: body)
        do {
            let journal = try subject.opened()
            #expect(try journal.load() == nil)
            #expect(try journal.queue(limit: 10) == [])
            for step in 0..<5 {
                try journal.save(.sample(step), queueing: step == 2 ? [queued] : [])
                #expect(try journal.load() == .sample(step))
            }
        }
        let journal = try subject.opened()
        #expect(try journal.load() == .sample(4))
        #expect(try journal.queue(limit: 10) == [queued])
        withExtendedLifetime(subject) {}
    }

    /// The queue is in order of sequences, whatever the order in which they came.
    package func ordersReports() throws {
        let subject = try make()
        let journal = try subject.opened()
        try journal.save(.sample(1), queueing: [report(5), report(3, series: "y")])
        try journal.save(.sample(1), queueing: [report(4), report(2)])
        #expect(try sequences(journal) == [2, 3, 4, 5])
        #expect(try journal.queue(limit: 2) == [report(2), report(3, series: "y")])
        #expect(try journal.queue(limit: 0) == [])
        withExtendedLifetime(subject) {}
    }

    /// A newer report of a series takes the older one's place; nothing takes an event's.
    package func replacesWithinASeries() throws {
        let subject = try make()
        let journal = try subject.opened()
        try journal.save(
            .sample(1), queueing: [report(1, series: "x"), report(2), report(3, series: "y")])
        try journal.save(.sample(1), queueing: [report(4, series: "x"), report(5)])
        #expect(try sequences(journal) == [2, 3, 4, 5])
        withExtendedLifetime(subject) {}
    }

    /// What is dequeued is gone, and stays gone; what is not there is no error.
    package func dequeues() throws {
        let subject = try make()
        do {
            let journal = try subject.opened()
            try journal.save(.sample(1), queueing: (1...4).map { report($0) })
            try journal.dequeue([2, 4, 77])
            try journal.dequeue([])
            #expect(try sequences(journal) == [1, 3])
        }
        #expect(try sequences(subject.opened()) == [1, 3])
    }

    /// Beyond the bound the oldest periodic reports go first, and then the oldest of all.
    package func isBounded() throws {
        let subject = try make()
        let journal = try subject.opened()
        let limit = Int64(QueuedReport.queueLimit)
        try journal.save(.sample(1), queueing: (1...4).map { report($0) })
        try journal.save(.sample(1), queueing: (5...24).map { report($0, series: "s\($0)") })
        try journal.save(.sample(1), queueing: (25...limit + 14).map { report($0) })
        // Sums stay, and of the events the newest.
        #expect(try sequences(journal) == Array(5...24) + Array(35...limit + 14))
        try journal.save(.sample(1), queueing: (limit + 15...limit + 26).map { report($0) })
        #expect(try sequences(journal) == Array(5...24) + Array(47...limit + 26))
        let first = limit + 27
        try journal.save(
            .sample(1), queueing: (first..<first + limit + 8).map { report($0, series: "t\($0)") })
        #expect(try sequences(journal) == Array(first + 8..<first + limit + 8))
        withExtendedLifetime(subject) {}
    }

    /// A save that finds no room has changed nothing, and succeeds when there is some.
    package func savesAllOrNothing() throws {
        let subject = try make()
        let journal = try subject.opened()
        try journal.save(.sample(1), queueing: [report(1, series: "x")])
        let large = QueuedReport(
            sequence: 2, series: "x",
            body: ["text": .string(String(repeating: "long ", count: 50_000))])
        try subject.fill(journal)
        #expect(throws: JournalError.full) { try journal.save(.sample(2), queueing: [large]) }
        #expect(try journal.load() == .sample(1))
        #expect(try journal.queue(limit: 10) == [report(1, series: "x")])
        try subject.makeRoom(for: journal)
        try journal.save(.sample(2), queueing: [large])
        #expect(try journal.load() == .sample(2))
        #expect(try journal.queue(limit: 10) == [large])
        withExtendedLifetime(subject) {}
    }

    /// All of it.
    package func run() throws {
        try remembers()
        try ordersReports()
        try replacesWithinASeries()
        try dequeues()
        try isBounded()
        try savesAllOrNothing()
    }
}

extension JournalState {
    /// A state with something in it, another one for each of many steps.
    package static func sample(_ step: Int) throws -> JournalState {
        var state = JournalState(observation: Observation(epoch: UTCTime(clamping: 1_800_000_000)))
        state.machine.committed = try (0...step % 8).map { minor in
            BundleReference(
                version: try #require(SemanticVersion("1.\(minor).0")),
                sha256: try #require(SHA256Digest([UInt8](repeating: UInt8(minor), count: 32))),
                length: 900)
        }
        state.machine.isHeld = step.isMultiple(of: 2)
        state.machine.slots.active = step.isMultiple(of: 3) ? .a : .b
        state.trust.saw(
            planVersion: Int64(step),
            by: try #require(SHA256Digest([UInt8](repeating: 1, count: 32))))
        return state
    }
}
