import Foundation
import ProgramTestSupport
import TestSupport
import Testing

/// The units, accounts and folders of `deploy/`, judged by systemd's own programs.
@Suite struct SystemdTests {
    static let units = ["fieldfare-agent.service", "fieldfare-registry.service"]

    @Test func `verifies every unit without a complaint`() throws {
        #expect(
            try Project.names(in: "deploy/systemd") == Self.units, "a unit that no test looks at")
        for unit in Self.units {
            let complaints = try verify(unit, try Project.text("deploy/systemd/\(unit)"))
            #expect(complaints.isEmpty, "\(unit): \(complaints)")
        }
    }

    @Test func `notices a misspelt line, and a program that is not there`() throws {
        let text = try Project.text("deploy/systemd/fieldfare-registry.service")
        let misspelt = text.replacingOccurrences(of: "ProtectClock=", with: "ProtectClok=")
        #expect(try verify("fieldfare-registry.service", misspelt).contains("ProtectClok"))
        let missing = text.replacingOccurrences(
            of: "ExecStart=/usr/bin/fieldfare-registry", with: "ExecStart=/usr/bin/no-such-program")
        #expect(try verify("fieldfare-registry.service", missing).contains("no-such-program"))
    }

    /// systemd's exposure score, from 0 to 100: the agent needs namespaces for its smoke test.
    @Test(arguments: [("fieldfare-agent.service", 40), ("fieldfare-registry.service", 20)])
    func `leaves little for a thief of the service to do`(unit: String, most: Int) throws {
        let root = try scratchRoot(unit, try Project.text("deploy/systemd/\(unit)"))
        let outcome = try Programs().run(
            "/usr/bin/systemd-analyze",
            [
                "security", "--offline=true", "--no-pager", "--threshold=\(most)",
                "--root=\(root.path)", unit,
            ], in: URL(fileURLWithPath: root.path))
        #expect(outcome.status == 0, "\(unit): \(outcome.output.suffix(200))\(outcome.errors)")
    }

    @Test func `starts what the program understands`() throws {
        let programs = try Programs()
        let text = try Project.text("deploy/systemd/fieldfare-registry.service")
        let commands = Self.values(of: ["ExecStartPre", "ExecStart"], in: text)
        #expect(commands.count == 2)
        for command in commands {
            let words = command.split(separator: " ").map(String.init)
            let program = try #require(words.first?.split(separator: "/").last)
            let option = try #require(words.firstIndex(of: "--config"))
            let help = try programs.run(
                String(program), words[1..<option] + ["--help"],
                in: FileManager.default.temporaryDirectory)
            #expect(help.status == 0, "\(command): \(help.errors)")
            #expect(help.output.contains("--config"), "\(command)")
        }
    }

    @Test func `the registry's committed configuration passes its check, a misspelt key does not`()
        throws
    {
        let programs = try Programs()
        let given = ["STATE_DIRECTORY": "/var/lib/x", "CREDENTIALS_DIRECTORY": "/run/x"]
        let example = Project.file("deploy/config/registry.json").path
        let here = FileManager.default.temporaryDirectory
        let good = try programs.run(
            "fieldfare-registry", ["config", "check", "--config", example], in: here,
            environment: given)
        #expect(good.status == 0, "\(good.errors)")
        #expect(good.json["port"] as? Int == 8_421)
        #expect(good.json["data"] as? String == "/var/lib/x")
        let alone = try programs.run(
            "fieldfare-registry", ["config", "check", "--config", example], in: here)
        #expect(alone.status == 2 && alone.errors.contains("data folder: expected one"))
        let scratch = ScratchFolder("registry")
        let damaged = try Project.text("deploy/config/registry.json").replacingOccurrences(
            of: "resign_interval_s", with: "resing_interval_s")
        try damaged.write(
            toFile: scratch.path("damaged.json"), atomically: true, encoding: .utf8)
        let bad = try programs.run(
            "fieldfare-registry", ["config", "check", "--config", scratch.path("damaged.json")],
            in: here, environment: given)
        #expect(bad.status != 0 && bad.errors.contains("resing_interval_s"), "\(bad.errors)")
    }

    /// The agent has one page of help; its check is run on the committed example instead.
    @Test func `the agent starts with the committed configuration's check`() throws {
        let programs = try Programs()
        let example = Project.file("deploy/config/agent.json").path
        let text = try Project.text("deploy/systemd/fieldfare-agent.service")
        let commands = Self.values(of: ["ExecStartPre", "ExecStart"], in: text)
            .map { $0.split(separator: " ").map(String.init) }
        #expect(
            commands == [
                [
                    "/usr/bin/fieldfare-agent", "config", "check", "--config",
                    "/etc/fieldfare/agent.json",
                ], ["/usr/bin/fieldfare-agent", "run", "--config", "/etc/fieldfare/agent.json"],
            ])
        let here = FileManager.default.temporaryDirectory
        let good = try programs.run(
            "fieldfare-agent", ["config", "check", "--config", example], in: here)
        #expect(good.status == 0, "\(good.errors)")
        #expect(good.output.contains("https://models.example.org"))
        let help = try programs.run("fieldfare-agent", ["--help"], in: here)
        #expect(help.output.contains("run") && help.output.contains("--config"))

        let scratch = ScratchFolder("agent")
        let damaged = try Project.text("deploy/config/agent.json").replacingOccurrences(
            of: "poll_interval_s", with: "pol_interval_s")
        try damaged.write(
            toFile: scratch.path("damaged.json"), atomically: true, encoding: .utf8)
        let bad = try programs.run(
            "fieldfare-agent", ["config", "check", "--config", scratch.path("damaged.json")],
            in: here)
        #expect(bad.status != 0 && bad.errors.contains("pol_interval_s"), "\(bad.errors)")
    }

    @Test func `hands over exactly the keys that the registry reads`() throws {
        let scratch = ScratchFolder("keys")
        let made = try Programs().run(
            "fieldfare-registry", ["keys", "generate", "--keys", scratch.path("keys")],
            in: URL(fileURLWithPath: scratch.path))
        try #require(made.status == 0)
        let text = try Project.text("deploy/systemd/fieldfare-registry.service")
        let credentials = Self.values(of: ["LoadCredential"], in: text)
        let names = credentials.compactMap { $0.split(separator: ":").first.map(String.init) }
        let files = try FileManager.default.contentsOfDirectory(atPath: scratch.path("keys"))
        #expect(names.sorted() == files.sorted())
        for credential in credentials {
            #expect(credential.contains(":/etc/fieldfare/online-keys/"))
        }
    }

    @Test func `points to pages that exist`() throws {
        for unit in Self.units {
            let text = try Project.text("deploy/systemd/\(unit)")
            for page in Self.values(of: ["Documentation"], in: text) {
                let name = try #require(page.split(separator: "/").last)
                #expect(page.hasPrefix("file:///usr/share/doc/fieldfare/"))
                #expect(try !Project.text("docs/\(name)").isEmpty)
            }
        }
    }

    /// systemd-sysusers makes the accounts below a root of the test's own, as it would on a new machine.
    @Test func `makes the accounts that the units run under`() throws {
        let root = try accountRoot()
        let rules = Project.file("deploy/sysusers.d/fieldfare.conf").path
        let folder = URL(fileURLWithPath: root.path)
        let dry = try Programs().run(
            "/usr/bin/systemd-sysusers", ["--dry-run", "--root=\(root.path)", rules], in: folder)
        #expect(dry.status == 0, "\(dry.errors)")
        for unit in Self.units {
            let text = try Project.text("deploy/systemd/\(unit)")
            for account in Self.values(of: ["User", "Group"], in: text) {
                #expect(
                    dry.errors.contains("'\(account)'"), "\(unit): nobody makes '\(account)'")
            }
        }
        let damaged = root.path("damaged.conf")
        try "u fieldfare registry - -\n".write(toFile: damaged, atomically: true, encoding: .utf8)
        let refused = try Programs().run(
            "/usr/bin/systemd-sysusers", ["--dry-run", "--root=\(root.path)", damaged], in: folder)
        #expect(refused.status != 0)
    }

    /// Carries the rules out below a root of the test's own, since systemd-tmpfiles 252 (Debian 12) has no dry run.
    ///
    /// Without the right to give files away it can only read them, and then only their syntax is tested.
    @Test func `makes the folders, and keeps the online keys from everybody but root`() throws {
        let root = try accountRoot()
        let rules = Project.file("deploy/tmpfiles.d/fieldfare.conf").path
        let isRoot = geteuid() == 0
        let arguments = ["--create", "--root=\(root.path)"] + (isRoot ? [] : ["--prefix=/none"])
        let made = try Programs().run(
            "/usr/bin/systemd-tmpfiles", arguments + [rules],
            in: URL(fileURLWithPath: root.path))
        #expect(made.status == 0 && made.errors.isEmpty, "\(made.errors)")
        guard isRoot else { return }
        let keys = try FileManager.default.attributesOfItem(
            atPath: root.path("etc/fieldfare/online-keys"))
        #expect(keys[.posixPermissions] as? Int == 0o700)
        #expect(keys[.ownerAccountID] as? Int == 0)
        let cache = try FileManager.default.attributesOfItem(
            atPath: root.path("var/cache/nginx/fieldfare"))
        #expect(cache[.ownerAccountID] as? Int == 33)
    }

    /// What systemd-analyze says about a unit; it exits with 0 on some complaints, so its words are what counts.
    private func verify(_ unit: String, _ text: String) throws -> String {
        let root = try scratchRoot(unit, text)
        let outcome = try Programs().run(
            "/usr/bin/systemd-analyze", ["verify", "--man=no", "--root=\(root.path)", unit],
            in: URL(fileURLWithPath: root.path))
        return outcome.errors + outcome.output + (outcome.status == 0 ? "" : "exit code not 0")
    }

    /// A root with the unit, systemd's own units, and the two programs of the units by name.
    private func scratchRoot(_ unit: String, _ text: String) throws -> ScratchFolder {
        let root = ScratchFolder("root")
        let files = FileManager.default
        for folder in ["etc/systemd/system", "usr/bin", "usr/lib/systemd"] {
            try files.createDirectory(
                atPath: root.path(folder), withIntermediateDirectories: true)
        }
        try files.copyItem(
            atPath: "/usr/lib/systemd/system", toPath: root.path("usr/lib/systemd/system"))
        for program in ["fieldfare-agent", "fieldfare-registry"] {
            try files.copyItem(atPath: "/usr/bin/true", toPath: root.path("usr/bin/\(program)"))
        }
        try text.write(
            toFile: root.path("etc/systemd/system/\(unit)"), atomically: true, encoding: .utf8)
        return root
    }

    private func accountRoot() throws -> ScratchFolder {
        let root = ScratchFolder("root")
        try FileManager.default.createDirectory(
            atPath: root.path("etc"), withIntermediateDirectories: true)
        for (file, text) in [
            ("passwd", "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\n"),
            ("group", "root:x:0:\nwww-data:x:33:\n"),
        ] {
            try text.write(
                toFile: root.path("etc/\(file)"), atomically: true, encoding: .utf8)
        }
        return root
    }

    /// The values of lines such as `User=fieldfare-agent`, in order.
    private static func values(of names: Set<String>, in text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            return parts.count == 2 && names.contains(parts[0]) ? parts[1] : nil
        }
    }
}
