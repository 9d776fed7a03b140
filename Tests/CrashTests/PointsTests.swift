import CrashSupport
import Glibc
import TestSupport
import Testing

struct PointsTests {
    /// `FIELDFARE_REGENERATE=1` writes the list instead of comparing it.
    @Test func `every change of the disk is a point that has a name`() throws {
        let agent = try ChildProcess([ChildProcess.program("crash-agent"), "points"])
        let text = String(decoding: agent.output, as: UTF8.self)
        let lines = text.split(separator: "\n")
        #expect(lines.count > 140, "\(agent.errors)")
        if unsafe getenv("FIELDFARE_REGENERATE") != nil {
            try write(text, to: Self.file)
            return
        }
        let bytes = try #require(RepositoryFiles.bytes(Self.file))
        let golden = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let known = Set(golden.map(Self.name))
        let found = Set(lines.map(Self.name))
        #expect(found.subtracting(known).sorted() == [], "effects that are no points")
        #expect(known.subtracting(found).sorted() == [], "points that are no effects")
        for line in Set(golden).symmetricDifference(lines).sorted() {
            Issue.record("\(golden.contains(line) ? "expected" : "got") '\(line)'")
        }
    }

    /// As above, for what the engine *reads* lets fail.
    @Test func `every read of the disk has a name, in the chapters in which it comes`() throws {
        let agent = try ChildProcess([ChildProcess.program("crash-agent"), "read-points"])
        let text = String(decoding: agent.output, as: UTF8.self)
        let lines = text.split(separator: "\n")
        #expect(lines.count > 150, "\(agent.errors)")
        if unsafe getenv("FIELDFARE_REGENERATE") != nil {
            try write(text, to: Self.readsFile)
            return
        }
        let bytes = try #require(RepositoryFiles.bytes(Self.readsFile))
        let golden = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        for line in Set(golden).symmetricDifference(lines).sorted() {
            Issue.record("\(golden.contains(line) ? "expected" : "got") '\(line)'")
        }
    }

    private func write(_ text: String, to name: String) throws {
        guard let file = unsafe fopen(RepositoryFiles.path(name), "w") else {
            throw StoryError("cannot write \(name)")
        }
        let written = unsafe fputs(text, file)
        let closed = unsafe fclose(file)
        #expect(written >= 0 && closed == 0)
    }

    private static let file = "fixtures/agent/crash-points.txt"
    private static let readsFile = "fixtures/agent/crash-reads.txt"

    private static func name(_ line: Substring) -> Substring {
        line.drop { $0 != " " }.dropFirst()
    }
}
