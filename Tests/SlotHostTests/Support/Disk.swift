import AgentCore
import Glibc
import PosixFiles
import Primitives
import SlotHost
import Synchronization
import TestSupport
import Testing

/// A path that is known to be good.
func path(_ text: String) -> TargetPath { MemoryBundle.path(text) }

/// A slots folder of one test's own, looked at and damaged behind the back of the code under test.
struct Disk {
    let scratch: ScratchFolder

    init(isInMemory: Bool = false) {
        scratch = ScratchFolder("slots", isInMemory: isInMemory)
    }

    func open(
        observer: (any SyscallObserving)? = nil, now: Int64 = 1_000
    ) throws -> SlotFolder {
        let clock = UTCTime(clamping: now)
        return try SlotFolder(
            Directory(opening: scratch.path, observer: observer), leaseDeadline: 60,
            clock: { clock })
    }

    func content(_ name: String) throws -> [UInt8]? {
        try Directory(opening: scratch.path).readIfPresent(path(name), limit: 64 << 20)
    }

    func names(_ folder: String = "") throws -> [String] {
        let directory = try Directory(opening: scratch.path(folder))
        return try directory.list().map(\.name)
    }

    func status(_ name: String) throws -> FileStatus? {
        try Directory(opening: scratch.path).status(path(name))
    }

    /// Changes one byte of a file that nobody may write, as a rotten disk would: under every name of it.
    func rot(_ name: String, at offset: Int) throws {
        let file = scratch.path(name)
        try #require(unsafe chmod(file, 0o644) == 0)
        let handle = try Directory(opening: scratch.path).open(path(name), .writing)
        let byte = try handle.read(Int64(offset)..<Int64(offset + 1))[0]
        try handle.write([byte ^ 0xFF], at: Int64(offset))
        try #require(unsafe chmod(file, 0o444) == 0)
    }

    /// Requires that a slot's folder holds exactly this bundle, byte for byte, and that nobody may write it.
    func requireBundle(_ bundle: MemoryBundle, in slot: Slot) throws {
        var found: [String: [UInt8]] = [:]
        try collect("\(slot)", into: &found)
        #expect(found.removeValue(forKey: "manifest.json") == bundle.target.bytes)
        #expect(Set(found.keys) == Set(bundle.files.keys))
        for (name, bytes) in bundle.files {
            #expect(found[name] == bytes, "\(name)")
            #expect(try status("\(slot)/\(name)")?.mode == 0o444, "\(name)")
        }
    }

    private func collect(_ folder: String, into found: inout [String: [UInt8]]) throws {
        for entry in try Directory(opening: scratch.path(folder)).list() {
            let name = "\(folder)/\(entry.name)"
            if entry.kind == .folder {
                try collect(name, into: &found)
            } else {
                found[String(name.dropFirst(2))] = try content(name)
            }
        }
    }
}

extension Disk: SlotsUnderTest {
    func opened() throws -> any SlotStoring { try open() }

    func rot(_ slot: Slot, _ file: String) throws { try rot("\(slot)/\(file)", at: 0) }

    func lose(_ slot: Slot, _ file: String) throws {
        try #require(unsafe unlink(scratch.path("\(slot)/\(file)")) == 0)
    }

    func lease() throws -> AnyObject? { try open().lease() }
}

/// Counts system calls; from the k-th on none is made any more, as after a kill.
final class Killer: SyscallObserving {
    private struct State {
        var asked = 0
        var made: [Syscall] = []
    }

    private let state = Mutex(State())
    private let limit: Int

    init(after limit: Int = .max) { self.limit = limit }

    /// Calls that were let through, also those that the system refused.
    var count: Int { state.withLock { $0.asked } }

    /// Calls that did what they were to do.
    var made: [Syscall] { state.withLock { $0.made } }

    func verdict(on call: Syscall) -> SyscallVerdict {
        state.withLock { state in
            guard state.asked < limit else { return .fail(errno: EIO) }
            state.asked += 1
            return .proceed
        }
    }

    func made(_ call: Syscall, _ answer: Int64) { state.withLock { $0.made.append(call) } }
}
