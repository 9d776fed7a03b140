import AgentCore
import PosixFiles
import Primitives
import Rollouts
import TestSupport
import Testing

@testable import AgentJournal

/// What a journal that is lost must not take with it.
struct LastingMemoryTests {
    private let folder = ScratchFolder("journal", isInMemory: true)

    private func directory() throws -> Directory { try Directory(opening: folder.path) }

    private func path(_ name: String) throws -> TargetPath { try #require(TargetPath(name)) }

    /// A state with all that lasts, and a passing trouble, which does not.
    private func state() throws -> JournalState {
        var state = try JournalState.sample(4)
        let bundles = state.machine.committed
        state.machine.trials.update(bundles[0], at: UTCTime(clamping: 7)) {
            $0.rejection = .crashedTwice
        }
        state.machine.trials.update(bundles[1], at: UTCTime(clamping: 8)) {
            $0.lastTrouble = .unreachable
        }
        state.machine.rollbackFloor = bundles[2].version
        state.trust.saw(timestampSignedAt: UTCTime(clamping: 1_900_000_000), by: bundles[0].sha256)
        state.trust.remember([
            Withdrawal(
                version: bundles[3].version, sha256: bundles[3].sha256,
                at: UTCTime(clamping: 1_900_000_001))
        ])
        return state
    }

    @Test func `a journal that is damaged leaves what must not be forgotten`() throws {
        let state = try state()
        do { try Journal(in: directory()).save(state, queueing: []) }
        try directory().replace(
            path(Journal.fileName), with: [UInt8](repeating: 7, count: 9_000))
        let journal = try Journal(in: directory())
        #expect(journal.damage != nil)
        #expect(try journal.load() == nil)
        let epoch = UTCTime(clamping: 1_950_000_000)
        let begun = JournalState(remembering: journal.lasting, epoch: epoch)
        #expect(begun.observation.epoch == epoch)
        #expect(begun.trust == state.trust)
        #expect(begun.machine.isHeld == state.machine.isHeld)
        #expect(begun.machine.rollbackFloor == state.machine.rollbackFloor)
        let rejected = state.machine.trials.trials.filter { $0.rejection != nil }
        #expect(!rejected.isEmpty)
        #expect(begun.machine.trials.trials == rejected)
        #expect(begun.machine.committed.isEmpty)
    }

    @Test func `is written where it changes, and only there`() throws {
        let journal = try Journal(in: directory())
        var state = try state()
        try journal.save(state, queueing: [])
        let first = try #require(try directory().status(path(MemoryFile.fileName)))
        state.machine.lastForwardSwap = UTCTime(clamping: 1_800_000_000)
        try journal.save(state, queueing: [])
        let second = try #require(try directory().status(path(MemoryFile.fileName)))
        #expect(first.isSameFile(as: second))
        state.machine.isHeld.toggle()
        try journal.save(state, queueing: [])
        let third = try #require(try directory().status(path(MemoryFile.fileName)))
        #expect(!second.isSameFile(as: third))
        #expect(journal.lasting == LastingMemory(of: state))
    }

    @Test(arguments: ["", "{}", "[1,2", #"{"schema":"fieldfare.memory/2"}"#])
    func `a file that is no memory is told, and written anew`(text: String) throws {
        try directory().replace(path(MemoryFile.fileName), with: Array(text.utf8))
        var told: [String] = []
        let journal = try Journal(in: directory()) { told.append($0) }
        #expect(told.count == 1)
        #expect(journal.lasting == nil)
        let state = try state()
        try journal.save(state, queueing: [])
        #expect(journal.lasting == LastingMemory(of: state))
        #expect(told.count == 1)
        let again = try Journal.lastingMemory(in: directory())
        #expect(again == LastingMemory(of: state))
    }

    @Test func `a folder in its place fails no commit`() throws {
        _ = try directory().makeFolders(path(MemoryFile.fileName))
        var told: [String] = []
        let journal = try Journal(in: directory()) { told.append($0) }
        for step in 1...3 { try journal.save(.sample(step), queueing: []) }
        #expect(try journal.load() == .sample(3))
        #expect(told.count == 1, "\(told)")
    }
}

extension Journal {
    fileprivate static func lastingMemory(in directory: Directory) throws -> LastingMemory? {
        MemoryFile(in: directory).held
    }
}
