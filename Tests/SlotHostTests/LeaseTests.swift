import AgentCore
import CPosixShims
import Glibc
import PosixFiles
import Primitives
import SlotHost
import Synchronization
import TestSupport
import Testing

struct LeaseTests {
    private let disk = Disk()

    private func running() throws -> (old: MemoryBundle, new: MemoryBundle, source: MemorySource) {
        let old = try MemoryBundle("1.0.0")
        let new = try MemoryBundle("1.1.0")
        let source = MemorySource([old, new])
        let slots = try disk.open()
        _ = try slots.stage(old.target, into: .a, from: source, until: Interrupt())
        _ = try slots.stage(new.target, into: .b, from: source, until: Interrupt())
        try slots.activate(.a)
        return (old, new, source)
    }

    @Test func `leases the active slot, with what the application needs to know`() throws {
        let (old, _, _) = try running()
        let slots = try disk.open()
        let lease = try #require(try slots.lease())
        #expect(lease.slot == .a)
        #expect(lease.bundle == old.target.reference)
        #expect(lease.path == disk.scratch.path("a"))
        #expect(try slots.survey().leases == PerSlot(a: .held, b: .free))
        withExtendedLifetime(lease) {}
    }

    @Test func `has nothing to lease where nothing is active, or what is active is damaged`() throws
    {
        #expect(try disk.open().lease() == nil)
        _ = try running()
        unsafe unlink(disk.scratch.path("a/tokens.txt"))
        #expect(try disk.open().lease() == nil)
    }

