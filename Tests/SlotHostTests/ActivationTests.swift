import AgentCore
import Glibc
import PosixFiles
import Primitives
import Rollouts
import SlotHost
import Synchronization
import TestSupport
import Testing

struct ActivationTests {
    private let disk = Disk()

    /// Slot a holds 1.0.0 and is active, slot b holds 1.1.0.
    private func both() throws -> (slots: SlotFolder, old: MemoryBundle, new: MemoryBundle) {
        let old = try MemoryBundle("1.0.0", ["model.onnx": MemoryBundle.noise(9 << 20, seed: 1)])
        let new = try MemoryBundle("1.1.0", ["model.onnx": MemoryBundle.noise(9 << 20, seed: 2)])
        let source = MemorySource([old, new])
        let slots = try disk.open()
        _ = try slots.stage(old.target, into: .a, from: source, until: Interrupt())
        _ = try slots.stage(new.target, into: .b, from: source, until: Interrupt())
        try slots.activate(.a)
        return (slots, old, new)
    }

    @Test func `moves the link by one rename, there and back`() throws {
        let (slots, _, _) = try both()
        #expect(try slots.survey().active == .a)
        let killer = Killer()
        let observed = try disk.open(observer: killer)
        let before = killer.made.count
        try observed.activate(.b)
        let changes = killer.made[before...].filter {
            [.rename, .link, .unlink, .symlink, .mkdir, .write].contains($0.operation)
        }
        #expect(changes.map(\.operation) == [.symlink, .rename])
        #expect(try slots.survey().active == .b)
        try slots.activate(.a)
        #expect(try slots.survey().active == .a)
        try slots.activate(nil)
        #expect(try slots.survey().active == nil)
        #expect(try disk.names() == ["a", "a.lease", "b", "b.lease"])
        try slots.activate(nil)
    }

    @Test func `does not move the link where it names the slot already`() throws {
        let (slots, _, _) = try both()
        let inode = try disk.status("current")?.inode
        try slots.activate(.a)
        #expect(try disk.status("current")?.inode == inode)
    }

    @Test func `takes a link that names no slot for none`() throws {
        let (slots, _, _) = try both()
        for target in ["../a", "/etc", "c"] {
            unsafe unlink(disk.scratch.path("current"))
            try #require(unsafe symlink(target, disk.scratch.path("current")) == 0)
            #expect(try slots.survey().active == nil)
        }
        try slots.activate(.b)
        #expect(try slots.survey().active == .b)
    }

    @Test func `refuses a slot with a file missing, cut, or replaced by a link`() throws {
        let (slots, _, new) = try both()
        let file = disk.scratch.path("b/tokens.txt")
        let damages: [(String) -> Void] = [
            { unsafe unlink($0) },
            {
                unsafe unlink($0)
                _ = unsafe symlink("/etc/hostname", $0)
            },
            {
                unsafe unlink($0)
                close(unsafe open($0, O_WRONLY | O_CREAT, 0o444))
            },
        ]
        for damage in damages {
            damage(file)
            #expect(try slots.survey().contents.b == .damaged(new.target.reference))
            #expect(throws: SlotError.notWhole(.b)) { try slots.activate(.b) }
            #expect(try slots.survey().active == .a)
        }
    }

    // MARK: Verifying

