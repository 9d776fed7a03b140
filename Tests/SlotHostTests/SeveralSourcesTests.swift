import AgentCore
import Cryptography
import Glibc
import PosixFiles
import Primitives
import SlotHost
import Synchronization
import TestSupport
import Testing

/// Staging from several sources at once.
struct SeveralSourcesTests {
    private let disk = Disk()

    private func stage(
        _ bundle: MemoryBundle, from sources: [any Fetching], atMost limit: Int64? = nil,
        until stop: Interrupt = Interrupt()
    ) throws -> StagingSummary {
        // A new object each time, as after a restart.
        try disk.open().stage(
            bundle.target, into: .a, from: sources, atMost: limit, until: stop)
    }

    private func held() throws -> Int64 { try disk.open().survey().contents.a.heldBytes }

    /// Files of ten chunks, of two, and of few bytes; made once.
    private static let made = Result {
        try MemoryBundle(
            "1.0.0",
            [
                "model.onnx": MemoryBundle.noise((37 << 20) + 77, seed: 1),
                "second.bin": MemoryBundle.noise(5_000_000, seed: 2),
            ])
    }

    private static func bundle() throws -> MemoryBundle { try made.get() }

    @Test func `all of them bring chunks of one file at the same time`() throws {
        let bundle = try Self.bundle()
        let source = MemorySource([bundle])
        let model = bundle.digest(of: "model.onnx")
        // Nobody sends more of it before three have been asked for a part of it.
        source.onPiece {
            let start = SystemClock.monotonicNanoseconds()
            while source.requests.count > 2,
                source.requests.filter({ $0.digest == model }).count < 3,
                SystemClock.monotonicNanoseconds() - start < 20_000_000_000
            {
                SystemClock.pause(nanoseconds: 100_000)
            }
        }
        let summary = try stage(bundle, from: [source, source, source])
        #expect(summary == StagingSummary(fetchedBytes: bundle.length, reusedBytes: 0))
        try disk.requireBundle(bundle, in: .a)
        #expect(source.sentBytes == bundle.length)
        let parts = source.requests.filter { $0.digest == model }.map(\.range)
        #expect(parts.count == 3)
        #expect(parts.allSatisfy { $0.count <= 16 << 20 })
    }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func `a break costs each of them no more than a block`(seed: UInt64) throws {
        let disk = Disk(isInMemory: seed % 2 == 0)
        var random = SeededGenerator(seed: seed)
        let bundle = try Self.bundle()
        let source = MemorySource(
            [bundle], pieceLength: .random(in: 10_000...300_000, using: &random))
        var breaks = 0
        while true {
            let most = Int64.random(in: 0...8_000_000, using: &random)
            source.breakOff(after: most, breaks % 2 == 0 ? .interrupted : .unreachable("reset"))
            do {
                _ = try disk.open().stage(
                    bundle.target, into: .a, from: [source, source, source], atMost: nil,
                    until: Interrupt())
                break
            } catch let error as SlotError {
                #expect(error == .interrupted || error.isFetch(.unreachable("reset")))
                breaks += 1
                try #require(breaks < 200)
            }
        }
        try disk.requireBundle(bundle, in: .a)
        let extra = source.sentBytes - bundle.length
        #expect(extra >= 0)
        #expect(extra <= Int64(breaks * 3) * OpenFile.holeGrain, "\(breaks) breaks")
    }

