import Glibc
import PosixFiles
import Primitives
import TestSupport
import Testing

/// Which parts of a reserved file were written, on the file systems that tests find: of `/tmp`, and in memory.
struct HolesTests {
    private static let grain = OpenFile.holeGrain
    private static let length: Int64 = 12 << 20
    private static let middle: Range<Int64> = (4 << 20)..<(8 << 20)

    private func reserved(
        _ scratch: ScratchFolder, _ observer: (any SyscallObserving)? = nil
    ) throws -> OpenFile {
        let file = try Directory(opening: scratch.path, observer: observer)
            .open(path("f"), .makingIfMissing(.shared))
        try file.reserve(Self.length)
        return file
    }

    @Test(arguments: [false, true])
    func `tells how far a range was written from its start`(isInMemory: Bool) throws {
        let scratch = ScratchFolder(isInMemory: isInMemory)
        let file = try reserved(scratch)
        #expect(try file.filledBytes(of: Self.middle) == 0)
        #expect(try file.writtenBytes() == 0)
        // At the end of the file, to the byte.
        try file.write([UInt8](repeating: 1, count: 1_000_001), at: Self.middle.lowerBound)
        #expect(try file.filledBytes(of: Self.middle) == 1_000_001)
        #expect(try file.filledBytes(of: 0..<100) == 0)
        // Before a hole, at most a grain less.
        try file.write([1], at: Self.length - 1)
        for isSynced in [false, true] {
            if isSynced { try file.sync() }
            let filled = try file.filledBytes(of: Self.middle)
            #expect(filled <= 1_000_001 && filled > 1_000_001 - 2 * Self.grain)
            #expect(try file.filledBytes(of: 0..<100) == 0)
            let written = try file.writtenBytes()
            #expect(written >= 1_000_002 && written < 1_000_002 + 2 * Self.grain)
        }
        try file.write([UInt8](repeating: 1, count: Self.middle.count), at: Self.middle.lowerBound)
        #expect(try file.filledBytes(of: Self.middle) == Int64(Self.middle.count))
    }

    @Test(arguments: [false, true])
    func `takes nothing for written that was read past`(isInMemory: Bool) throws {
        let scratch = ScratchFolder(isInMemory: isInMemory)
        let file = try reserved(scratch)
        try file.readNoFurther()
        try file.write([UInt8](repeating: 1, count: 1 << 20), at: 0)
        try file.write([1], at: Self.length - 1)
        for start in stride(from: Int64(0), to: 1 << 20, by: 4_096) {
            _ = try file.read(start..<(start + 4_096))
        }
        #expect(try file.filledBytes(of: 0..<Self.length) <= 1 << 20)
    }

    @Test(arguments: [false, true])
    func `gives the blocks of a range back, and keeps the rest`(isInMemory: Bool) throws {
        let scratch = ScratchFolder(isInMemory: isInMemory)
        let file = try reserved(scratch)
        try file.write([UInt8](repeating: 7, count: Int(Self.length)), at: 0)
        let before = try file.status().allocatedBytes
        #expect(try file.punch(Self.middle))
        #expect(try file.status().allocatedBytes <= before - Int64(Self.middle.count) + Self.grain)
        #expect(try file.filledBytes(of: Self.middle) == 0)
        #expect(try file.size() == Self.length)
        #expect(try file.read((4 << 20) - 1..<(4 << 20) + 1) == [7, 0])
        #expect(try file.read((8 << 20) - 1..<(8 << 20) + 1) == [0, 7])
    }

    @Test func `takes all for written where the file system knows no holes`() throws {
        let scratch = ScratchFolder()
        let file = try reserved(scratch, NoHoles())
        try file.write([1], at: 10)
        #expect(try file.filledBytes(of: 0..<11) == 11)
        #expect(try file.filledBytes(of: 0..<20) == 11)
        #expect(try file.filledBytes(of: 11..<20) == 0)
        #expect(try file.writtenBytes() == 11)
    }
}

/// A file system that cannot tell data from holes.
private struct NoHoles: SyscallObserving {
    func verdict(on call: Syscall) -> SyscallVerdict {
        call.operation == .seek ? .fail(errno: EINVAL) : .proceed
    }
}
