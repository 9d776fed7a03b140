import AgentCore
import Glibc
import Primitives
import Rollouts
import TestSupport
import Testing

@testable import AgentJournal

@Suite struct JournalTests {
    private let folder = ScratchFolder("journal")

    private static func bundle(_ minor: Int) throws -> BundleReference {
        BundleReference(
            version: try #require(SemanticVersion("1.\(minor).0")),
            sha256: try #require(SHA256Digest([UInt8](repeating: UInt8(minor % 250), count: 32))),
            length: 900)
    }

    private static func state(_ step: Int) throws -> JournalState {
        var state = JournalState(observation: Observation(epoch: UTCTime(clamping: 1_800_000_000)))
        state.machine.committed = try (0...step % 8).map { try bundle($0) }
        state.machine.isHeld = step.isMultiple(of: 2)
        state.machine.slots.active = step.isMultiple(of: 3) ? .a : .b
        state.trust.saw(
            planVersion: Int64(step),
            by: try #require(SHA256Digest([UInt8](repeating: 1, count: 32))))
        return state
    }

    private static func report(_ sequence: Int64, series: String? = nil) -> QueuedReport {
        QueuedReport(
            sequence: sequence, series: series, body: ["sequence": .integer(sequence)])
    }

    @Test func `is durable: write-ahead log, and a full sync at every commit`() throws {
        let journal = try Journal(in: folder.path)
        #expect(try journal.setting("journal_mode") == "wal")
        #expect(try journal.setting("synchronous") == "2")
        #expect(try journal.setting("user_version") == "1")
        #expect(journal.damage == nil)
    }

    @Test func `gives back what was saved last`() throws {
        do {
            let journal = try Journal(in: folder.path)
            #expect(try journal.load() == nil)
            for step in 0..<5 { try journal.save(Self.state(step), queueing: []) }
        }
        let journal = try Journal(in: folder.path)
        #expect(try journal.load() == Self.state(4))
    }

    /// As after a kill: the files as they are in the middle of a run, opened by another process.
    @Test func `a copy of the files after each save can be loaded, and has that save`() throws {
        let journal = try Journal(in: folder.path)
        for step in 0..<20 {
            let report = Self.report(Int64(step + 1))
            try journal.save(Self.state(step), queueing: [report])
            let copy = ScratchFolder("copy")
            for suffix in ["", "-wal"] {
                try copyFile(
                    folder.path(Journal.fileName + suffix), copy.path(Journal.fileName + suffix))
            }
            let other = try Journal(in: copy.path)
            #expect(other.damage == nil)
            #expect(try other.load() == Self.state(step), "step \(step)")
            #expect(try other.queue(limit: 100).count == step + 1)
        }
    }

    /// As after a power cut in the middle of a commit: the log ends anywhere.
    @Test func `a copy whose log was cut anywhere has an earlier save, whole`() throws {
        let journal = try Journal(in: folder.path)
        for step in 0..<4 { try journal.save(Self.state(step), queueing: []) }
        let log = try bytes(of: folder.path(Journal.fileName + "-wal"))
        var found: Set<Int64> = []
        for length in stride(from: 0, through: log.count, by: 509) {
            let copy = ScratchFolder("cut")
            try copyFile(folder.path(Journal.fileName), copy.path(Journal.fileName))
            try write(Array(log.prefix(length)), to: copy.path(Journal.fileName + "-wal"))
            let other = try Journal(in: copy.path)
            #expect(other.damage == nil, "cut at \(length)")
            guard let state = try other.load() else { continue }
            found.insert(state.trust.planVersion)
            #expect(try state == Self.state(Int(state.trust.planVersion)), "cut at \(length)")
        }
        #expect(found.count >= 3, "the cuts must have hit several saves")
    }

    @Test func `refuses a second agent`() throws {
        let journal = try Journal(in: folder.path)
        try journal.save(Self.state(1), queueing: [])
        #expect(throws: JournalError.inUse) { try Journal(in: folder.path) }
    }

    @Test(arguments: [
        "not a database at all, and longer than a header of one hundred bytes, which is what SQLite looks at",
        "",
    ])
    func `moves a file aside that it cannot read, and begins anew`(text: String) throws {
        try write(
            Array(text.utf8) + [UInt8](repeating: 7, count: text.isEmpty ? 0 : 9_000),
            to: folder.path(Journal.fileName))
        let journal = try Journal(in: folder.path)
        #expect((journal.damage == nil) == text.isEmpty, "an empty file is a new journal")
        #expect(try journal.load() == nil)
        if !text.isEmpty {
            let kept = try bytes(of: folder.path(Journal.damagedName))
            #expect(kept.starts(with: text.utf8))
        }
    }

    @Test func `moves a journal aside whose state is not one`() throws {
        do {
            let journal = try Journal(in: folder.path)
            try journal.save(Self.state(1), queueing: [])
            try journal.execute("UPDATE state SET json = '{}'")
        }
        let journal = try Journal(in: folder.path)
        #expect(journal.damage != nil)
        #expect(try journal.load() == nil)
        try journal.save(Self.state(2), queueing: [])
        #expect(try journal.load() == Self.state(2))
    }

    @Test func `moves a journal of a newer schema aside`() throws {
        do { try Journal(in: folder.path).execute("PRAGMA user_version=99") }
        let journal = try Journal(in: folder.path)
        #expect(journal.damage != nil)
        #expect(try journal.load() == nil)
    }

    @Test func `a newer report of a series takes the place of the older one`() throws {
        let journal = try Journal(in: folder.path)
        try journal.save(
            Self.state(1),
            queueing: [Self.report(1, series: "x"), Self.report(2), Self.report(3, series: "y")])
        try journal.save(Self.state(1), queueing: [Self.report(4, series: "x")])
        #expect(try journal.queue(limit: 10).map(\.sequence) == [2, 3, 4])
        try journal.dequeue([2, 4, 77])
        #expect(try journal.queue(limit: 10).map(\.sequence) == [3])
    }

    @Test func `the queue is bounded, and events stay longer than figures`() throws {
        let journal = try Journal(in: folder.path)
        let limit = Int64(Journal.queueLimit)
        let periodic = (1...20).map { Self.report($0, series: "s\($0)") }
        try journal.save(Self.state(1), queueing: periodic)
        let events = (21...limit + 10).map { Self.report($0) }
        try journal.save(Self.state(1), queueing: events)
        let kept = try journal.queue(limit: 10_000).map(\.sequence)
        #expect(kept.count == Journal.queueLimit)
        #expect(kept == Array(11...limit + 10))
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
