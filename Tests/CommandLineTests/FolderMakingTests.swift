import Console
import Foundation
import TestSupport
import Testing

/// Folders that commands make: gone where the command fails, and never with another's files.
@Suite struct FolderMakingTests {
    private let scratch = ScratchFolder("making")

    @Test(arguments: ["new", "new/", "./new"])
    func `a folder that was made for nothing is gone`(name: String) throws {
        let folder = scratch.path(name)
        #expect(making(folder) { try make(folder) } == "no room")
        #expect(try names().isEmpty)
    }

    @Test func `what another has put into a new folder meanwhile stays`() throws {
        let folder = scratch.path("new")
        #expect(making(folder) { try write(1, "\(folder)/key.json") } == "no room")
        #expect(try FileBytes.read("\(folder)/key.json", limit: 1) == [1])
    }

    @Test func `a folder that is there stays, though it is empty`() throws {
        let folder = scratch.path("old")
        try make(folder)
        #expect(making(folder) {} == "no room")
        var seen = ""
        let failure = makingWhole(folder) { draft in
            seen = draft
            throw Failure(.failed, "no room")
        }
        #expect(failure?.text == "no room")
        #expect(seen == folder)
        #expect(try names() == ["old"])
    }

    @Test(arguments: ["new", "new/"])
    func `a folder that must be whole appears with all that is in it`(name: String) throws {
        let folder = scratch.path(name)
        let failure = makingWhole(folder) { draft in
            try write(1, "\(draft)/data")
            #expect(!FileManager.default.fileExists(atPath: folder))
        }
        #expect(failure == nil)
        #expect(try names() == ["new"])
        #expect(try FileBytes.read(scratch.path("new/data"), limit: 1) == [1])
    }

    @Test func `a folder that cannot be whole leaves nothing, and is called by its own name`()
        throws
    {
        let folder = scratch.path("new")
        let failure = makingWhole(folder) { draft in
            try write(1, "\(draft)/data")
            throw Failure(.failed, "file '\(draft)/data': no room")
        }
        #expect(failure == Failure(.failed, "file '\(folder)/data': no room"))
        #expect(try names().isEmpty)
    }

    @Test func `who comes second to a folder that must be whole takes nothing from the first`()
        throws
    {
        let folder = scratch.path("new")
        let failure = makingWhole(folder) { draft in
            try write(2, "\(draft)/data")
            try write(1, "\(folder)/data")
        }
        #expect(failure?.kind == .busy)
        #expect(try names() == ["new"])
        #expect(try FileBytes.read("\(folder)/data", limit: 1) == [1])
    }

    /// What is said where, after this, there is no room.
    private func making(_ folder: String, _ work: () throws -> Void) -> String? {
        do {
            try FileBytes.making(folder) { () throws(Failure) in
                try Failure.catching("work") { try work() }
                throw Failure(.failed, "no room")
            }
            return nil
        } catch {
            return error.text
        }
    }

    private func makingWhole(
        _ folder: String, _ work: (String) throws -> Void
    ) -> Failure? {
        do {
            try FileBytes.makingWhole(folder) { (draft) throws(Failure) in
                try Failure.catching("work") { try work(draft) }
            }
            return nil
        } catch {
            return error
        }
    }

    private func make(_ folder: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
    }

    private func write(_ byte: UInt8, _ path: String) throws {
        try FileBytes.write([byte], to: path)
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: scratch.path)
    }
}