    @Test func `verifies a slot that is as it was sealed`() throws {
        let (slots, old, new) = try both()
        try slots.verify(.a, holds: old.target.reference, until: Interrupt())
        try slots.verify(.b, holds: new.target.reference, until: Interrupt())
        #expect(throws: SlotError.interrupted) {
            let stop = Interrupt()
            stop.set()
            try slots.verify(.a, holds: old.target.reference, until: stop)
        }
        #expect(try slots.survey().contents.a == .whole(old.target.reference))
    }

    @Test func `finds one rotten bit, remembers it, and does not activate the slot`() throws {
        let (slots, _, new) = try both()
        try disk.rot("b/model.onnx", at: 5_000_000)
        #expect(try slots.survey().contents.b == .whole(new.target.reference))
        #expect(throws: SlotError.notWhole(.b)) {
            try slots.verify(.b, holds: new.target.reference, until: Interrupt())
        }
        let later = try disk.open()
        #expect(try later.survey().contents.b == .damaged(new.target.reference))
        #expect(throws: SlotError.notWhole(.b)) { try later.activate(.b) }
        try disk.rot("b/model.onnx", at: 5_000_000)
        try later.verify(.b, holds: new.target.reference, until: Interrupt())
        #expect(try later.survey().contents.b == .whole(new.target.reference))
    }

    @Test func `finds a rotten manifest, another bundle, and nothing at all`() throws {
        let (slots, old, new) = try both()
        #expect(throws: SlotError.notWhole(.b)) {
            try slots.verify(.b, holds: old.target.reference, until: Interrupt())
        }
        try slots.verify(.b, holds: new.target.reference, until: Interrupt())
        try disk.rot("b/manifest.json", at: 0)
        #expect(throws: SlotError.notWhole(.b)) {
            try slots.verify(.b, holds: new.target.reference, until: Interrupt())
        }
        #expect(try slots.survey().contents.b == .damaged(new.target.reference))
        let empty = Disk()
        #expect(throws: SlotError.notWhole(.a)) {
            try empty.open().verify(.a, holds: old.target.reference, until: Interrupt())
        }
        #expect(try empty.names() == ["a.lease", "b.lease"])
    }

    @Test(arguments: ["a/model.onnx", "a/manifest.json"])
    func `takes a file that cannot be read for rotten when an hour has not mended it`(
        name: String
    ) throws {
        let (_, old, _) = try both()
        let time = Mutex<Int64>(1_000)
        let block = BadBlock(path: name)
        let slots = try SlotFolder(
            Directory(opening: disk.scratch.path, observer: block),
            clock: { UTCTime(clamping: time.withLock { $0 }) })
        func verify(at seconds: Int64) throws {
            time.withLock { $0 = seconds }
            try slots.verify(.a, holds: old.target.reference, until: Interrupt())
        }
        let unread = SlotError.system(
            operation: "read", path: disk.scratch.path(name), errno: EIO)
        #expect(throws: unread) { try verify(at: 1_000) }
        #expect(throws: unread) { try verify(at: 4_000) }
        block.isReadable.withLock { $0 = true }
        try verify(at: 4_300)
        block.isReadable.withLock { $0 = false }
        #expect(throws: unread) { try verify(at: 5_000) }
        #expect(throws: unread) { try verify(at: 8_599) }
        #expect(try disk.open().survey().contents.a == .whole(old.target.reference))
        #expect(throws: SlotError.notWhole(.a)) { try verify(at: 8_600) }
        #expect(try disk.open().survey().contents.a == .damaged(old.target.reference))
    }

    @Test func `a manifest that cannot be read is neither none nor damaged`() throws {
        let (_, old, new) = try both()
        let slots = try disk.open(observer: BadBlock(path: "a/manifest.json"))
        #expect(
            try slots.survey().contents
                == PerSlot(a: .unreadable, b: .whole(new.target.reference)))
        let unread = SlotError.system(
            operation: "read", path: disk.scratch.path("a/manifest.json"), errno: EIO)
        #expect(throws: unread) { try slots.activate(.a) }
        #expect(throws: unread) { try slots.lease() }
        #expect(try disk.open().lease()?.bundle == old.target.reference)
    }

    @Test func `leaves nothing of a staging that began while the seal could not be read`() throws {
        let (_, old, _) = try both()
        try disk.open().activate(.b)
        let block = BadBlock(path: "a/manifest.json", .status)
        let slots = try disk.open(observer: block)
        let unread = SlotError.system(
            operation: "status", path: disk.scratch.path("a/manifest.json"), errno: EIO)
        let source = MemorySource([old])
        #expect(throws: unread) {
            try slots.stage(old.target, into: .a, from: source, until: Interrupt())
        }
        block.isReadable.withLock { $0 = true }
        let summary = try slots.stage(old.target, into: .a, from: source, until: Interrupt())
        #expect(summary == StagingSummary(fetchedBytes: 0, reusedBytes: 0))
        #expect(try disk.status("a.staging") == nil)
        try disk.requireBundle(old, in: .a)
    }

    @Test func `repairs rot by fetching the damaged chunk into a new file`() throws {
        let (slots, old, new) = try both()
        let inode = try #require(try disk.status("b/model.onnx")?.inode)
        try disk.rot("b/model.onnx", at: 5_000_000)
        #expect(throws: SlotError.notWhole(.b)) {
            try slots.verify(.b, holds: new.target.reference, until: Interrupt())
        }
        let source = MemorySource([new])
        let summary = try slots.stage(new.target, into: .b, from: source, until: Interrupt())
        #expect(
            summary == StagingSummary(fetchedBytes: 4 << 20, reusedBytes: new.length - (4 << 20)))
        try disk.requireBundle(new, in: .b)
        try disk.requireBundle(old, in: .a)
        #expect(try disk.status("b/model.onnx")?.inode != inode)
        try slots.activate(.b)
    }

    @Test func `fills the other slot from an active one that is rotten, and fetches what is`()
        throws
    {
        let (slots, old, _) = try both()
        try disk.rot("a/model.onnx", at: 1)
        #expect(throws: SlotError.notWhole(.a)) {
            try slots.verify(.a, holds: old.target.reference, until: Interrupt())
        }
        let source = MemorySource([old])
        let summary = try slots.stage(old.target, into: .b, from: source, until: Interrupt())
        #expect(summary.fetchedBytes == 4 << 20)
        try disk.requireBundle(old, in: .b)
        try slots.activate(.b)
        #expect(try slots.survey().active == .b)
    }

    // MARK: Room

    @Test func `counts what the idle slot would give back, and nothing that both slots share`()
        throws
    {
        let shared = MemoryBundle.noise(2 << 20, seed: 3)
        let old = try MemoryBundle("1.0.0", ["shared.bin": shared])
        let new = try MemoryBundle(
            "1.1.0", ["shared.bin": shared, "own.bin": MemoryBundle.noise(3 << 20, seed: 4)])
        let source = MemorySource([old, new])
        let slots = try disk.open()
        _ = try slots.stage(old.target, into: .a, from: source, until: Interrupt())
        _ = try slots.stage(new.target, into: .b, from: source, until: Interrupt())
        try slots.activate(.a)
        let folder = try Directory(opening: disk.scratch.path)
        let shares = try #require(try disk.status("b/shared.bin")?.links) == 2
        // Others write to this disk too, so the free bytes are read on both sides.
        let before = try folder.freeBytes()
        let available = try slots.availableBytes()
        let after = try folder.freeBytes()
        let expected: Int64 = shares ? 3 << 20 : 5 << 20
        #expect(available >= min(before, after) + expected - (1 << 20))
        #expect(available <= max(before, after) + expected + (1 << 20))
    }
}

/// One file of which nothing can be read.
private final class BadBlock: SyscallObserving {
    let isReadable = Mutex(false)
    private let path: String
    private let operation: FileOperation

    init(path: String, _ operation: FileOperation = .read) {
        self.path = path
        self.operation = operation
    }

    func verdict(on call: Syscall) -> SyscallVerdict {
        let isHit = call.operation == operation && call.path.hasSuffix(path)
        return isHit && !isReadable.withLock { $0 } ? .fail(errno: EIO) : .proceed
    }
}
