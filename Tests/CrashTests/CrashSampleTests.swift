import CrashSupport
import Speech
import TestSupport
import Testing

/// Samples of what `make test-crash` runs in full, by the same program (docs/crash-tests.md).
@Suite(.serialized) struct CrashSampleTests {
    /// Runs the program, which forks and so has a process of its own; its output where it finds nothing.
    private func run(_ words: String...) throws -> String {
        let agent = try ChildProcess(
            [ChildProcess.program("crash-agent")] + words, timeout: 600_000)
        let output = String(decoding: agent.output, as: UTF8.self)
        #expect(agent.ending == .exited(0), "\(output)\(agent.errors)")
        return output
    }

    @Test func `a device that is killed goes on, with one whole bundle active all the time`() throws
    {
        #expect(try run("kills", "--first", "137", "--stride", "331").contains(" 0 failures"))
    }

    @Test func `a device whose power is cut goes on, whatever was not synced`() throws {
        #expect(try run("cuts", "--first", "153", "--stride", "467").contains(" 0 failures"))
    }

    @Test func `a device whose calls fail goes on`() throws {
        #expect(try run("faults", "--first", "571", "--stride", "1000").contains(" 0 failures"))
    }

    @Test func `a device whose reads fail goes on`() throws {
        #expect(try run("reads", "--first", "25", "--stride", "120").contains(" 0 failures"))
    }

    @Test func `a download that is killed costs no more than what was not written`() throws {
        let line = try run("downloads")
        #expect(line.contains(" 0 failures"))
        let kills = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        #expect(kills > 20)
    }

    @Test(arguments: Variant.allCases)
    func `a device that does one thing wrong is found`(variant: Variant) throws {
        let table = try run("variants", "--catching", variant.rawValue)
        #expect(table.contains("\(variant.rawValue): "))
    }
}
