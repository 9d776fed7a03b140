import Glibc
import PosixFiles
import Primitives
import TestSupport
import Testing

struct OpenFileTests {
    private let scratch = ScratchFolder()

    private func file(_ script: Script? = nil) throws -> OpenFile {
        try Directory(opening: scratch.path, observer: script)
            .open(path("f"), .makingIfMissing(.shared))
    }

    @Test func `writes and reads at offsets, in any order`() throws {
        let file = try file()
        try file.write(bytes("world"), at: 6)
        try file.write(bytes("hello "), at: 0)
        #expect(try file.size() == 11)
        #expect(try file.read(0..<11) == bytes("hello world"))
        #expect(try file.read(6..<8) == bytes("wo"))
        #expect(try file.append(bytes("!")) == 12)
        #expect(throws: FileError.short(path: file.path, expected: 3, found: 2)) {
            try file.read(10..<13)
        }
        try file.truncate(to: 5)
        try file.sync()
        #expect(Raw.content(scratch.path("f")) == bytes("hello"))
    }

    @Test func `reads on after short and interrupted reads`() throws {
        try Raw.file(scratch.path("f"), bytes("hello world"))
        let script = Script(verdicts: [3: .fail(errno: EINTR)], always: .atMost(2))
        #expect(try file(script).read(0..<11) == bytes("hello world"))
        #expect(script.calls.filter { $0.operation == .read }.count == 7)
    }

    /// What the page cache holds of 11 bytes at 0; nil where it cannot tell.
    private func cached(_ file: OpenFile) throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 11)
        let count = try unsafe buffer.withUnsafeMutableBytes { (room) throws(FileError) -> Int? in
            try unsafe file.readCached(into: room, at: 0)
        }
        return count.map { Array(buffer[..<$0]) }
    }

    @Test func `reads what is in memory without waiting, on after short reads`() throws {
        try Raw.file(scratch.path("f"), bytes("hello world"))
        let script = Script(verdicts: [3: .fail(errno: EINTR)], always: .atMost(2))
        let file = try file(script)
        #expect(try cached(file) == bytes("hello world"))
        #expect(script.calls.filter { $0.operation == .read }.count == 7)
        try Raw.file(scratch.path("f"), bytes("short"))
        #expect(try cached(file) == bytes("short"))
    }

    @Test(arguments: [EAGAIN, EOPNOTSUPP])
    func `what is not wholly in memory is not read`(errno: Int32) throws {
        try Raw.file(scratch.path("f"), bytes("hello world"))
        let script = Script(verdicts: [3: .fail(errno: errno)], always: .atMost(4))
        #expect(try cached(try file(script)) == nil)
        let broken = Script(verdicts: [3: .fail(errno: EIO)], always: .atMost(4))
        let file = try file(broken)
        #expect(throws: FileError.system(.read, path: file.path, errno: EIO)) {
            try cached(file)
        }
    }

    @Test func `makes a file read-only, for those who open it later`() throws {
        let file = try file()
        try file.makeReadOnly()
        #expect(try file.status().mode == 0o444)
        try file.write([1], at: 0)
        #expect(try file.size() == 1)
    }

    @Test func `opens by the rule asked for`() throws {
        let directory = try Directory(opening: scratch.path)
        #expect(throws: FileError.notFound(.open, path: scratch.path("f"))) {
            try directory.open(path("f"), .writing)
        }
        _ = try directory.open(path("f"), .makingNew(.shared))
        #expect(throws: FileError.exists(.open, path: scratch.path("f"))) {
            try directory.open(path("f"), .makingNew(.shared))
        }
        let reading = try directory.open(path("f"), .reading)
        #expect(throws: FileError.system(.write, path: reading.path, errno: EBADF)) {
            try reading.write([1], at: 0)
        }
    }

    @Test func `reserves space without changing the length, or with it`() throws {
        let file = try file()
        try file.write([1], at: 0)
        try file.reserve(1 << 20)
        #expect(try file.size() == 1)
        #expect(try file.status().allocatedBytes >= 1 << 20)
        try file.reserve(2 << 20, extending: true)
        #expect(try file.size() == 2 << 20)
        #expect(try file.read(0..<2) == [1, 0])
    }

    @Test func `says clearly that there is no space, and keeps none of it`() throws {
        let file = try file()
        try file.write([1], at: 0)
        let error = #expect(throws: FileError.self) { try file.reserve(1 << 50) }
        #expect(error?.isOutOfSpace == true || error.map(isTooBig) == true)
        #expect(try file.size() == 1)
        #expect(try file.status().allocatedBytes <= 8_192)
    }

    /// Some file systems refuse the size before they look for space.
    private func isTooBig(_ error: FileError) -> Bool {
        guard case .system(.reserve, _, EFBIG) = error else { return false }
        return true
    }

    @Test func `gives back what a failed reservation may have got`() throws {
        let script = Script(verdicts: [5: .fail(errno: ENOSPC)])
        let file = try file(script)
        try file.write([1, 2], at: 0)
        #expect(
            throws: FileError.insufficientStorage(.reserve, path: file.path, errno: ENOSPC)
        ) { try file.reserve(1 << 20) }
        #expect(script.calls.suffix(2).map(\.operation) == [.reserve, .truncate])
        #expect(try file.read(0..<2) == [1, 2])
    }

    @Test func `compares the free space where nothing can be reserved`() throws {
        let script = Script(verdicts: [4: .fail(errno: EOPNOTSUPP)])
        let file = try file(script)
        try file.reserve(4_096, extending: true)
        #expect(
            script.calls.map(\.operation)
                == [.open, .open, .status, .status, .reserve, .space, .truncate])
        #expect(try file.size() == 4_096)
    }

    @Test func `finds too little free space where nothing can be reserved`() throws {
        let script = Script(verdicts: [4: .fail(errno: EOPNOTSUPP)])
        let file = try file(script)
        #expect(
            throws: FileError.insufficientStorage(.reserve, path: file.path, errno: ENOSPC)
        ) { try file.reserve(1 << 60) }
    }

    @Test func `a full disk during a write is out of space`() throws {
        let script = Script(verdicts: [3: .fail(errno: ENOSPC)])
        let file = try file(script)
        #expect(
            throws: FileError.insufficientStorage(.write, path: file.path, errno: ENOSPC)
        ) { try file.write([1], at: 0) }
    }

    @Test func `starts writeback of a range`() throws {
        let file = try file()
        try file.write([UInt8](repeating: 1, count: 10_000), at: 0)
        try file.beginWriteback(0..<10_000)
        #expect(try file.size() == 10_000)
    }
}
