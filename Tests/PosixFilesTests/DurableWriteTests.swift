import Glibc
import PosixFiles
import Primitives
import TestSupport
import Testing

struct DurableWriteTests {
    private let scratch = ScratchFolder()
    private let old = bytes("the old one, whole")
    private let new = bytes("the new one, whole, and of another length")

    /// A folder of its own with the old file in it.
    private func prepare(_ name: String) throws -> String {
        let folder = scratch.path(name)
        try Raw.folder(folder)
        try Raw.file(folder + "/f", old)
        return folder
    }

    /// The calls of one `replace`, temporaries named alike.
    private func trace(_ script: Script) -> [String] {
        script.calls.map { call in
            let name = call.path.split(separator: "/").last.map(String.init) ?? call.path
            return call.operation.rawValue + (name.hasPrefix(".new-") ? " temporary" : " " + name)
        }
    }

    @Test func `replaces by the documented system calls, in that order`() throws {
        let folder = try prepare("x")
        let script = Script()
        try Directory(opening: folder, observer: script).replace(path("f"), with: new)
        #expect(
            trace(script) == [
                "open x", "open temporary", "write temporary", "sync temporary", "rename f",
                "sync x",
            ])
        #expect(Raw.content(folder + "/f") == new)
    }

    @Test func `leaves the old or the new file whole after a kill at any step`() throws {
        let counting = Script()
        try Directory(opening: prepare("counting"), observer: counting)
            .replace(path("f"), with: new)
        let calls = counting.calls
        let rename = try #require(calls.firstIndex { $0.operation == .rename })
        #expect(calls.count == 6)
        for kill in 0..<calls.count {
            let folder = try prepare("kill-\(kill)")
            let script = Script(kill: kill)
            #expect(throws: FileError.self) {
                try Directory(opening: folder, observer: script).replace(path("f"), with: new)
            }
            #expect(Raw.content(folder + "/f") == (kill <= rename ? old : new), "kill \(kill)")
            try losePower(folder, script, kill: kill)
            #expect(Raw.content(folder + "/f") == (kill <= rename ? old : new), "power \(kill)")
            let after = try Directory(opening: folder)
            try after.removeTemporaries()
            #expect(try after.list().map(\.name) == ["f"])
        }
    }

    /// Empties every file whose bytes were written and not synced before the kill, wherever it is named now.
    private func losePower(_ folder: String, _ script: Script, kill: Int) throws {
        let made = script.calls[..<kill]
        guard let wrote = made.lastIndex(where: { $0.operation == .write }),
            !made[wrote...].contains(where: {
                $0.operation == .sync && $0.path == made[wrote].path
            })
        else { return }
        let isRenamed = made.contains { $0.operation == .rename }
        #expect(unsafe truncate(isRenamed ? folder + "/f" : made[wrote].path, 0) == 0)
    }

    @Test(arguments: 1..<6)
    func `a failing system call leaves the old file and no temporary`(index: Int) throws {
        let folder = try prepare("x")
        let script = Script(verdicts: [index: .fail(errno: ENOSPC)])
        let error = #expect(throws: FileError.self) {
            try Directory(opening: folder, observer: script).replace(path("f"), with: new)
        }
        #expect(error?.isOutOfSpace == true)
        let isRenamed = script.calls[..<index].contains { $0.operation == .rename }
        #expect(Raw.content(folder + "/f") == (isRenamed ? new : old))
        let left = try Directory(opening: folder).list().map(\.name).filter { $0 != "f" }
        #expect(left.isEmpty)
    }

    @Test func `goes on after interrupted and short writes`() throws {
        let folder = try prepare("x")
        let script = Script(
            verdicts: [2: .fail(errno: EINTR), 3: .fail(errno: EINTR)], always: .atMost(3))
        let directory = try Directory(opening: folder, observer: script)
        try directory.replace(path("f"), with: new)
        #expect(Raw.content(folder + "/f") == new)
        let writes = script.calls.filter { $0.operation == .write }
        #expect(writes.count == 2 + (new.count + 2) / 3)
        #expect(try directory.read(path("f"), limit: 100) == new)
    }

    @Test func `publishes once, accepts equal bytes again, and refuses other ones`() throws {
        let directory = try Directory(opening: scratch.path)
        #expect(try directory.publish(path("b"), new) == .written)
        #expect(try directory.publish(path("b"), new) == .alreadyThere)
        let file = directory.path + "/b"
        #expect(throws: FileError.differs(path: file)) { try directory.publish(path("b"), old) }
        let sameLength = new.dropLast() + [0]
        #expect(throws: FileError.differs(path: file)) {
            try directory.publish(path("b"), Array(sameLength))
        }
        #expect(Raw.content(file) == new)
        #expect(try directory.list().map(\.name) == ["b"])
    }

    @Test func `compares published bytes over more than one buffer`() throws {
        let directory = try Directory(opening: scratch.path)
        var big = [UInt8](repeating: 7, count: 700_000)
        try directory.publish(path("b"), big)
        #expect(try directory.publish(path("b"), big) == .alreadyThere)
        big[699_999] = 8
        #expect(throws: FileError.differs(path: scratch.path("b"))) {
            try directory.publish(path("b"), big)
        }
    }

    @Test func `publishes where the file system cannot rename without replacing`() throws {
        let script = Script(verdicts: [4: .fail(errno: EINVAL)])
        let directory = try Directory(opening: scratch.path, observer: script)
        #expect(try directory.publish(path("b"), new) == .written)
        #expect(
            script.calls.map(\.operation)[4...] == [.rename, .link, .unlink, .sync])
        #expect(Raw.content(scratch.path("b")) == new)
        #expect(try directory.list().map(\.name) == ["b"])
    }

    @Test func `a published file is there whole or not at all after a kill at any step`() throws {
        let counting = Script()
        try Raw.folder(scratch.path("counting"))
        try Directory(opening: scratch.path("counting"), observer: counting)
            .publish(path("b"), new)
        for kill in 0..<counting.calls.count {
            let folder = scratch.path("kill-\(kill)")
            try Raw.folder(folder)
            #expect(throws: FileError.self) {
                try Directory(opening: folder, observer: Script(kill: kill))
                    .publish(path("b"), new)
            }
            let found = Raw.content(folder + "/b")
            #expect(found == nil || found == new)
            let again = try Directory(opening: folder).publish(path("b"), new)
            #expect(again == (found == nil ? .written : .alreadyThere))
            #expect(Raw.content(folder + "/b") == new)
        }
    }

    @Test func `drops what was never committed`() throws {
        let directory = try Directory(opening: scratch.path)
        do {
            let pending = try directory.stage(path("x"))
            try pending.file.write(new, at: 0)
            #expect(try directory.list().count == 1)
        }
        #expect(try directory.list().isEmpty)
    }

    @Test func `commits as new only where the name is free`() throws {
        let directory = try Directory(opening: prepare("x"))
        let pending = try directory.stage(path("f"))
        let file = directory.path + "/f"
        #expect(throws: FileError.exists(.rename, path: file)) { try pending.commit(.new) }
        #expect(Raw.content(file) == old)
        #expect(try directory.list().map(\.name) == ["f"])
    }

    @Test func `gives files the permissions asked for`() throws {
        let directory = try Directory(opening: scratch.path)
        let modes: [(FileMode, UInt32)] = [
            (.shared, 0o644), (.ownerOnly, 0o600), (.readOnly, 0o444),
        ]
        for (mode, bits) in modes {
            try directory.replace(path("f"), with: old, mode: mode)
            #expect(try directory.status(path("f"))?.mode == bits)
        }
    }

    @Test func `the last of many concurrent writers wins, and nothing is mixed`() async throws {
        let directory = try Directory(opening: scratch.path)
        try await withThrowingTaskGroup { group in
            for writer in UInt8(1)...8 {
                group.addTask {
                    for _ in 0..<10 {
                        try directory.replace(
                            path("f"), with: [UInt8](repeating: writer, count: 5_000))
                    }
                }
            }
            try await group.waitForAll()
        }
        let found = try directory.read(path("f"), limit: 10_000)
        #expect(found.count == 5_000)
        #expect(Set(found).count == 1)
        #expect(try directory.list().map(\.name) == ["f"])
    }
}
