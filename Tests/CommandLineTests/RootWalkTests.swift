import Foundation
import ProgramTestSupport
import Testing

/// `repo rotate --simulate`: from every root version that a device may hold.
@Suite struct RootWalkTests {
    private func walks(_ outcome: Programs.Outcome) throws -> [[String: Any]] {
        try outcome.output.split(separator: "\n").map {
            try #require(
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }.filter { $0["type"] as? String == "walk" }
    }

    private func sign(_ role: String, _ key: String, _ registry: RegistryUnderTest) throws {
        try registry.good(
            "repo", "sign", role, "--dir", "repo", "--key", "keys/\(key).json", "--yes")
    }

    @Test func `walks a staged chain from each version, and names those that do not arrive`() throws
    {
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        let simulate = ["repo", "rotate", "--simulate", "--dir", "repo", "--json"]
        let whole = try registry.good("repo", "rotate", "--simulate", "--dir", "repo", "--json")
        #expect(try walks(whole).map { $0["targets"] as? Int } == [1])

        try registry.good("keys", "generate", "root-d", "--out", "keys")
        try registry.good(
            "keys", "rotate", "keys/root-a.json", "keys/root-d.json", "--dir", "repo")
        // Enough for the new root's own threshold, and not for the old one's.
        try sign("root", "root-d", registry)
        try sign("root", "root-b", registry)
        let half = try registry.cli(simulate, with: [:])
        #expect(half.status == 10)
        #expect(half.errors.contains("from root 1: cannot accept root: expected valid signatures"))
        #expect(try walks(half).map { $0["state"] as? String } == ["refused", "good"])
        #expect(try walks(half).map { $0["root"] as? Int } == [1, 2])
        try sign("root", "root-c", registry)
        #expect(
            try walks(registry.good("repo", "rotate", "--simulate", "--dir", "repo", "--json"))
                .map { $0["root"] as? Int } == [2, 2])

        // A third root names another key for targets, which has not signed them yet.
        try registry.good("keys", "generate", "targets-new", "--out", "keys")
        try registry.good(
            "keys", "rotate", "keys/targets.json", "keys/targets-new.json", "--dir", "repo")
        try sign("root", "root-b", registry)
        try sign("root", "root-c", registry)
        let unsigned = try registry.cli(simulate, with: [:])
        #expect(unsigned.status == 10)
        #expect(unsigned.errors.contains("from root 3: cannot accept targets"))
        #expect(try walks(unsigned).map { $0["root"] as? Int } == [3, 3, 3])
        try sign("targets", "targets-new", registry)
        try registry.good("repo", "rotate", "--simulate", "--dir", "repo")

        // Without the second root a device of the first cannot go on.
        try FileManager.default.removeItem(
            at: registry.folder.appendingPathComponent("repo/2.root.json"))
        let torn = try registry.cli(simulate, with: [:])
        #expect(torn.status == 10)
        #expect(torn.errors.contains("from root 1: cannot accept targets"))
        #expect(torn.errors.contains("from root 2: expected root 2, got none"))
        #expect(try walks(torn).map { $0["state"] as? String } == ["refused", "refused", "good"])
    }

    @Test func `a device that does not get to the newest root is refused, whatever targets say`()
        throws
    {
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        try registry.good("keys", "generate", "root-d", "--out", "keys")
        try registry.good(
            "keys", "rotate", "keys/root-a.json", "keys/root-d.json", "--dir", "repo")
        for key in ["root-b", "root-c"] { try sign("root", key, registry) }
        try registry.good("keys", "revoke", "keys/root-b.json", "--dir", "repo")
        for key in ["root-c", "root-d"] { try sign("root", key, registry) }
        try FileManager.default.removeItem(
            at: registry.folder.appendingPathComponent("repo/2.root.json"))
        let torn = try registry.cli("repo", "rotate", "--simulate", "--dir", "repo")
        #expect(torn.status == 10)
        #expect(
            torn.errors.contains("from root 1: expected root 2 to follow, got none"),
            "\(torn.errors)")
    }

    @Test func `walks what a registry publishes, by timestamp and snapshot`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.good("keys", "revoke", "keys/root-a.json", "--dir", "repo")
        try sign("root", "root-b", registry)
        try sign("root", "root-c", registry)
        try registry.good("repo", "push", "--dir", "repo")
        let good = try registry.good("repo", "rotate", "--simulate", "--json")
        #expect(try walks(good).map { $0["root"] as? Int } == [2, 2])
        let usage = try registry.cli("repo", "rotate")
        #expect(usage.status == 2)
        #expect(usage.errors.contains("keys rotate OLD NEW"))

        // A version that nobody gets to would be a walk without end.
        let file = registry.folder.appendingPathComponent("repo/root.json")
        let root = try String(contentsOf: file, encoding: .utf8)
        try root.replacingOccurrences(of: #""version":2"#, with: #""version":258"#)
            .write(to: file, atomically: true, encoding: .utf8)
        try registry.refuses(
            ["repo", "rotate", "--simulate", "--dir", "repo"], 10,
            ["expected at most 257 versions, got more"])
    }
}
