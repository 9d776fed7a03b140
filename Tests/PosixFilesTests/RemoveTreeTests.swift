import Glibc
import PosixFiles
import Primitives
import TestSupport
import Testing

struct RemoveTreeTests {
    private let scratch = ScratchFolder()

    @Test func `removes folders, files and links, and nothing that a link names`() throws {
        try Raw.folder(scratch.path("outside"))
        try Raw.file(scratch.path("outside/f"), [1])
        let root = try Directory(making: scratch.path("root"))
        try root.makeFolders(path("t/a/b"))
        try root.replace(path("t/a/f"), with: [2])
        try Raw.link(scratch.path("root/t/a/b/up"), to: "../../../../outside")
        try Raw.link(scratch.path("root/t/abs"), to: scratch.path("outside"))
        #expect(try root.removeTree(path("t")))
        #expect(try root.list().isEmpty)
        #expect(Raw.content(scratch.path("outside/f")) == [1])
    }

    @Test func `removes a link and leaves its target`() throws {
        let root = try Directory(opening: scratch.path)
        try root.makeFolders(path("d"))
        try root.makeLink(path("l"), to: path("d"))
        #expect(try root.removeTree(path("l")))
        #expect(try root.list().map(\.name) == ["d"])
    }

    @Test func `does not follow a link that takes a folder's place at the last moment`() throws {
        let folder = scratch.path
        try Raw.folder(folder + "/outside")
        try Raw.file(folder + "/outside/f", [1])
        let swap = Interloper(before: .open, on: "/root/t/a") {
            _ = unsafe rename(folder + "/root/t/a", folder + "/root/away")
            _ = unsafe symlink("../../outside", folder + "/root/t/a")
        }
        let root = try Directory(making: folder + "/root", observer: swap)
        try Directory(opening: folder + "/root").makeFolders(path("t/a"))
        #expect(throws: FileError.self) { try root.removeTree(path("t")) }
        #expect(Raw.exists(folder + "/root/away"))
        #expect(Raw.content(folder + "/outside/f") == [1])
    }

    @Test func `removes names that are no UTF-8`() throws {
        let root = try Directory(opening: scratch.path)
        try root.makeFolders(path("t"))
        let name = scratch.path("t/").utf8.map { CChar(bitPattern: $0) } + [-1, -2, 0]
        try #require(unsafe mkdir(name, 0o755) == 0)
        #expect(try root.list(path("t")).map(\.kind) == [.other])
        try root.removeTree(path("t"))
        #expect(try root.list().isEmpty)
    }

    @Test func `goes on where a kill at any step cut it short`() throws {
        let counting = Script()
        try plant("counting")
        try Directory(opening: scratch.path, observer: counting).removeTree(path("counting"))
        #expect(!Raw.exists(scratch.path("counting")))
        #expect(counting.calls.count > 10)
        for kill in 0..<counting.calls.count {
            try plant("t")
            #expect(throws: FileError.self) {
                try Directory(opening: scratch.path, observer: Script(kill: kill))
                    .removeTree(path("t"))
            }
            try Directory(opening: scratch.path).removeTree(path("t"))
            #expect(!Raw.exists(scratch.path("t")))
        }
    }

    private func plant(_ name: String) throws {
        let root = try Directory(opening: scratch.path)
        try root.makeFolders(path(name + "/a"))
        try root.replace(path(name + "/a/f"), with: [1])
        try root.makeLink(path(name + "/l"), to: path("a"))
    }

    @Test func `refuses a tree that is deeper than its limit, rather than run out of descriptors`()
        throws
    {
        let root = try Directory(opening: scratch.path)
        var folder = root
        for _ in 0...Directory.depthLimit + 1 { folder = try folder.makeFolders(path("d")) }
        let limit = Int64(Directory.depthLimit)
        let error = #expect(throws: FileError.self) { try root.removeTree(path("d")) }
        guard case .tooLarge(_, limit, limit + 1) = error else {
            Issue.record("expected the depth limit, got \(String(describing: error))")
            return
        }
        try root.directory(path("d/d/d")).removeTree(path("d"))
        #expect(try root.removeTree(path("d")))
    }
}
