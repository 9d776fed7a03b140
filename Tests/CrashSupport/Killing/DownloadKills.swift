import AgentCore
import CCrashShims
import Glibc
import PosixFiles
import Primitives
import SlotHost
import Synchronization
import TestSupport

/// Kills a process, really, in the middle of a download from several sources, again and again, and counts what comes twice.
package struct DownloadKills {
    private static let sources = 3
    /// What a kill may cost each source: a piece that is in memory, and a block that may be filled in part.
    private static let mostLost: Int64 = (256 << 10) + (64 << 10)

    /// How many kills.
    package let kills: Int

    package init(kills: Int) { self.kills = kills }

    /// - Returns: one line with the numbers, and what was found.
    /// - Throws: `StoryError` where nothing can be tried.
    package func run() throws -> (line: String, failures: [String]) {
        var random = SeededGenerator(seed: 1)
        let bundle = try MemoryBundle(
            "1.0.0",
            [
                "model.onnx": MemoryBundle.noise(60_000_001, seed: 1),
                "second.bin": MemoryBundle.noise(5_000_003, seed: 2),
            ])
        let scratch = try Scratch()
        let sent = try SharedCount()
        var done = 0
        while done < kills, sent.value < bundle.length - (8 << 20) {
            let limit = sent.value + .random(in: 0...1_500_000, using: &random)
            let (ending, sights) = try Mortal.run { _ in
                try Self.stage(bundle, in: scratch.path, sent, until: limit)
            }
            guard ending == .signalled(9) else {
                return ("downloads: 1 failure", ["ended by \(ending): \(sights)"])
            }
            done += 1
        }
        let (ending, sights) = try Mortal.run { _ in
            try Self.stage(bundle, in: scratch.path, sent, until: .max)
        }
        let extra = sent.value - bundle.length
        var failures: [String] = []
        if ending != .exited(0) { failures.append("did not end: \(ending), \(sights)") }
        if extra > Int64(done * Self.sources) * Self.mostLost {
            failures.append("more came twice than a kill may cost: \(extra) bytes")
        }
        let line =
            "downloads: \(done) kills, \(bundle.length) bytes, of which \(extra) came twice, "
            + "\(failures.count) failures"
        return (line, failures)
    }

    private static func stage(
        _ bundle: MemoryBundle, in folder: String, _ sent: SharedCount, until limit: Int64
    ) throws {
        let slots = try SlotFolder(Directory(opening: folder))
        let source = MemorySource([bundle], pieceLength: 16 << 10)
        let sources = (0..<sources).map { _ in
            MortalSource(base: source, sent: sent, limit: limit)
        }
        _ = try slots.stage(
            bundle.target, into: .a, from: sources, atMost: nil, until: Interrupt())
        try slots.verify(.a, holds: bundle.target.reference, until: Interrupt())
    }
}

/// Ends this process once so many bytes have come.
private struct MortalSource: Fetching {
    let base: MemorySource
    let sent: SharedCount
    let limit: Int64

    func metadata(
        _ name: String, limit: Int, until stop: Interrupt
    ) throws(FetchError) -> [UInt8]? {
        try base.metadata(name, limit: limit, until: stop)
    }

    func target(
        _ path: TargetPath, limit: Int, until stop: Interrupt
    ) throws(FetchError) -> [UInt8] {
        try base.target(path, limit: limit, until: stop)
    }

    func blob(
        _ digest: SHA256Digest, range: Range<Int64>, until stop: Interrupt,
        into sink: (RawSpan) -> Bool
    ) throws(FetchError) {
        try base.blob(digest, range: range, until: stop) { piece in
            let goesOn = sink(piece)
            if sent.add(Int64(piece.byteCount)) >= limit { crash_kill() }
            return goesOn
        }
    }
}

/// A count that a process and its children share.
@safe private final class SharedCount: Sendable {
    // Unsafe for the compiler only: set once; a process writes under its lock, and its parent waits meanwhile.
    nonisolated(unsafe) private let place: UnsafeMutablePointer<Int64>
    private let lock = Mutex(())

    init() throws {
        let flags = MAP_SHARED | MAP_ANONYMOUS
        guard let page = unsafe mmap(nil, 4_096, PROT_READ | PROT_WRITE, flags, -1, 0),
            unsafe page != MAP_FAILED
        else { throw StoryError("no shared memory") }
        unsafe place = page.bindMemory(to: Int64.self, capacity: 1)
    }

    deinit { unsafe munmap(place, 4_096) }

    var value: Int64 { lock.withLock { _ in unsafe place.pointee } }

    func add(_ count: Int64) -> Int64 {
        lock.withLock { _ in
            unsafe place.pointee += count
            return unsafe place.pointee
        }
    }
}
