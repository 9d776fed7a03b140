import PosixFiles
import Primitives
import Synchronization

/// A file of which some chunks are there; which, their digests say, and where it has holes.
///
/// What is written becomes durable every second, so that a power cut costs no more than that to fetch again. Several
/// threads may write, each to chunks of its own.
final class PartFile: Sendable {
    private static let syncNanoseconds: Int64 = 1_000_000_000

    let file: OpenFile
    private struct Durability {
        var lastSync = SystemClock.monotonicNanoseconds()
        var isDirty = false
    }

    private let durability = Mutex(Durability())
    /// Held while the file changes, so that whoever cuts its end sees how long it is.
    private let changing = Mutex(())

    init(_ file: OpenFile) { self.file = file }

    /// Whether something was written that no sync has followed.
    var isDirty: Bool { durability.withLock { $0.isDirty } }

    func write(_ bytes: [UInt8], at offset: Int64) throws(FileError) {
        try changing.withLock { _ throws(FileError) in try file.write(bytes, at: offset) }
        durability.withLock { $0.isDirty = true }
    }

    /// Makes what was written durable, where that was last done a second ago.
    func syncIfDue() throws(FileError) {
        let now = SystemClock.monotonicNanoseconds()
        let isDue = durability.withLock {
            $0.isDirty && now - $0.lastSync >= Self.syncNanoseconds
        }
        if isDue { try sync() }
    }

    func sync() throws(FileError) {
        durability.withLock { $0.isDirty = false }
        try file.sync()
        durability.withLock { $0.lastSync = SystemClock.monotonicNanoseconds() }
    }

    /// Takes the bytes of a chunk away again, and keeps its room; `length` is that of the whole file.
    func forget(_ chunk: Range<Int64>, of length: Int64) throws(FileError) {
        try changing.withLock { _ throws(FileError) in
            if try file.size() <= chunk.upperBound {
                try file.truncate(to: min(file.size(), chunk.lowerBound))
                try file.reserve(length, from: chunk.lowerBound)
            } else if try file.punch(chunk) {
                try file.reserve(chunk.upperBound, from: chunk.lowerBound)
            }
            // Else they stay, and will not meet the digest.
        }
    }
}
