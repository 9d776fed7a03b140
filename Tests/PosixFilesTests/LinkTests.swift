import Glibc
import PosixFiles
import Primitives
import TestSupport
import Testing

struct LinkTests {
    private let scratch = ScratchFolder()

    private func target(_ folder: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = unsafe readlink(folder + "/current", &buffer, buffer.count)
        guard count >= 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test func `makes, reads and replaces a link`() throws {
        let directory = try Directory(opening: scratch.path)
        #expect(try directory.readLink(path("current")) == nil)
        try directory.makeLink(path("current"), to: path("a"))
        #expect(try directory.readLink(path("current")) == path("a"))
        try directory.replaceLink(path("current"), to: path("slots/b"))
        #expect(target(scratch.path) == "slots/b")
        #expect(throws: FileError.exists(.symlink, path: scratch.path("current"))) {
            try directory.makeLink(path("current"), to: path("a"))
        }
        #expect(try directory.list() == [DirectoryEntry(name: "current", kind: .link)])
    }

    @Test func `the link names the old or the new target after a kill at any step`() throws {
        let counting = Script()
        try Directory(opening: scratch.path, observer: counting)
            .replaceLink(path("current"), to: path("b"))
        #expect(counting.calls.map(\.operation) == [.open, .symlink, .rename, .sync])
        for kill in 0..<counting.calls.count {
            let folder = scratch.path("kill-\(kill)")
            try Raw.folder(folder)
            try Raw.link(folder + "/current", to: "a")
            #expect(throws: FileError.self) {
                try Directory(opening: folder, observer: Script(kill: kill))
                    .replaceLink(path("current"), to: path("b"))
            }
            #expect(target(folder) == (kill <= 2 ? "a" : "b"))
            let after = try Directory(opening: folder)
            try after.removeTemporaries()
            #expect(try after.list().map(\.name) == ["current"])
        }
    }

    @Test(arguments: ["/etc/passwd", "../outside", "a/../../b", "a//b", "a/."])
    func `refuses to read a link that leads out`(planted: String) throws {
        try Raw.link(scratch.path("current"), to: planted)
        let directory = try Directory(opening: scratch.path)
        #expect(throws: FileError.linkEscapes(path: scratch.path("current"))) {
            try directory.readLink(path("current"))
        }
    }

    @Test func `tells a file from a link`() throws {
        try Raw.file(scratch.path("current"), [])
        let directory = try Directory(opening: scratch.path)
        #expect(
            throws: FileError.wrongKind(
                path: scratch.path("current"), expected: .link, found: .file)
        ) { try directory.readLink(path("current")) }
    }

    @Test func `a folder in the place of the link stays, and no temporary is left`() throws {
        try Raw.folder(scratch.path("current"))
        let directory = try Directory(opening: scratch.path)
        #expect(
            throws: FileError.system(.rename, path: scratch.path("current"), errno: EISDIR)
        ) { try directory.replaceLink(path("current"), to: path("a")) }
        #expect(try directory.list() == [DirectoryEntry(name: "current", kind: .folder)])
    }
}
