import AgentCore
import Glibc
import PosixFiles
import Primitives
import Rollouts
import TestSupport
import Testing

@testable import AgentJournal

@Suite struct JournalTests {
    private let folder = ScratchFolder("journal")

    private static func report(_ sequence: Int64, series: String? = nil) -> QueuedReport {
        QueuedReport(
            sequence: sequence, series: series, body: ["sequence": .integer(sequence)])
    }

    @Test func `is durable: write-ahead log, and a full sync at every commit`() throws {
        let journal = try folder.journal()
        #expect(try journal.setting("journal_mode") == "wal")
        #expect(try journal.setting("synchronous") == "2")
        #expect(try journal.setting("user_version") == "1")
        #expect(journal.damage == nil)
    }

    @Test func `SQLite keeps the journal as the port asks`() throws {
        try JournalingSuite { JournalFolder() }.run()
    }

    /// As after a kill: the files as they are in the middle of a run, opened by another process.
    @Test func `a copy of the files after each save can be loaded, and has that save`() throws {
        let journal = try folder.journal()
        for step in 0..<20 {
            let report = Self.report(Int64(step + 1))
            try journal.save(.sample(step), queueing: [report])
            let copy = ScratchFolder("copy")
            for suffix in ["", "-wal"] {
                try copyFile(
                    folder.path(Journal.fileName + suffix), copy.path(Journal.fileName + suffix))
            }
            let other = try copy.journal()
            #expect(other.damage == nil)
            #expect(try other.load() == .sample(step), "step \(step)")
            #expect(try other.queue(limit: 100).count == step + 1)
        }
    }

    /// As after a power cut in the middle of a commit: the log ends anywhere.
    @Test func `a copy whose log was cut anywhere has an earlier save, whole`() throws {
        let journal = try folder.journal()
        for step in 0..<4 { try journal.save(.sample(step), queueing: []) }
        let log = try bytes(of: folder.path(Journal.fileName + "-wal"))
        var found: Set<Int64> = []
        for length in stride(from: 0, through: log.count, by: 509) {
            let copy = ScratchFolder("cut")
            try copyFile(folder.path(Journal.fileName), copy.path(Journal.fileName))
            try write(Array(log.prefix(length)), to: copy.path(Journal.fileName + "-wal"))
            let other = try copy.journal()
            #expect(other.damage == nil, "cut at \(length)")
            guard let state = try other.load() else { continue }
            found.insert(state.trust.planVersion)
            #expect(try state == .sample(Int(state.trust.planVersion)), "cut at \(length)")
        }
        #expect(found.count >= 3, "the cuts must have hit several saves")
    }

    @Test func `refuses a second agent`() throws {
        let journal = try folder.journal()
        try journal.save(.sample(1), queueing: [])
        #expect(throws: JournalError.inUse) { try folder.journal() }
    }

    @Test(arguments: [
        "not a database at all, and longer than a header of one hundred bytes, which is what SQLite looks at",
        "",
    ])
    func `moves a file aside that it cannot read, and begins anew`(text: String) throws {
        try write(
            Array(text.utf8) + [UInt8](repeating: 7, count: text.isEmpty ? 0 : 9_000),
            to: folder.path(Journal.fileName))
        let journal = try folder.journal()
        #expect((journal.damage == nil) == text.isEmpty, "an empty file is a new journal")
        #expect(try journal.load() == nil)
        if !text.isEmpty {
            let kept = try bytes(of: folder.path(Journal.damagedName))
            #expect(kept.starts(with: text.utf8))
        }
    }

    @Test func `moves a journal aside whose state is not one`() throws {
        do {
            let journal = try folder.journal()
            try journal.save(.sample(1), queueing: [])
            try journal.execute("UPDATE state SET json = '{}'")
        }
        let journal = try folder.journal()
        #expect(journal.damage != nil)
        #expect(try journal.load() == nil)
        try journal.save(.sample(2), queueing: [])
        #expect(try journal.load() == .sample(2))
    }

    @Test func `moves a journal of a newer schema aside`() throws {
        do { try folder.journal().execute("PRAGMA user_version=99") }
        let journal = try folder.journal()
        #expect(journal.damage != nil)
        #expect(try journal.load() == nil)
    }

    // MARK: Files

    private func bytes(of path: String) throws -> [UInt8] {
        let file = unsafe try #require(fopen(path, "r"))
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 8 << 20)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        return Array(bytes[..<count])
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let file = unsafe try #require(fopen(path, "w"))
        defer { unsafe fclose(file) }
        unsafe fwrite(bytes, 1, bytes.count, file)
    }

    private func copyFile(_ from: String, _ to: String) throws {
        try write(bytes(of: from), to: to)
    }
}

/// A journal's folder, with a database that can be kept from growing.
private struct JournalFolder: JournalUnderTest {
    private let folder = ScratchFolder("journal")

    func opened() throws -> Journal { try folder.journal() }

    /// SQLite takes a page count below the present one for the present one.
    func fill(_ journal: Journal) throws { try journal.execute("PRAGMA max_page_count=1") }

    func makeRoom(for journal: Journal) throws {
        try journal.execute("PRAGMA max_page_count=1000000")
    }
}

extension ScratchFolder {
    /// The journal in this folder, opened.
    fileprivate func journal() throws -> Journal { try Journal(in: Directory(opening: path)) }
}