    @Test func `does not write a slot that an application holds, until it lets go`() throws {
        let (old, _, source) = try running()
        let next = try MemoryBundle("1.2.0")
        let slots = try disk.open()
        var lease = try slots.lease()
        #expect(lease != nil)
        try slots.activate(.b)
        let before = source.requests
        #expect(throws: SlotError.leased(.a, overdue: false)) {
            try slots.stage(next.target, into: .a, from: source, until: Interrupt())
        }
        try disk.requireBundle(old, in: .a)
        #expect(source.requests == before)
        lease = nil
        let other = MemorySource([next])
        _ = try slots.stage(next.target, into: .a, from: other, until: Interrupt())
        try disk.requireBundle(next, in: .a)
    }

    @Test func `says that a lease is overdue, counted from when the slot stopped being active`()
        throws
    {
        let (_, _, source) = try running()
        let next = try MemoryBundle("1.2.0")
        let lease = try disk.open().lease()
        try disk.open().activate(.b)
        let moved = try #require(try disk.status("current")).modifiedNanoseconds / 1_000_000_000
        #expect(try disk.open(now: moved + 60).survey().leases.a == .held)
        #expect(try disk.open(now: moved + 61).survey().leases.a == .overdue)
        #expect(throws: SlotError.leased(.a, overdue: true)) {
            try disk.open(now: moved + 61)
                .stage(next.target, into: .a, from: source, until: Interrupt())
        }
        // However long the active slot is held: that is what it is for.
        try disk.open().activate(.a)
        #expect(try disk.open(now: moved + 1_000_000).survey().leases.a == .held)
        withExtendedLifetime(lease) {}
    }

    @Test func `counts from the first look where no link tells since when`() throws {
        _ = try running()
        let time = Mutex<Int64>(1_000)
        let slots = try SlotFolder(
            Directory(opening: disk.scratch.path), leaseDeadline: 60,
            clock: { UTCTime(clamping: time.withLock { $0 }) })
        let lease = try slots.lease()
        try slots.activate(nil)
        #expect(try slots.survey().leases.a == .held)
        time.withLock { $0 += 61 }
        #expect(try slots.survey().leases.a == .overdue)
        withExtendedLifetime(lease) {}
    }

    @Test func `lasts until the other process closes the descriptor it was sent`() throws {
        _ = try running()
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        do {
            let lease = try #require(try disk.open().lease())
            var byte: UInt8 = 10
            #expect(unsafe cposix_send(ends[0], &byte, 1, lease.descriptor) == 1)
        }
        var byte: UInt8 = 0
        var received: Int32 = -1
        #expect(unsafe cposix_receive(ends[1], &byte, 1, &received) == 1)
        try #require(received >= 0)
        #expect(fcntl(received, F_GETFD) == FD_CLOEXEC)
        #expect(try disk.open().survey().leases.a == .held)
        close(received)
        #expect(try disk.open().survey().leases.a == .free)
    }

    @Test func `looks again where the link moved while it locked`() throws {
        let (_, new, _) = try running()
        let path = disk.scratch.path
        let mover = Mover(on: "a.lease") {
            let slots = try? SlotFolder(Directory(opening: path))
            try? slots?.activate(.b)
        }
        // Opening the folder touches the lease files once, before the mover listens.
        let slots = try disk.open(observer: mover)
        mover.listen()
        let lease = try #require(try slots.lease())
        #expect(lease.slot == .b)
        #expect(lease.bundle == new.target.reference)
        #expect(try slots.survey().leases == PerSlot(a: .free, b: .held))
    }

    // MARK: Without an agent

    private func reader(observer: (any SyscallObserving)? = nil) throws -> SlotReader {
        SlotReader(try Directory(opening: disk.scratch.path, observer: observer))
    }

    @Test
    func `leases without an agent what the agent would lease, and keeps it from being written`()
        throws
    {
        let (old, _, source) = try running()
        let slots = try disk.open()
        var lease = try reader().lease()
        #expect(lease?.slot == .a)
        #expect(lease?.bundle == old.target.reference)
        #expect(lease?.path == disk.scratch.path("a"))
        #expect(try slots.survey().leases == PerSlot(a: .held, b: .free))
        try slots.activate(.b)
        #expect(try slots.leftBehind().map(\.slot) == [.a])
        #expect(throws: SlotError.leased(.a, overdue: false)) {
            try slots.stage(
                MemoryBundle("1.2.0").target, into: .a, from: source, until: Interrupt())
        }
        lease = nil
        #expect(try slots.survey().leases == PerSlot(both: .free))
        #expect(try slots.leftBehind().isEmpty)
    }

    @Test func `makes, changes and removes nothing without an agent`() throws {
        #expect(try reader().lease() == nil)
        #expect(try disk.names().isEmpty)
        _ = try running()
        let before = try disk.names()
        let watcher = Killer()
        withExtendedLifetime(try reader(observer: watcher).lease()) {}
        let reading: Set<FileOperation> = [.open, .status, .read, .readlink, .lock]
        #expect(watcher.made.count > 5)
        #expect(
            watcher.made.allSatisfy { reading.contains($0.operation) && !$0.isMaking },
            "\(watcher.made)")
        #expect(try disk.names() == before)
    }

    @Test func `looks again without an agent, where the link moved while it locked`() throws {
        let (_, new, _) = try running()
        let path = disk.scratch.path
        let mover = Mover(on: "a.lease") {
            let slots = try? SlotFolder(Directory(opening: path))
            try? slots?.activate(.b)
        }
        mover.listen()
        let lease = try #require(try reader(observer: mover).lease())
        #expect(lease.bundle == new.target.reference)
    }

    @Test func `reads what a slot holds only under its lock`() throws {
        let (_, new, _) = try running()
        let newest = try MemoryBundle("1.2.0")
        let path = disk.scratch.path
        // By the time of the lock the slot was left, written anew and made active once more.
        let mover = Mover(on: "a.lease") {
            let slots = try? SlotFolder(Directory(opening: path))
            try? slots?.activate(.b)
            _ = try? slots?.stage(
                newest.target, into: .a, from: MemorySource([newest, new]), until: Interrupt())
            try? slots?.activate(.a)
        }
        mover.listen()
        let lease = try #require(try reader(observer: mover).lease())
        #expect(lease.slot == .a)
        #expect(lease.bundle == newest.target.reference)
    }

    @Test func `waits for who has the lease file alone for a moment, and not for ever`() throws {
        _ = try running()
        let slots = try disk.open()
        let file = try Directory(opening: disk.scratch.path).open(path("a.lease"), .reading)
        try #require(cposix_try_lock(file.descriptor, true) == 0)
        let busy = SlotError.system(operation: "lock", path: disk.scratch.path, errno: EBUSY)
        #expect(throws: busy) { try slots.lease() }
        #expect(throws: busy) { try reader().lease() }
        try #require(cposix_unlock(file.descriptor) == 0)
        #expect(try slots.lease()?.slot == .a)
    }

    @Test func `calls a slot free that the agent itself is writing`() throws {
        let (_, _, _) = try running()
        let next = try MemoryBundle("1.2.0")
        let source = MemorySource([next])
        let slots = try disk.open()
        let seen = Mutex<[SlotSurvey]>([])
        source.onPiece {
            let survey = try? slots.survey()
            seen.withLock { $0 += survey.map { [$0] } ?? [] }
        }
        _ = try slots.stage(next.target, into: .b, from: source, until: Interrupt())
        let surveys = seen.withLock { $0 }
        #expect(!surveys.isEmpty)
        for survey in surveys {
            #expect(survey.leases == PerSlot(both: .free))
            guard case .partial(next.target.reference, _) = survey.contents.b else {
                Issue.record("expected the bundle on its way, got \(survey.contents.b)")
                continue
            }
        }
    }

    @Test func `does not write the active slot`() throws {
        let (old, _, source) = try running()
        let next = try MemoryBundle("1.2.0")
        let path = disk.scratch.path("a")
        #expect(throws: SlotError.system(operation: "stage", path: path, errno: EBUSY)) {
            try disk.open().stage(next.target, into: .a, from: source, until: Interrupt())
        }
        try disk.requireBundle(old, in: .a)
    }
}

/// Does something once, just before a file is opened.
private final class Mover: SyscallObserving {
    private let suffix: String
    private let act: @Sendable () -> Void
    private let isArmed = Atomic(false)

    init(on suffix: String, _ act: @escaping @Sendable () -> Void) {
        self.suffix = suffix
        self.act = act
    }

    func listen() { isArmed.store(true, ordering: .releasing) }

    func verdict(on call: Syscall) -> SyscallVerdict {
        guard call.operation == .open, call.path.hasSuffix(suffix) else { return .proceed }
        if isArmed.exchange(false, ordering: .acquiringAndReleasing) { act() }
        return .proceed
    }
}
