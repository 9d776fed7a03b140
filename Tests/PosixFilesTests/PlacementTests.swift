import Glibc
import PosixFiles
import Primitives
import TestSupport
import Testing

struct PlacementTests {
    private let scratch = ScratchFolder()
    private let content = [UInt8](repeating: 5, count: 3_000_000)

    private func folders(_ script: Script? = nil) throws -> (from: Directory, to: Directory) {
        let from = try Directory(making: scratch.path("from"))
        try from.replace(path("f"), with: content, mode: .readOnly)
        return (from, try Directory(making: scratch.path("to"), observer: script))
    }

    private func read(_ directory: Directory) throws -> [UInt8] {
        try directory.read(path("g"), limit: 4_000_000)
    }

    @Test func `places a file by each method`() throws {
        let (from, to) = try folders()
        let original = try #require(try from.status(path("f")))
        for method in [PlacementMethod.hardLink, .copy] {
            #expect(try to.place(path("g"), from: from, path("f"), by: [method]) == method)
            let status = try #require(try to.status(path("g")))
            #expect(status.isSameFile(as: original) == (method == .hardLink))
            #expect(status.mode == 0o444)
            #expect(try read(to) == content)
            try to.removeFile(path("g"))
        }
    }

    @Test func `falls to the next method where the file system cannot do one`() throws {
        let (from, to) = try folders()
        let method = try to.place(path("g"), from: from, path("f"))
        #expect([.reflink, .hardLink].contains(method))
        #expect(try read(to) == content)
        #expect(try to.list().map(\.name) == ["g"])
    }

    @Test func `copies through memory where the kernel will not`() throws {
        let script = Script(always: .proceed)
        let (from, to) = try folders(script)
        try to.place(path("g"), from: from, path("f"), by: [.copy])
        let copy = try #require(script.calls.firstIndex { $0.operation == .copy })
        try to.removeFile(path("g"))

        try Raw.folder(scratch.path("again"))
        // A root that exists is opened, and not made first.
        let opened = try #require(
            script.calls.firstIndex(of: Syscall(.open, scratch.path("to"))))
        let refusing = Script(verdicts: [copy - opened: .fail(errno: EXDEV)])
        let again = try Directory(opening: scratch.path("again"), observer: refusing)
        try again.place(path("g"), from: from, path("f"), by: [.copy])
        #expect(refusing.calls.filter { $0.operation == .copy }.count == 1)
        #expect(refusing.calls.filter { $0.operation == .write }.count >= 3)
        #expect(try read(again) == content)
    }

    @Test func `copies on after a short copy`() throws {
        let script = Script(always: .atMost(1_000_000))
        let (from, to) = try folders(script)
        try to.place(path("g"), from: from, path("f"), by: [.copy])
        #expect(script.calls.filter { $0.operation == .copy }.count == 3)
        #expect(try read(to) == content)
    }

    @Test(arguments: [PlacementMethod.hardLink, .copy])
    func `replaces nothing`(method: PlacementMethod) throws {
        let (from, to) = try folders()
        try to.replace(path("g"), with: [1])
        #expect(throws: FileError.self) {
            try to.place(path("g"), from: from, path("f"), by: [method])
        }
        #expect(try read(to) == [1])
        #expect(try to.list().map(\.name) == ["g"])
    }

    @Test func `refuses to place what is not a regular file`() throws {
        let (from, to) = try folders()
        try from.makeLink(path("l"), to: path("f"))
        try from.makeFolders(path("d"))
        #expect(throws: FileError.linkRefused(.open, path: from.path + "/l")) {
            try to.place(path("g"), from: from, path("l"))
        }
        #expect(throws: FileError.self) { try to.place(path("g"), from: from, path("d")) }
        #expect(try to.list().isEmpty)
    }

    @Test func `says so where no method is left`() throws {
        let (from, to) = try folders()
        #expect(throws: FileError.system(.link, path: to.path + "/g", errno: EXDEV)) {
            try to.place(path("g"), from: from, path("f"), by: [])
        }
    }

    @Test func `a kill at any step leaves the whole file or none`() throws {
        for method in [PlacementMethod.hardLink, .copy] {
            var kill = 0
            while true {
                let (from, _) = try folders()
                let folder = scratch.path("\(method.rawValue)-\(kill)")
                try Raw.folder(folder)
                let script = Script(kill: kill)
                do {
                    try Directory(opening: folder, observer: script)
                        .place(path("g"), from: from, path("f"), by: [method])
                    break
                } catch is FileError {
                    let after = try Directory(opening: folder)
                    let found = try after.readIfPresent(path("g"), limit: 4_000_000)
                    #expect(found == nil || found == content)
                }
                kill += 1
            }
            #expect(kill >= (method == .copy ? 8 : 2))
        }
    }
}
