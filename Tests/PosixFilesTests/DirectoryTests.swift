import Glibc
import PosixFiles
import Primitives
import TestSupport
import Testing

struct DirectoryTests {
    private let scratch = ScratchFolder()

    @Test func `reads a file up to its limit and no further`() throws {
        let directory = try Directory(opening: scratch.path)
        try Raw.file(scratch.path("f"), bytes("12345"))
        #expect(try directory.read(path("f"), limit: 5) == bytes("12345"))
        #expect(throws: FileError.tooLarge(path: scratch.path("f"), limit: 4, found: 5)) {
            try directory.read(path("f"), limit: 4)
        }
        try Raw.file(scratch.path("empty"), [])
        #expect(try directory.read(path("empty"), limit: 0) == [])
    }

    @Test func `refuses a file that grows beyond its limit while it is read`() throws {
        let file = scratch.path("f")
        try Raw.file(file, bytes("12345"))
        let growing = Interloper(before: .read, on: "/f") { try? Raw.file(file, bytes("1234567")) }
        let directory = try Directory(opening: scratch.path, observer: growing)
        #expect(throws: FileError.tooLarge(path: file, limit: 5, found: 6)) {
            try directory.read(path("f"), limit: 5)
        }
    }

    @Test func `absent is an answer, and not the same as unreadable`() throws {
        let directory = try Directory(opening: scratch.path)
        #expect(try directory.readIfPresent(path("f"), limit: 1) == nil)
        #expect(try directory.readIfPresent(path("no/such/f"), limit: 1) == nil)
        #expect(try directory.status(path("f")) == nil)
        #expect(try directory.removeFile(path("f")) == false)
        #expect(try directory.removeTree(path("f")) == false)
        #expect(try directory.list(path("f")) == [])
        #expect(throws: FileError.notFound(.open, path: scratch.path("f"))) {
            try directory.read(path("f"), limit: 1)
        }
        try Raw.folder(scratch.path("d"))
        #expect(
            throws: FileError.wrongKind(path: scratch.path("d"), expected: .file, found: .folder)
        ) { try directory.readIfPresent(path("d"), limit: 1) }
    }

    @Test func `never waits for the other end of a pipe`() throws {
        try #require(unsafe mkfifo(scratch.path("p"), 0o600) == 0)
        let directory = try Directory(opening: scratch.path)
        #expect(
            throws: FileError.wrongKind(path: scratch.path("p"), expected: .file, found: .other)
        ) { try directory.read(path("p"), limit: 1) }
        #expect(throws: FileError.self) { try directory.open(path("p"), .writing) }
    }

    @Test func `makes folders with their parents, any number of times`() throws {
        let directory = try Directory(opening: scratch.path)
        try directory.makeFolders(path("a/b/c")).replace(path("f"), with: [1])
        try directory.makeFolders(path("a/b/d"))
        #expect(try directory.read(path("a/b/c/f"), limit: 1) == [1])
        #expect(try directory.list(path("a/b")).map(\.name) == ["c", "d"])
        try directory.replace(path("f"), with: [])
        #expect(
            throws: FileError.wrongKind(path: scratch.path("f"), expected: .folder, found: .file)
        ) { try directory.makeFolders(path("f/g")) }
    }

    @Test func `makes its own root, parents included`() throws {
        let root = try Directory(making: scratch.path("x/y/z"), mode: .ownerOnly)
        try root.replace(path("f"), with: [1])
        #expect(Raw.content(scratch.path("x/y/z/f")) == [1])
        _ = try Directory(making: scratch.path("x/y/z"))
        #expect(throws: FileError.self) { try Directory(making: scratch.path("x/y/z/f")) }
        #expect(throws: FileError.notFound(.open, path: scratch.path("no"))) {
            try Directory(opening: scratch.path("no"))
        }
    }

    @Test func `lists names in byte order with their kinds, up to a limit`() throws {
        try Raw.folder(scratch.path("b"))
        try Raw.file(scratch.path("a"), [])
        try Raw.link(scratch.path("B"), to: "nowhere")
        let directory = try Directory(opening: scratch.path)
        #expect(
            try directory.list() == [
                DirectoryEntry(name: "B", kind: .link), DirectoryEntry(name: "a", kind: .file),
                DirectoryEntry(name: "b", kind: .folder),
            ])
        #expect(throws: FileError.tooLarge(path: scratch.path, limit: 2, found: 3)) {
            try directory.list(limit: 2)
        }
    }

    @Test func `renames within and between folders, and not over what is there if told so`()
        throws
    {
        let directory = try Directory(opening: scratch.path)
        try directory.makeFolders(path("d"))
        try directory.replace(path("f"), with: [1])
        try directory.rename(path("f"), to: path("d/g"))
        #expect(try directory.read(path("d/g"), limit: 1) == [1])
        try directory.replace(path("h"), with: [2])
        #expect(throws: FileError.exists(.rename, path: scratch.path("d/g"))) {
            try directory.rename(path("h"), to: path("d/g"), isNew: true)
        }
        try directory.rename(path("h"), to: path("d/g"))
        #expect(try directory.read(path("d/g"), limit: 1) == [2])
        #expect(try directory.status(path("h")) == nil)
    }

    @Test func `syncs both folders after a move, the new name first`() throws {
        let script = Script()
        let directory = try Directory(opening: scratch.path, observer: script)
        try directory.makeFolders(path("d"))
        try directory.replace(path("f"), with: [1])
        let before = script.calls.count
        try directory.rename(path("f"), to: path("d/g"))
        #expect(
            script.calls[before...].map(\.description) == [
                "open \(scratch.path)/d", "rename \(scratch.path)/d/g", "sync \(scratch.path)/d",
                "sync \(scratch.path)",
            ])
    }

    @Test func `knows the free space`() throws {
        let free = try Directory(opening: scratch.path).freeBytes()
        #expect(free > 0)
        let script = Script(verdicts: [1: .fail(errno: EIO)])
        let directory = try Directory(opening: scratch.path, observer: script)
        #expect(throws: FileError.system(.space, path: scratch.path, errno: EIO)) {
            try directory.freeBytes()
        }
    }

    @Test func `describes files`() throws {
        let directory = try Directory(opening: scratch.path)
        try directory.replace(path("f"), with: bytes("12345"), mode: .ownerOnly)
        let status = try #require(try directory.status(path("f")))
        #expect(status.kind == .file)
        #expect(status.size == 5)
        #expect(status.mode == 0o600)
        #expect(status.owner == getuid())
        #expect(status.links == 1)
        let now = SystemClock.realtimeNanoseconds()
        #expect(abs(now - status.modifiedNanoseconds) < 600_000_000_000)
        try directory.place(path("g"), from: directory, path("f"), by: [.hardLink])
        let other = try #require(try directory.status(path("g")))
        #expect(other.isSameFile(as: status))
        #expect(other.links == 2)
    }

    @Test func `reads the clocks`() {
        let first = SystemClock.monotonicNanoseconds()
        let second = SystemClock.monotonicNanoseconds()
        #expect(second >= first && first > 0)
        #expect(SystemClock.bootNanoseconds() >= first)
        #expect(SystemClock.now() > UTCTime.epoch + 1_700_000_000)
    }
}
