import AgentCore
import EffectTestSupport
import Glibc
import PosixFiles
import Primitives
import Synchronization
import TestSupport
import Testing

@testable import AgentJournal

/// What SQLite does to the disk for a journal: seen, and each call failed, cut short, and forgotten.
struct ObservedJournalTests {
    private let folder = ScratchFolder("journal", isInMemory: true)

    private var database: String { folder.path(Journal.fileName) }
    private var log: String { database + "-wal" }

    /// A journal whose every call, SQLite's and our own, goes through the observer.
    private func open(_ watch: Watch) throws -> Journal {
        try Journal(
            in: Directory(opening: folder.path, observer: watch),
            vfs: ObservedDatabases(watch).name)
    }

    @Test func `a journal begins with names that are made, and synced`() throws {
        let watch = Watch()
        try withExtendedLifetime(open(watch)) {
            let made = watch.made
            #expect(made.contains(Syscall(.open, database, isMaking: true)))
            #expect(made.contains(Syscall(.open, log, isMaking: true)))
            #expect(made.contains(Syscall(.sync, database)))
            #expect(made.contains(Syscall(.sync, log)))
            #expect(made.contains(Syscall(.sync, folder.path)))
        }
    }

    @Test func `a commit is writes of the log, and then a sync of it`() throws {
        let watch = Watch()
        let journal = try open(watch)
        for step in 0..<3 {
            let before = watch.made.count
            let length = try size(of: log)
            try journal.save(.sample(step), queueing: [])
            // What outlives the journal is written after it.
            let commit = watch.made[before...].prefix { $0.path.hasPrefix(database) }
            #expect(commit.last == Syscall(.sync, log), "step \(step)")
            let writes = commit.dropLast()
            #expect(writes.count > 1)
            var end = length
            for call in writes {
                #expect(call.operation == .write && call.path == log, "\(call)")
                #expect(call.range?.lowerBound == end)
                end = call.range?.upperBound ?? 0
            }
            #expect(try size(of: log) == end)
        }
    }

