import Glibc
import PosixFiles
import Primitives
import TestSupport
import Testing

/// Every operation of a directory by name, applied to a path; what it found, where it reads.
struct FileAttempt: Sendable, CustomTestStringConvertible {
    let name: String
    let run: @Sendable (Directory, TargetPath) throws -> [UInt8]?

    var testDescription: String { name }

    static let all: [FileAttempt] = [
        FileAttempt(name: "read") { try $0.read($1, limit: 1_000) },
        FileAttempt(name: "open for reading") { root, path in
            let file = try root.open(path, .reading)
            return try file.read(0..<file.size())
        },
        FileAttempt(name: "open for writing") { root, path in
            try root.open(path, .writing).write(bytes("mine"), at: 0)
            return nil
        },
        FileAttempt(name: "open, making it if missing") { root, path in
            try root.open(path, .makingIfMissing(.shared)).write(bytes("mine"), at: 0)
            return nil
        },
        FileAttempt(name: "open, making it new") { root, path in
            try root.open(path, .makingNew(.shared)).write(bytes("mine"), at: 0)
            return nil
        },
        FileAttempt(name: "replace") { root, path in
            try root.replace(path, with: bytes("mine"))
            return nil
        },
        FileAttempt(name: "publish") { root, path in
            try root.publish(path, bytes("mine"))
            return nil
        },
        FileAttempt(name: "make folders") { root, path in
            try root.makeFolders(path)
            return nil
        },
        FileAttempt(name: "list") { root, path in
            try root.list(path).flatMap { Array($0.name.utf8) }
        },
        FileAttempt(name: "status") { root, path in
            _ = try root.status(path)
            return nil
        },
        FileAttempt(name: "remove a file") { root, path in
            try root.removeFile(path)
            return nil
        },
        FileAttempt(name: "remove a tree") { root, path in
            try root.removeTree(path)
            return nil
        },
        FileAttempt(name: "rename from") { root, path in
            try root.rename(path, to: #require(TargetPath("moved")))
            return nil
        },
        FileAttempt(name: "rename to") { root, path in
            let own = try #require(TargetPath("own"))
            try root.replace(own, with: bytes("mine"))
            try root.rename(own, to: path)
            return nil
        },
        FileAttempt(name: "make a link") { root, path in
            try root.makeLink(path, to: #require(TargetPath("own")))
            return nil
        },
        FileAttempt(name: "replace a link") { root, path in
            try root.replaceLink(path, to: #require(TargetPath("own")))
            return nil
        },
        FileAttempt(name: "read a link") { root, path in
            _ = try root.readLink(path)
            return nil
        },
        FileAttempt(name: "place from") { root, path in
            let copy = try #require(TargetPath("copy"))
            try root.place(copy, from: root, path)
            return try root.read(copy, limit: 1_000)
        },
        FileAttempt(name: "place to") { root, path in
            let own = try #require(TargetPath("own"))
            try root.replace(own, with: bytes("mine"))
            try root.place(path, from: root, own)
            return nil
        },
        FileAttempt(name: "lock") { root, path in
            _ = try root.tryLock(path, .exclusive) == nil
            return nil
        },
        FileAttempt(name: "remove temporaries") { root, path in
            try root.directory(path).removeTemporaries()
            return nil
        },
    ]
}

/// A root with links planted in it, and what lies outside and must stay as it is.
private struct Trap {
    static let secret = bytes("the secret")

    let scratch = ScratchFolder("containment")
    let root: Directory

    init() throws {
        try Raw.folder(scratch.path("outside"))
        try Raw.folder(scratch.path("outside/deep"))
        try Raw.file(scratch.path("outside/secret"), Self.secret)
        try Raw.file(scratch.path("outside/.new-0123456789abcdef"), Self.secret)
        try Raw.file(scratch.path("outside/deep/secret"), Self.secret)
        root = try Directory(making: scratch.path("root"))
    }

    /// Whether all that lies outside is byte for byte as it was.
    func isOutsideUntouched() throws -> Bool {
        let outside = try Directory(opening: scratch.path("outside"))
        let top = try outside.list().map(\.name)
        let deep = try Directory(opening: scratch.path("outside/deep")).list().map(\.name)
        let all = try Directory(opening: scratch.path).list().map(\.name)
        return top == [".new-0123456789abcdef", "deep", "secret"] && deep == ["secret"]
            && all == ["outside", "root"]
            && ["secret", "deep/secret", ".new-0123456789abcdef"].allSatisfy {
                Raw.content(scratch.path("outside/" + $0)) == Self.secret
            }
    }
}

struct ContainmentTests {
    @Test(arguments: FileAttempt.all, 0..<2)
    fileprivate func `never follows a link that leads out`(
        attempt: FileAttempt, layout: Int
    ) throws {
        let trap = try Trap()
        let folder = trap.scratch.path("root")
        try Raw.folder(folder + "/in")
        try Raw.link(folder + "/in/up", to: layout == 0 ? "../.." : trap.scratch.path)
        try Raw.link(
            folder + "/link", to: layout == 0 ? "../outside" : trap.scratch.path("outside"))
        try Raw.link(
            folder + "/file",
            to: layout == 0 ? "../outside/secret" : trap.scratch.path("outside/secret"))
        try Raw.link(folder + "/dangling", to: "../outside/made")
        for through in ["link/secret", "link/new", "link/deep/secret", "in/up/outside/secret"] {
            #expect(throws: FileError.self, "\(through)") {
                try attempt.run(trap.root, path(through))
            }
            #expect(try trap.isOutsideUntouched(), "\(through)")
        }
        for last in ["link", "file", "dangling", "in/up"] {
            let found = try? attempt.run(trap.root, path(last))
            #expect(found != Trap.secret, "\(last)")
            #expect(try trap.isOutsideUntouched(), "\(last)")
        }
    }

    @Test func `says that a link was in the way`() throws {
        let trap = try Trap()
        let folder = trap.scratch.path("root")
        try Raw.link(folder + "/link", to: "../outside")
        try Raw.link(folder + "/file", to: "../outside/secret")
        #expect(throws: FileError.linkRefused(.open, path: folder + "/link")) {
            try trap.root.read(path("link/secret"), limit: 100)
        }
        #expect(throws: FileError.linkRefused(.open, path: folder + "/file")) {
            try trap.root.read(path("file"), limit: 100)
        }
    }

