import AgentCore
import Cryptography
import Glibc
import ModelBundle
import PosixFiles
import Primitives
import SlotHost
import Synchronization
import TestSupport
import Testing

struct StagingTests {
    private let disk = Disk()

    @Test func `brings a bundle whole into an empty slot, and seals it`() throws {
        let bundle = try MemoryBundle("1.0.0")
        let source = MemorySource([bundle])
        let slots = try disk.open()
        #expect(try slots.survey() == SlotSurvey(active: nil, contents: PerSlot(both: .empty)))
        let summary = try slots.stage(bundle.target, into: .a, from: source, until: Interrupt())
        #expect(summary == StagingSummary(fetchedBytes: bundle.length, reusedBytes: 0))
        try disk.requireBundle(bundle, in: .a)
        #expect(try disk.names() == ["a", "a.lease", "b.lease"])
        #expect(try slots.survey().contents.a == .whole(bundle.target.reference))
        #expect(try slots.manifest(in: .a) == bundle.target)
        #expect(try slots.manifest(in: .b) == nil)
    }

    @Test func `fetches nothing for a slot that holds the bundle already`() throws {
        let bundle = try MemoryBundle("1.0.0")
        let source = MemorySource([bundle])
        let slots = try disk.open()
        _ = try slots.stage(bundle.target, into: .a, from: source, until: Interrupt())
        let before = source.requests
        let again = try slots.stage(bundle.target, into: .a, from: source, until: Interrupt())
        #expect(again == StagingSummary(fetchedBytes: 0, reusedBytes: 0))
        #expect(source.requests == before)
    }

    @Test func `fetches only what changed, and links the rest from the other slot`() throws {
        let old = try MemoryBundle("1.0.0")
        let new = try MemoryBundle("1.1.0", ["extra.txt": [7]])
        let source = MemorySource([old, new])
        let slots = try disk.open()
        _ = try slots.stage(old.target, into: .a, from: source, until: Interrupt())
        try slots.activate(.a)
        let summary = try slots.stage(new.target, into: .b, from: source, until: Interrupt())
        let changed = Int64("model 1.1.0".utf8.count + 1)
        #expect(summary == StagingSummary(fetchedBytes: changed, reusedBytes: new.length - changed))
        try disk.requireBundle(old, in: .a)
        try disk.requireBundle(new, in: .b)
        #expect(try disk.status("b/tokens.txt")?.inode != nil)
    }

    @Test func `keeps files of the slot's own old bundle that the new one also has`() throws {
        let first = try MemoryBundle("1.0.0", ["big.bin": MemoryBundle.noise(9 << 20, seed: 1)])
        let second = try MemoryBundle("1.1.0")
        let third = try MemoryBundle("1.2.0", ["big.bin": first.files["big.bin"]])
        let source = MemorySource([first, second, third])
        let slots = try disk.open()
        _ = try slots.stage(first.target, into: .a, from: source, until: Interrupt())
        _ = try slots.stage(second.target, into: .b, from: source, until: Interrupt())
        try slots.activate(.b)
        let summary = try slots.stage(third.target, into: .a, from: source, until: Interrupt())
        #expect(summary.fetchedBytes == Int64("model 1.2.0".utf8.count))
        try disk.requireBundle(third, in: .a)
    }

    @Test func `fetches only the chunks that the other slot's version does not have`() throws {
        var weights = MemoryBundle.noise(13 << 20, seed: 2)
        let old = try MemoryBundle("1.0.0", ["model.onnx": weights])
        weights[5 << 20] ^= 1
        let new = try MemoryBundle("1.1.0", ["model.onnx": weights])
        let source = MemorySource([old, new])
        let slots = try disk.open()
        _ = try slots.stage(old.target, into: .a, from: source, until: Interrupt())
        try slots.activate(.a)
        let summary = try slots.stage(new.target, into: .b, from: source, until: Interrupt())
        #expect(summary.fetchedBytes == 4 << 20)
        #expect(source.requests.last?.range == (4 << 20)..<(8 << 20))
        try disk.requireBundle(old, in: .a)
        try disk.requireBundle(new, in: .b)
    }