    @Test func `sees the log written back and cut, and leaves it for the next start`() throws {
        let watch = Watch()
        do {
            let journal = try open(watch)
            try journal.save(.sample(1), queueing: [])
            let before = watch.made.count
            try journal.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            let made = watch.made[before...].filter { $0.operation != .write }
            let length = try size(of: database)
            #expect(
                made == [
                    Syscall(.sync, log),
                    Syscall(.truncate, database, range: 0..<length),
                    Syscall(.sync, database), Syscall(.truncate, log, range: 0..<0),
                ])
        }
        // On a full disk a new one could not be made.
        #expect(!watch.made.contains(Syscall(.unlink, log)))
        #expect(try size(of: log) == 0)
    }

    @Test func `sees a damaged journal moved aside, before another is begun`() throws {
        let name = try #require(TargetPath(Journal.fileName))
        try Directory(opening: folder.path).replace(
            name, with: [UInt8](repeating: 7, count: 9_000))
        let watch = Watch()
        let journal = try open(watch)
        #expect(journal.damage != nil)
        let aside = folder.path(Journal.damagedName)
        let made = watch.made
        let first = try #require(
            made.firstIndex(of: Syscall(.rename, aside, other: database)))
        #expect(made[first + 1] == Syscall(.sync, folder.path))
        let begun = try #require(
            made[first...].firstIndex(of: Syscall(.open, database, isMaking: true)))
        #expect(first < begun)
    }

    @Test func `a read that fails at the start is no damage`() throws {
        let text = JSON.string(String(repeating: "x", count: 500))
        let reports = (1...60).map { QueuedReport(sequence: $0, series: nil, body: ["text": text]) }
        for last in 0... {
            let folder = ScratchFolder("journal", isInMemory: true)
            let directory = try Directory(opening: folder.path)
            try Journal(in: directory).save(.sample(1), queueing: reports)
            let watch = Watch(ofReads: true)
            watch.verdicts.withLock { $0 = [last: .fail(errno: EIO)] }
            var damage: String?
            do {
                let journal = try Journal(
                    in: Directory(opening: folder.path, observer: watch),
                    vfs: ObservedDatabases(watch).name)
                damage = journal.damage
                #expect(try journal.load() == .sample(1), "read \(last)")
            } catch JournalError.database(let code, _) {
                #expect(code & 0xFF == 10, "read \(last): SQLITE_IOERR")
            }
            #expect(damage == nil, "read \(last): \(watch.asked[last])")
            #expect(try Journal(in: directory).load() == .sample(1), "read \(last)")
            guard watch.asked.count > last else {
                #expect(last > 10)
                break
            }
        }
    }

    @Test func `a journal that the disk has not read for an hour is moved aside`() throws {
        let directory = try Directory(opening: folder.path)
        let mark = try #require(TargetPath(UnreadMark.fileName))
        try Journal(in: directory).save(.sample(1), queueing: [])
        let start = SystemClock.now()
        func damage(_ watch: Watch, after seconds: Int64) throws -> String? {
            try Journal(
                in: Directory(opening: folder.path, observer: watch),
                vfs: ObservedDatabases(watch).name, at: start + seconds
            ).damage
        }
        let bad = Watch(ofReads: true)
        bad.badBlock.withLock { $0 = database }
        for seconds: Int64 in [0, 3_500] {
            #expect(throws: JournalError.self) { try damage(bad, after: seconds) }
            #expect(try directory.status(mark) != nil)
        }
        // One start that can read it ends the hour.
        #expect(try damage(Watch(ofReads: true), after: 3_550) == nil)
        #expect(try directory.status(mark) == nil)
        #expect(throws: JournalError.self) { try damage(bad, after: 3_700) }
        #expect(try damage(bad, after: 3_700) != nil)
        #expect(try directory.status(mark) == nil)
        #expect(try Journal(in: directory).load() == nil)
    }

    @Test(arguments: [EIO, ENOSPC, EDQUOT])
    func `a sync that fails fails its commit, and a write is tried once more`(errno: Int32) throws {
        var failed: Set<FileOperation> = []
        for last in 0... {
            let watch = Watch()
            let folder = ScratchFolder("journal", isInMemory: true)
            let journal = try Journal(
                in: Directory(opening: folder.path), vfs: ObservedDatabases(watch).name)
            try journal.save(.sample(1), queueing: [])
            let index = watch.asked.count + last
            watch.verdicts.withLock { $0 = [index: .fail(errno: errno)] }
            let found: JournalError?
            let second = try JournalState.sample(2)
            do throws(JournalError) {
                try journal.save(second, queueing: [])
                found = nil
            } catch { found = error }
            let call = watch.asked.count > index ? watch.asked[index] : nil
            guard let call, call.path.hasPrefix(folder.path(Journal.fileName)) else { break }
            failed.insert(call.operation)
            // A write is tried once more, with the room that the journal has reserved.
            let isWritten = call.operation == .write
            #expect((found == nil) == isWritten, "\(call): \(String(describing: found))")
            #expect(try journal.load() == .sample(isWritten ? 2 : 1), "call \(last)")
            try journal.save(.sample(3), queueing: [])
            #expect(try journal.load() == .sample(3), "call \(last)")
        }
        #expect(failed == [.write, .sync])
    }

    @Test func `a write that is cut short is gone on with`() throws {
        let watch = Watch()
        let journal = try open(watch)
        watch.always.withLock { $0 = .atMost(100) }
        let before = watch.made.count
        try journal.save(.sample(1), queueing: [])
        let writes = watch.made[before...].filter { $0.operation == .write }
        #expect(writes.count > 40)
        #expect(try copiedState() == .sample(1))
    }

    @Test func `a log that forgets its writes has the commit before`() throws {
        let watch = Watch()
        let journal = try open(watch)
        try journal.save(.sample(1), queueing: [])
        let before = watch.made.count
        watch.always.withLock { $0 = .pretend }
        try journal.save(.sample(2), queueing: [])
        #expect(watch.made[before...].allSatisfy { !$0.path.hasPrefix(database) })
        #expect(try copiedState() == .sample(1))
    }

    // MARK: Files

    private func size(of path: String) throws -> Int64 {
        let name = try #require(path.split(separator: "/").last.flatMap { TargetPath(String($0)) })
        return try Directory(opening: folder.path).status(name)?.size ?? 0
    }

    /// What another process finds in the files as they are, as after a kill.
    private func copiedState() throws -> JournalState? {
        let copy = ScratchFolder("copy", isInMemory: true)
        let from = try Directory(opening: folder.path)
        let to = try Directory(opening: copy.path)
        for suffix in ["", "-wal"] {
            let name = try #require(TargetPath(Journal.fileName + suffix))
            try to.place(name, from: from, name, by: [.copy])
        }
        return try withExtendedLifetime(copy) { try Journal(in: to).load() }
    }
}

/// Writes down what it is asked and told, and answers as the test says.
private final class Watch: SyscallObserving {
    /// What happens to single calls, by their number from the first.
    let verdicts = Mutex<[Int: SyscallVerdict]>([:])
    /// What happens to all writes and syncs.
    let always = Mutex<SyscallVerdict?>(nil)
    /// The name of which no read succeeds, until it is renamed.
    let badBlock = Mutex<String?>(nil)
    private let calls = Mutex<(asked: [Syscall], made: [Syscall])>(([], []))
    /// Whether it looks at reads only, or at everything else.
    private let isOfReads: Bool

    init(ofReads isOfReads: Bool = false) { self.isOfReads = isOfReads }

    var asked: [Syscall] { calls.withLock { $0.asked } }
    var made: [Syscall] { calls.withLock { $0.made } }

    func verdict(on call: Syscall) -> SyscallVerdict {
        guard isOfReads == [.read, .status].contains(call.operation) else { return .proceed }
        let index = calls.withLock { calls in
            calls.asked.append(call)
            return calls.asked.count - 1
        }
        if let verdict = verdicts.withLock({ $0[index] }) { return verdict }
        if call.operation == .read, call.path == badBlock.withLock({ $0 }) {
            return .fail(errno: EIO)
        }
        let changes = call.operation == .write || call.operation == .sync
        return (changes ? always.withLock { $0 } : nil) ?? .proceed
    }

    func made(_ call: Syscall, _ answer: Int64) {
        calls.withLock { $0.made.append(call) }
        guard call.operation == .rename else { return }
        badBlock.withLock { $0 = call.other == $0 ? nil : $0 }
    }
}