    @Test func `the first that fails ends the others, and its word is told`() throws {
        let bundle = try Self.bundle()
        let (good, bad) = (MemorySource([bundle]), MemorySource([bundle]))
        bad.breakOff(after: 100_000, .busy(status: 503, retryAfter: 7))
        // The good one does not run ahead of it.
        good.onPiece {
            let start = SystemClock.monotonicNanoseconds()
            while bad.sentBytes < 100_000,
                SystemClock.monotonicNanoseconds() - start < 20_000_000_000
            {
                SystemClock.pause(nanoseconds: 100_000)
            }
        }
        let failure = FetchError.busy(status: 503, retryAfter: 7)
        #expect(throws: SlotError.fetch(failure, of: path("model.onnx"))) {
            try stage(bundle, from: [good, bad])
        }
        let sent = good.sentBytes + bad.sentBytes
        #expect(sent < bundle.length)
        #expect(try held() >= sent)
        #expect(try held() < sent + 2 * OpenFile.holeGrain)
        let summary = try stage(bundle, from: [good])
        #expect(summary.fetchedBytes <= bundle.length - sent + 2 * OpenFile.holeGrain)
        try disk.requireBundle(bundle, in: .a)
    }

    @Test func `other bytes of one are refused, and none of them are kept`() throws {
        let bundle = try Self.bundle()
        let model = bundle.digest(of: "model.onnx")
        let (good, bad) = (MemorySource([bundle]), MemorySource([bundle]))
        bad.tamper { _, offset, byte in offset % 4_194_304 == 77 ? byte ^ 1 : byte }
        good.onPiece {
            let start = SystemClock.monotonicNanoseconds()
            while !bad.requests.contains(where: { $0.digest == model }),
                good.requests.contains(where: { $0.digest == model }),
                SystemClock.monotonicNanoseconds() - start < 20_000_000_000
            {
                SystemClock.pause(nanoseconds: 100_000)
            }
        }
        #expect {
            try stage(bundle, from: [good, bad])
        } throws: { error in
            guard case .wrongBytes(let file, _, _) = error as? SlotError else { return false }
            return file == path("model.onnx")
        }
        // Both tries came to the end of the chunk, and of neither anything is there.
        let wrong = bad.requests.filter { $0.digest == model }.map(\.range.lowerBound)
        #expect(wrong.count == 2)
        let part = try Directory(opening: disk.scratch.path)
            .open(path("a.staging/\(model).part"), .reading)
        let chunk = try #require(wrong.last)
        #expect(try part.filledBytes(of: chunk..<(chunk + (4 << 20))) == 0)
        _ = try stage(bundle, from: [good, good])
        try disk.requireBundle(bundle, in: .a)
    }

    @Test func `a chunk that one has wrong once comes again`() throws {
        let bundle = try Self.bundle()
        let source = MemorySource([bundle])
        let once = Mutex(true)
        source.tamper { _, offset, byte in
            guard offset == 30_000_000 else { return byte }
            return once.withLock { once in
                defer { once = false }
                return once ? byte ^ 1 : byte
            }
        }
        let summary = try stage(bundle, from: [source, source, source])
        try disk.requireBundle(bundle, in: .a)
        #expect(summary.fetchedBytes >= bundle.length + (4 << 20))
        #expect(summary.fetchedBytes <= bundle.length + (4 << 20) + (64 << 10))
    }

    @Test func `what they may bring together is counted before the first is asked`() throws {
        let bundle = try Self.bundle()
        let source = MemorySource([bundle])
        let sources = [source, source, source]
        #expect(
            throws: SlotError.overBudget(needed: bundle.length, allowed: bundle.length - 1)
        ) {
            try stage(bundle, from: sources, atMost: bundle.length - 1)
        }
        #expect(source.requests == [])
        source.breakOff(after: 20_000_000)
        #expect {
            try stage(bundle, from: sources, atMost: bundle.length)
        } throws: {
            ($0 as? SlotError)?.isFetch(.unreachable("reset")) == true
        }
        let rest = bundle.length - source.sentBytes + 3 * OpenFile.holeGrain
        #expect(try stage(bundle, from: sources, atMost: rest).fetchedBytes <= rest)
        try disk.requireBundle(bundle, in: .a)
    }

    @Test func `all stop soon after the interrupt is set, and keep what came`() throws {
        let bundle = try Self.bundle()
        let source = MemorySource([bundle])
        let stop = Interrupt()
        source.onPiece { if source.sentBytes > 20 << 20 { stop.set() } }
        #expect(throws: SlotError.interrupted) {
            try stage(bundle, from: [source, source, source], until: stop)
        }
        let sent = source.sentBytes
        #expect(sent < (20 << 20) + 6 * (64 << 10))
        #expect(try held() >= sent)
        source.onPiece(nil)
        _ = try stage(bundle, from: [source, source, source])
        #expect(source.sentBytes <= bundle.length + 3 * OpenFile.holeGrain)
        try disk.requireBundle(bundle, in: .a)
    }

    @Test func `chunks that are right do not make a file that is not`() throws {
        let other = SHA256.digest(of: [9])
        let honest = try Self.bundle()
        let bundle = try MemoryBundle(
            "1.0.0", ["model.onnx": honest.files["model.onnx"], "second.bin": [1]]
        ) { fields in
            guard case .array(var files)? = fields["files"] else { return }
            for index in files.indices where files[index]["path"] == "model.onnx" {
                guard case .object(var file) = files[index] else { return }
                file["sha256"] = .string(other.hex)
                files[index] = .object(file)
            }
            fields["files"] = .array(files)
        }
        let source = MemorySource([honest, bundle])
        source.offer(honest.files["model.onnx"] ?? [], as: other)
        #expect(
            throws: SlotError.wrongBytes(
                path: path("model.onnx"), expected: other,
                found: honest.digest(of: "model.onnx"))
        ) {
            try stage(bundle, from: [source, source])
        }
        #expect(try disk.status("a.staging/\(other).part") == nil)
        #expect(try disk.status("a.staging/\(other)") == nil)
    }
}