    @Test func `goes on within a chunk where the connection broke`() throws {
        let bundle = try MemoryBundle("1.0.0", ["model.onnx": MemoryBundle.noise(9 << 20, seed: 3)])
        let source = MemorySource([bundle])
        let broken = Int64(5 << 20) + 12_345
        source.breakOff(after: broken)
        #expect(throws: SlotError.fetch(.unreachable("reset"), of: path("model.onnx"))) {
            try disk.open().stage(bundle.target, into: .a, from: source, until: Interrupt())
        }
        #expect(
            try disk.open().survey().contents.a
                == .partial(bundle.target.reference, held: broken))
        #expect(try disk.open().manifest(in: .a) == bundle.target)
        _ = try disk.open().stage(bundle.target, into: .a, from: source, until: Interrupt())
        try disk.requireBundle(bundle, in: .a)
        #expect(source.sentBytes == bundle.length)
    }

    @Test(arguments: 0..<24 as Range<UInt64>)
    func `pays for no byte twice, however often the connection breaks`(seed: UInt64) throws {
        let disk = Disk(isInMemory: true)
        var random = SeededGenerator(seed: seed)
        let bundle = try MemoryBundle(
            "1.0.0",
            [
                "model.onnx": MemoryBundle.noise(
                    .random(in: 1...9_000_000, using: &random), seed: seed),
                "extra.bin": MemoryBundle.noise(
                    .random(in: 1...5_000_000, using: &random), seed: seed + 1),
            ])
        let source = MemorySource(
            [bundle], pieceLength: .random(in: 1_000...300_000, using: &random))
        var interruptions = 0
        while true {
            let most = Int64.random(in: 0...4_000_000, using: &random)
            source.breakOff(
                after: most,
                interruptions % 2 == 0 ? .interrupted : .busy(status: 503, retryAfter: 1))
            do {
                // A new object each time, as after a restart.
                _ = try disk.open().stage(bundle.target, into: .b, from: source, until: Interrupt())
                break
            } catch let error as SlotError {
                let busy = FetchError.busy(status: 503, retryAfter: 1)
                #expect(error == .interrupted || error.isFetch(busy))
                interruptions += 1
                try #require(interruptions < 1_000)
            }
        }
        try disk.requireBundle(bundle, in: .b)
        #expect(source.sentBytes == bundle.length, "\(interruptions) interruptions")
    }

    @Test func `stops soon after the interrupt is set, and keeps what came`() throws {
        let bundle = try MemoryBundle("1.0.0", ["model.onnx": MemoryBundle.noise(9 << 20, seed: 4)])
        let source = MemorySource([bundle])
        let stop = Interrupt()
        source.breakOff(after: 6 << 20, .interrupted)
        source.onPiece { if source.sentBytes > 5 << 20 { stop.set() } }
        #expect(throws: SlotError.interrupted) {
            try disk.open().stage(bundle.target, into: .a, from: source, until: stop)
        }
        let paid = source.sentBytes
        #expect(paid < (5 << 20) + (128 << 10))
        source.onPiece(nil)
        source.breakOff(after: .max)
        _ = try disk.open().stage(bundle.target, into: .a, from: source, until: Interrupt())
        #expect(source.sentBytes == bundle.length)
    }

    // MARK: A source that lies

    @Test func `asks once more for a chunk that came wrong`() throws {
        let bundle = try MemoryBundle("1.0.0", ["model.onnx": MemoryBundle.noise(9 << 20, seed: 5)])
        let source = MemorySource([bundle])
        let number = 2  // card.json and io.json come first
        source.tamper { request, offset, byte in
            request == number && offset == 5_000_000 ? byte ^ 1 : byte
        }
        let summary = try disk.open().stage(
            bundle.target, into: .a, from: source, until: Interrupt())
        try disk.requireBundle(bundle, in: .a)
        // The wrong chunk came whole, was refused there, and came again.
        #expect(summary.fetchedBytes >= bundle.length + (4 << 20))
        #expect(summary.fetchedBytes <= bundle.length + (4 << 20) + (64 << 10))
    }

    @Test func `refuses other bytes, names the chunk, and keeps none of them`() throws {
        let bundle = try MemoryBundle("1.0.0", ["model.onnx": MemoryBundle.noise(9 << 20, seed: 6)])
        let model = bundle.digest(of: "model.onnx")
        let source = MemorySource([bundle])
        source.tamper { _, offset, byte in offset == 5_000_000 ? byte ^ 1 : byte }
        var wrong = Array(try #require(bundle.files["model.onnx"])[(4 << 20)..<(8 << 20)])
        wrong[5_000_000 - (4 << 20)] ^= 1
        let file = try #require(bundle.target.manifest.file(at: path("model.onnx")))
        let expected = SlotError.wrongBytes(
            path: file.path, expected: file.chunks[1], found: SHA256.digest(of: wrong))
        #expect(throws: expected) {
            try disk.open().stage(bundle.target, into: .a, from: source, until: Interrupt())
        }
        #expect(source.requests.filter { $0.digest == model }.count == 2)
        #expect(try disk.status("a.staging/\(model).part")?.size == 4 << 20)
        guard case .partial(bundle.target.reference, _) = try disk.open().survey().contents.a else {
            Issue.record("expected the bundle on its way")
            return
        }
        #expect(throws: SlotError.notWhole(.a)) { try disk.open().activate(.a) }
    }

    @Test func `refuses a tampered end of a chunk whose beginning came before`() throws {
        let bundle = try MemoryBundle("1.0.0", ["model.onnx": MemoryBundle.noise(3 << 20, seed: 7)])
        let model = bundle.digest(of: "model.onnx")
        let source = MemorySource([bundle])
        source.breakOff(after: 1 << 20)
        #expect(throws: SlotError.self) {
            try disk.open().stage(bundle.target, into: .a, from: source, until: Interrupt())
        }
        #expect(try #require(try disk.status("a.staging/\(model).part")?.size) > 0)
        source.tamper { _, offset, byte in offset == 2_000_000 ? byte ^ 1 : byte }
        #expect {
            try disk.open().stage(bundle.target, into: .a, from: source, until: Interrupt())
        } throws: { error in
            guard case .wrongBytes = error as? SlotError else { return false }
            return true
        }
        #expect(try disk.status("a.staging/\(model).part")?.size == 0)
    }

    @Test func `refuses a manifest whose chunks are right and whose file digest is not`() throws {
        let other = SHA256.digest(of: [9])
        let honest = try MemoryBundle("1.0.0")
        let bundle = try MemoryBundle("1.0.0") { fields in
            guard case .array(var files)? = fields["files"] else { return }
            for index in files.indices where files[index]["path"] == "model.onnx" {
                guard case .object(var file) = files[index] else { return }
                file["sha256"] = .string(other.hex)
                files[index] = .object(file)
            }
            fields["files"] = .array(files)
        }
        let source = MemorySource([honest])
        source.offer(honest.files["model.onnx"] ?? [], as: other)
        #expect(
            throws: SlotError.wrongBytes(
                path: path("model.onnx"), expected: other,
                found: honest.digest(of: "model.onnx"))
        ) {
            try disk.open().stage(bundle.target, into: .a, from: source, until: Interrupt())
        }
        #expect(try disk.status("a.staging/\(other).part") == nil)
    }

    @Test func `refuses a source that sends more or less than it was asked for`() throws {
        let bundle = try MemoryBundle("1.0.0")
        let source = MemorySource([bundle])
        source.sendMore([1])
        #expect(throws: SlotError.fetch(.tooLong(limit: 2), of: path("card.json"))) {
            try disk.open().stage(bundle.target, into: .a, from: source, until: Interrupt())
        }
        source.sendMore([])
        source.sendLess(1)
        let short = FetchError.malformed("expected 8 bytes, got 7")
        #expect(throws: SlotError.fetch(short, of: path("io.json"))) {
            try disk.open().stage(bundle.target, into: .a, from: source, until: Interrupt())
        }
        source.sendLess(0)
        source.forget(bundle.digest(of: "model.onnx"))
        #expect(throws: SlotError.fetch(.notFound, of: path("model.onnx"))) {
            try disk.open().stage(bundle.target, into: .a, from: source, until: Interrupt())
        }
    }

    // MARK: The disk

    @Test
    func `finds out before the first byte that there is no room, and gives back what it reserved`()
        throws
    {
        let bundle = try MemoryBundle("1.0.0", ["model.onnx": MemoryBundle.noise(1 << 20, seed: 8)])
        let source = MemorySource([bundle])
        let slots = try disk.open(observer: FullDisk(after: 2))
        #expect {
            try slots.stage(bundle.target, into: .a, from: source, until: Interrupt())
        } throws: { error in
            guard case .insufficientStorage(let needed, let free) = error as? SlotError else {
                return false
            }
            return needed == bundle.length && free > 0
        }
        #expect(source.requests == [])
        let parts = try disk.names("a.staging").filter { $0.hasSuffix(".part") }
        #expect(!parts.isEmpty)
        for name in parts { #expect(try disk.status("a.staging/\(name)")?.allocatedBytes == 0) }
        _ = try disk.open().stage(bundle.target, into: .a, from: source, until: Interrupt())
        try disk.requireBundle(bundle, in: .a)
    }
}

/// Reserves a few times, and then no more, as a full disk does.
private final class FullDisk: SyscallObserving {
    private let rest: Mutex<Int>

    init(after count: Int) { rest = Mutex(count) }

    func verdict(on call: Syscall) -> SyscallVerdict {
        guard call.operation == .reserve else { return .proceed }
        return rest.withLock { rest in
            rest -= 1
            return rest < 0 ? .fail(errno: ENOSPC) : .proceed
        }
    }
}
