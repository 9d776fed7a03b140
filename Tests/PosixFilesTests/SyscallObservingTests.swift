import Glibc
import PosixFiles
import Primitives
import Synchronization
import TestSupport
import Testing

/// What an observer is asked and told, call by call.
struct SyscallObservingTests {
    private let scratch = ScratchFolder()

    private func directory(_ observer: any SyscallObserving) throws -> Directory {
        try Directory(opening: scratch.path, observer: observer)
    }

    @Test func `says where bytes go, and which names are made`() throws {
        let script = Script()
        let file = try directory(script).open(path("f"), .makingIfMissing(.shared))
        try file.write(bytes("hello"), at: 7)
        try file.beginWriteback(7..<12)
        try file.sync()
        try file.truncate(to: 9)
        try file.reserve(4_096)
        _ = try file.read(7..<9)
        let name = scratch.path("f")
        #expect(
            script.calls.filter { $0.operation != .status } == [
                Syscall(.open, scratch.path), Syscall(.open, name, isMaking: true),
                Syscall(.write, name, range: 7..<12), Syscall(.writeback, name, range: 7..<12),
                Syscall(.sync, name), Syscall(.truncate, name, range: 0..<9),
                Syscall(.reserve, name, range: 0..<4_096), Syscall(.read, name, range: 7..<9),
            ])
        #expect(script.made == script.calls)
    }

    @Test func `says what a name was before, and what a link names`() throws {
        try Raw.folder(scratch.path("d"))
        try Raw.file(scratch.path("f"), bytes("hello"))
        let script = Script()
        let directory = try directory(script)
        try directory.place(path("d/g"), from: directory, path("f"), by: [.hardLink])
        try directory.rename(path("d/g"), to: path("h"))
        try directory.makeLink(path("l"), to: path("d"))
        try directory.removeFile(path("h"))
        try directory.makeFolders(path("e"))
        let changes: Set<FileOperation> = [.link, .rename, .symlink, .unlink, .mkdir, .sync]
        #expect(
            script.made.filter { changes.contains($0.operation) } == [
                Syscall(.link, scratch.path("d/g"), other: scratch.path("f")),
                Syscall(.sync, scratch.path("d")),
                Syscall(.rename, scratch.path("h"), other: scratch.path("d/g")),
                Syscall(.sync, scratch.path), Syscall(.sync, scratch.path("d")),
                Syscall(.symlink, scratch.path("l"), other: "d"), Syscall(.sync, scratch.path),
                Syscall(.unlink, scratch.path("h")), Syscall(.sync, scratch.path),
                Syscall(.mkdir, scratch.path("e")), Syscall(.sync, scratch.path),
            ])
    }

    @Test func `makes the folders on the way to its own durable, one by one`() throws {
        let script = Script()
        _ = try Directory(making: scratch.path("a/b"), observer: script)
        #expect(
            script.made == [
                Syscall(.mkdir, scratch.path("a")), Syscall(.open, scratch.path),
                Syscall(.sync, scratch.path), Syscall(.mkdir, scratch.path("a/b")),
                Syscall(.open, scratch.path("a")), Syscall(.sync, scratch.path("a")),
                Syscall(.open, scratch.path("a/b")),
            ])
        let again = Script()
        _ = try Directory(making: scratch.path("a/b"), observer: again)
        #expect(again.made == [Syscall(.open, scratch.path("a/b"))])
    }

    @Test func `tells of the calls that were made, and of no others`() throws {
        let script = Script(
            verdicts: [2: .fail(errno: EINTR), 4: .atMost(2), 6: .fail(errno: EIO)])
        let file = try directory(script).open(path("f"), .makingNew(.shared))
        try file.write(bytes("a"), at: 0)
        try file.write(bytes("hello"), at: 0)
        #expect(throws: FileError.self) { try file.sync() }
        #expect(throws: FileError.self) { try directory(Script()).open(path("x"), .reading) }
        let name = scratch.path("f")
        #expect(
            script.made == [
                Syscall(.open, scratch.path), Syscall(.open, name, isMaking: true),
                Syscall(.write, name, range: 0..<1), Syscall(.write, name, range: 0..<5),
                Syscall(.write, name, range: 2..<5),
            ])
        #expect(Raw.content(name) == bytes("hello"))
    }

    @Test func `tells what each call answered`() throws {
        let answers = Answers()
        let file = try directory(answers).open(path("f"), .makingNew(.shared))
        try file.write(bytes("hello"), at: 0)
        #expect(try file.read(0..<5) == bytes("hello"))
        try file.sync()
        #expect(answers.told.dropFirst(2) == ["write 3", "write 2", "read 5", "sync 0"])
    }

    @Test func `a pretended call is not made, and goes on as if it had been`() throws {
        let script = Script(verdicts: [2: .pretend, 3: .pretend, 5: .pretend])
        let directory = try directory(script)
        let file = try directory.open(path("f"), .makingNew(.shared))
        try file.write(bytes("lost"), at: 0)
        try file.sync()
        try file.write(bytes("kept"), at: 4)
        try file.truncate(to: 0)
        #expect(Raw.content(scratch.path("f")) == [0, 0, 0, 0] + bytes("kept"))
        #expect(script.made.map(\.operation) == [.open, .open, .write])
    }
}

/// Lets at most three bytes at a time be written, and writes down what it is told.
private final class Answers: SyscallObserving {
    private let lines = Mutex<[String]>([])

    var told: [String] { lines.withLock { $0 } }

    func verdict(on call: Syscall) -> SyscallVerdict {
        call.operation == .write ? .atMost(3) : .proceed
    }

    func made(_ call: Syscall, _ answer: Int64) {
        lines.withLock { $0.append("\(call.operation.rawValue) \(answer)") }
    }
}
