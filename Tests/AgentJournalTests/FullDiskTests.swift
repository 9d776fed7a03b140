import AgentCore
import EffectTestSupport
import Glibc
import PosixFiles
import Primitives
import TestSupport
import Testing

@testable import AgentJournal

/// A device whose disk is full must still be able to go back, and remember it.
struct FullDiskTests {
    private let folder = ScratchFolder("journal", isInMemory: true)

    private func open(_ disk: SmallDisk) throws -> Journal {
        try Journal(
            in: Directory(opening: folder.path, observer: disk),
            vfs: ObservedDatabases(disk).name)
    }

    private static func report(_ sequence: Int64) -> QueuedReport {
        QueuedReport(
            sequence: sequence, series: nil,
            body: ["text": .string(String(repeating: "figures ", count: 250))])
    }

    private func reserve() throws -> Int64? {
        let name = try #require(TargetPath(Ballast.fileName))
        return try Directory(opening: folder.path).status(name)?.allocatedBytes
    }

    /// More saves and larger ones than a full queue of reports makes.
    @Test(arguments: [ENOSPC, EDQUOT])
    func `a full disk stops no commit of a journal that had its reserve`(errno: Int32) throws {
        let disk = SmallDisk(errno: errno)
        let journal = try open(disk)
        try journal.save(.sample(0), queueing: [])
        #expect(try reserve() == Ballast.byteCount)
        disk.fill()
        for step in 1...700 {
            try journal.save(.sample(step), queueing: [Self.report(Int64(step))])
        }
        #expect(try reserve() == nil, "the room went to the journal")
        #expect(try journal.load() == .sample(700))
        #expect(try journal.queue(limit: .max).count == QueuedReport.queueLimit)
        try journal.dequeue(Array(1...700))
        #expect(try journal.queue(limit: 1) == [])
        disk.makeRoom()
        try journal.save(.sample(701), queueing: [])
        #expect(try reserve() == Ballast.byteCount, "it is taken again")
    }

    @Test func `a full disk stops a journal whose reserve is gone, and loses nothing`() throws {
        let disk = SmallDisk()
        let journal = try open(disk)
        try journal.save(.sample(1), queueing: [])
        #expect(journal.giveUpReserve())
        #expect(!journal.giveUpReserve())
        disk.fill()
        let large = (1...400).map { Self.report(Int64($0)) }
        #expect(throws: JournalError.full) { try journal.save(.sample(2), queueing: large) }
        #expect(try journal.load() == .sample(1))
        #expect(try journal.queue(limit: 1) == [])
    }

    @Test func `a journal is opened and written on a full disk`() throws {
        let disk = SmallDisk()
        do { try open(disk).save(.sample(1), queueing: []) }
        disk.fill()
        let journal = try open(disk)
        #expect(journal.damage == nil)
        #expect(try journal.load() == .sample(1))
        try journal.save(.sample(2), queueing: [Self.report(1)])
        #expect(try journal.load() == .sample(2))
    }
}
