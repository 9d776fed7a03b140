import Foundation
import ProgramTestSupport
import Testing

/// `fieldfare-fleet voice` on the folder of a bundle: what it says of each turn, and of all.
@Suite struct VoiceTests {
    @Test func `a turn says what it took, on the processor and in memory`() throws {
        let registry = try RegistryUnderTest()
        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")
        try FileManager.default.copyItem(
            at: registry.folder.appendingPathComponent("build/manifest.json"),
            to: registry.folder.appendingPathComponent("bundle/manifest.json"))
        let outcome = try registry.programs.run(
            "fieldfare-fleet",
            ["voice", "--folder", "bundle", "--turns", "3", "--interval-ms", "10"],
            in: registry.folder)
        try #require(outcome.status == 0, "\(outcome.errors)")
        let lines = try outcome.output.split(separator: "\n").map {
            try #require(
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        try #require(lines.count == 4)
        for turn in lines.dropLast() {
            // The process holds the runtime's libraries and the model: some tens of megabytes.
            let memory = try #require(turn["memory_kib"] as? Int)
            #expect((10_000..<4_000_000).contains(memory))
            #expect(try #require(turn["cpu_us"] as? Int) > 0)
            #expect(try #require(turn["latency_us"] as? Int) > 0)
        }
        #expect(lines[3]["turns"] as? Int == 3)
        #expect(lines[3]["version_turns"] as? Int == 3)
    }
}