    @Test func `paths that leave the root cannot be said`() {
        for text in ["..", "../x", "a/../x", "/etc/passwd", "a//b", "./a", "a/", "", "a\u{0}b"] {
            #expect(TargetPath(text) == nil, "\(text)")
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `no sequence of operations on a random tree with links touches what lies outside`(
        seed: UInt64
    ) throws {
        var random = SeededGenerator(seed: seed)
        let trap = try Trap()
        var names = try plant(trap, &random)
        for _ in 0..<60 {
            let attempt = try #require(FileAttempt.all.randomElement(using: &random))
            let name = try #require(names.randomElement(using: &random))
            let tail = ["", "/secret", "/n\(random.next() % 3)", "/deep/secret", "/n0/n1"]
                .randomElement(using: &random)
            let tried = try path(name + (tail ?? ""))
            let found = try? attempt.run(trap.root, tried)
            #expect(found != Trap.secret, "\(attempt.name) \(tried)")
            if random.next() % 4 == 0 { names.append(tried.description) }
        }
        #expect(try trap.isOutsideUntouched())
    }

    /// Plants folders, files and links to random places, and returns their paths below the root.
    private func plant(_ trap: Trap, _ random: inout SeededGenerator) throws -> [String] {
        let targets = [
            "..", "../..", "../../outside", "../outside/secret", trap.scratch.path("outside"),
            trap.scratch.path("outside/secret"), "n0", "n1/n2", ".", "../root", "/", "nowhere",
            "../outside/made", trap.scratch.path("outside/deep"),
        ]
        var folders = [""]
        var names: [String] = []
        for index in 0..<20 {
            let folder = try #require(folders.randomElement(using: &random))
            let name = folder + (folder.isEmpty ? "" : "/") + "n\(index % 6)"
            let full = trap.scratch.path("root/" + name)
            guard !Raw.exists(full) else { continue }
            switch random.next() % 4 {
            case 0:
                try Raw.folder(full)
                folders.append(name)
            case 1: try Raw.file(full, bytes("mine"))
            default:
                try Raw.link(full, to: #require(targets.randomElement(using: &random)))
            }
            names.append(name)
        }
        return names
    }
}
