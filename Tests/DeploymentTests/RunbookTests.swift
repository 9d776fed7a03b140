import Foundation
import ProgramTestSupport
import Testing

/// The shell blocks of the runbooks, run as they are printed against a running registry.
@Suite struct RunbookTests {
    @Test func `rotates the online keys, restores a backup and goes back, as the pages say`() throws
    {
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        try registry.start()
        try registry.good("repo", "push", "--dir", "repo")
        try release(registry)

        try rotateOnlineKeys(of: registry)
        try replaceReleaseKey(of: registry)
        try renewOfflineMetadata(of: registry)
        try restoreFromBackup(registry)
        try rollBack(registry)
    }

    @Test func `names commands and options that exist`() throws {
        let manuals = [try Manual("fieldfare"), try Manual("fieldfare-registry")]
        var seen = 0
        for name in try Project.names(in: "docs/runbooks") {
            let page = try Project.text("docs/runbooks/\(name)")
            for match in page.matches(of: /`(fieldfare(?:-registry)?) ([^`]+)`/) {
                let manual = try #require(manuals.first { $0.program == match.1 })
                let complaint = manual.complaint(about: String(match.2))
                #expect(complaint == nil, "\(name)")
                seen += 1
            }
        }
        #expect(seen > 30)
    }

    private func release(_ registry: RegistryUnderTest) throws {
        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")
        try registry.good("publish", "build", "--key", "keys/ci.json", "--policy", "rollout.yaml")
        try registry.good(
            "repo", "sign", "model.commands-en", "--key", "keys/anna.json", "--yes")
        try registry.good("rollout", "create", "commands-en", "1.0.0", "--initial")
        try registry.good("rollout", "start", "commands-en")
    }

    private func rotateOnlineKeys(of registry: RegistryUnderTest) throws {
        let blocks = try Self.blocks(of: "stolen-online-key.md")
        try #require(blocks.count == 3)
        try run(blocks[0], registry)
        registry.stop()
        let files = FileManager.default
        for key in ["snapshot.key", "timestamp.key", "plans.key"] {
            let old = registry.folder.path + "/online/\(key)"
            try files.removeItem(atPath: old)
            try files.copyItem(atPath: registry.folder.path + "/new-keys/\(key)", toPath: old)
        }
        try registry.start()
        try run(blocks[1], registry, ["ROOT": "repo/root.json"])
        try run(
            "yes | {\n\(blocks[2])\n}", registry,
            [
                "ROOT_KEY_A": "keys/root-a.json", "ROOT_KEY_B": "keys/root-c.json",
                "TARGETS_KEY": "keys/targets.json",
            ])
        let verified = try registry.good("repo", "verify", "--root", "repo/root.json", "--json")
        #expect(verified.json["root"] as? Int == 2)
        #expect(verified.json["targets"] as? Int == 3, "bundle, policy and plan")
        let online = try String(
            contentsOf: registry.folder.appendingPathComponent("new-online.json"), encoding: .utf8)
        for match in online.matches(of: /"keyid":"([0-9a-f]{64})"/) {
            let signed = try ["timestamp", "\(try newest("snapshot", registry)).snapshot"]
                .map { try registry.request("/tuf/\($0).json").text }
            let plans = try registry.request(
                "/tuf/\(try newest("plans.commands-en", registry)).plans.commands-en.json")
            #expect(
                (signed + [plans.text]).contains { $0.contains(match.1) },
                "the registry signs with \(match.1)")
        }
    }

    private func replaceReleaseKey(of registry: RegistryUnderTest) throws {
        let blocks = try Self.blocks(of: "lost-release-key.md")
        try #require(blocks.count == 2)
        try registry.good("keys", "generate", "release-new", "--out", "keys")
        try run("rm -r ceremony", registry)
        try run(
            "yes | {\n\(blocks[0])\n}", registry,
            [
                "OLD_KEY": "keys/anna.json", "ROOT": "repo/root.json",
                "TARGETS_KEY": "keys/targets.json",
            ])
        let broken = try registry.cli("repo", "verify", "--root", "repo/root.json")
        #expect(broken.status == 10, "one signature of two counts: \(broken.output)")
        try run(
            "yes | {\n\(blocks[1])\n}", registry,
            ["MODEL": "commands-en", "OTHER_KEY": "keys/ci.json", "GOOD": "1"])
        let verified = try registry.good("repo", "verify", "--root", "repo/root.json", "--json")
        #expect(verified.json["targets"] as? Int == 3)
        let old = try registry.good("keys", "show", "keys/anna.json", "--json").json["keyid"]
        let roles = try registry.good("repo", "status", "--json").output
        #expect(!roles.contains(try #require(old as? String)))
    }

    private func renewOfflineMetadata(of registry: RegistryUnderTest) throws {
        let blocks = try Self.blocks(of: "offline-metadata-expires.md")
        try #require(blocks.count == 1)
        let before = try newest("targets", registry)
        try run("rm -r ceremony", registry)
        try run(
            "yes | {\n\(blocks[0])\n}", registry,
            [
                "ROOT": "repo/root.json", "ROOT_KEY_A": "keys/root-a.json",
                "ROOT_KEY_B": "keys/root-b.json", "TARGETS_KEY": "keys/targets.json",
            ])
        let verified = try registry.good("repo", "verify", "--root", "repo/root.json", "--json")
        #expect(verified.json["root"] as? Int == 3)
        #expect(try newest("targets", registry) == before + 1)

        let model = try newest("model.commands-en", registry)
        let publish = ["publish", "build", "--key", "keys/ci.json", "--policy", "rollout.yaml"]
        try run("fieldfare " + publish.joined(separator: " "), registry)
        #expect(try newest("model.commands-en", registry) == model, "it is live")
        try run("fieldfare \((publish + ["--renew"]).joined(separator: " "))", registry)
        try registry.good(
            "repo", "sign", "model.commands-en", "--key", "keys/release-new.json", "--yes")
        #expect(try newest("model.commands-en", registry) == model + 1)
    }

    private func restoreFromBackup(_ registry: RegistryUnderTest) throws {
        let blocks = try Self.blocks(of: "restore-registry.md")
        try #require(blocks.count == 2)
        let variables = [
            "DATA": registry.folder.path + "/data", "BACKUP": registry.folder.path + "/backup",
        ]
        try run("mkdir backup", registry)
        try run(blocks[0], registry, variables)
        registry.stop()
        try FileManager.default.removeItem(atPath: registry.folder.path + "/data")
        try run(blocks[1], registry, variables)
        let audit = try registry.programs.run(
            "fieldfare-registry", ["audit", "verify", "--data", "data"], in: registry.folder)
        #expect(audit.status == 0, "\(audit.errors)")
        try registry.start()
        let verified = try registry.good("repo", "verify", "--root", "repo/root.json", "--json")
        #expect(verified.json["targets"] as? Int == 3)
        #expect(try registry.request("/readyz").status == 200)
    }

    private func rollBack(_ registry: RegistryUnderTest) throws {
        let blocks = try Self.blocks(of: "emergency-rollback.md")
        try #require(blocks.count == 1)
        // This registry's only release is its first, which has nothing before it.
        let block = blocks[0].trimmingCharacters(in: .newlines) + " --leave-no-model"
        try run(block, registry, ["MODEL": "commands-en", "WHY": "it hurts"])
        let status = try registry.good("rollout", "status", "commands-en", "--json")
        #expect(status.json["state"] as? String == "rolled_back")
    }

    /// The newest version of a role that the registry serves.
    private func newest(_ role: String, _ registry: RegistryUnderTest) throws -> Int {
        var version = 0
        while try registry.request("/tuf/\(version + 1).\(role).json").status == 200 {
            version += 1
        }
        return version
    }

    private func run(
        _ block: String, _ registry: RegistryUnderTest, _ variables: [String: String] = [:]
    ) throws {
        let outcome = try registry.programs.run(
            "/bin/bash", ["-e", "-c", block], in: registry.folder,
            environment: registry.environment.merging(variables) { _, new in new })
        try #require(outcome.status == 0, "\(block)\n\(outcome.errors)")
    }

    /// The page's blocks of shell, without the indentation of the list that they stand in.
    private static func blocks(of page: String) throws -> [String] {
        var blocks: [String] = []
        var open: (indent: Int, lines: [Substring])?
        for line in try Project.text("docs/runbooks/\(page)")
            .split(separator: "\n", omittingEmptySubsequences: false)
        {
            if let block = open {
                if line.drop(while: { $0 == " " }) == "```" {
                    blocks.append(block.lines.joined(separator: "\n"))
                    open = nil
                } else {
                    open?.lines.append(line.dropFirst(block.indent))
                }
            } else if line.hasSuffix("```sh") {
                open = (line.count - 5, [])
            }
        }
        return blocks
    }
}
