import AgentCore
import PosixFiles
import Primitives
import Synchronization

/// Several sources that bring the chunks of all files at once, a thread for each.
///
/// They take runs of neighbouring chunks from one queue, in the order of the files. The first failure, theirs or the
/// caller's, stops all of them, and is the one that is thrown.
final class FetchCrew: Sendable {
    /// Chunks of one request: long enough that asking costs nothing, short enough that the sources end together.
    private static let longestRun = 4

    private struct State {
        /// What nobody has taken yet, last first.
        var queue: [(file: ComingFile, chunks: Range<Int>)]
        var failure: SlotError?
        var fetchedBytes: Int64 = 0
    }

    private let state: Mutex<State>
    private let stop: Interrupt
    private let bell = Bell()

    /// - Parameters:
    ///   - files: what must come, in this order.
    ///   - stop: ends the crew; what the crew does to its own interrupt, this one does not hear.
    init(for files: [ComingFile], until stop: Interrupt) {
        let runs = files.flatMap { file in
            file.runs(atMost: Self.longestRun).map { (file: file, chunks: $0) }
        }
        state = Mutex(State(queue: runs.reversed()))
        let own = Interrupt()
        self.stop = own
        let bell = bell
        stop.onSet { [weak own, weak bell] in
            own?.set()
            bell?.ring()
        }
    }

    /// Bytes that have come.
    var fetchedBytes: Int64 { state.withLock { $0.fetchedBytes } }

    /// Lets the sources work while `follow` does, and returns when all have ended.
    ///
    /// - Parameters:
    ///   - sources: at least one.
    ///   - follow: runs on this thread; it may `wait`, and what it throws stops the sources.
    /// - Throws: the first error.
    func run(
        _ sources: [any Fetching], follow: () throws(SlotError) -> Void
    ) throws(SlotError) {
        var threads: [JoinedThread] = []
        do throws(SlotError) {
            for source in sources {
                threads.append(try JoinedThread { [self] in work(from: source) })
            }
            try follow()
        } catch { fail(error) }
        for thread in threads { thread.join() }
        let failure = state.withLock { $0.failure }
        stop.set()  // Nobody listens to it any more; connections let go of it.
        if let failure { throw failure }
    }

    /// Waits until a source has written something, or all is over.
    ///
    /// - Throws: `.interrupted` where there is nothing more to wait for.
    func wait() throws(SlotError) {
        bell.wait()
        if stop.isSet { throw .interrupted }
    }

    private func work(from source: any Fetching) {
        var fetch = ChunkFetch(from: source, until: stop) { [bell] _ in bell.ring() }
        do throws(SlotError) {
            while !stop.isSet, let run = state.withLock({ $0.queue.popLast() }) {
                try fetch.fetch(run.chunks, of: run.file)
                bell.ring()
            }
            if stop.isSet { throw .interrupted }
        } catch { fail(error) }
        state.withLock { $0.fetchedBytes += fetch.fetchedBytes }
    }

    private func fail(_ error: SlotError) {
        state.withLock { state in
            if state.failure == nil { state.failure = error }
        }
        stop.set()
        bell.ring()
    }
}
