import Foundation
import ProgramTestSupport
import Testing

/// `repo sign --root`: a difference is shown against what the signer's own root vouches for.
@Suite struct TrustedBaseTests {
    private func replace(
        _ old: String, _ new: String, in file: String, _ registry: RegistryUnderTest
    ) throws {
        let url = registry.folder.appendingPathComponent(file)
        let text = try String(contentsOf: url, encoding: .utf8)
        try #require(text.contains(old))
        try text.replacingOccurrences(of: old, with: new)
            .write(to: url, atomically: true, encoding: .utf8)
    }

    private func copy(_ file: String, to other: String, _ registry: RegistryUnderTest) throws {
        try FileManager.default.copyItem(
            at: registry.folder.appendingPathComponent(file),
            to: registry.folder.appendingPathComponent(other))
    }

    @Test func `in a folder whose earlier versions somebody has changed`() throws {
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        try registry.good("keys", "generate", "root-d", "--out", "keys")
        try copy("repo/root.json", to: "mine.json", registry)
        let trusting = ["--dir", "repo", "--root", "mine.json", "--yes", "--key"]
        let none = "expected a version before it that follows from 'mine.json', got none"
        try registry.refuses(
            ["repo", "sign", "root"] + trusting + ["keys/root-a.json"], 10, ["root 1: " + none])
        try registry.good("keys", "rotate", "keys/root-a.json", "keys/root-d.json", "--dir", "repo")
        try registry.good(
            "repo", "add-model", "commands-de", "--dir", "repo", "--release-key", "keys/ci.json")
        for (role, key) in [("root", "root-b"), ("targets", "targets")] {
            let before = try registry.files()
            let sign = ["repo", "sign", role] + trusting + ["keys/\(key).json"]
            let good = try registry.cli(sign, with: [:])
            #expect(good.status == 0, "\(good.errors)")
            #expect(good.errors.contains("version 1 -> 2"))
            #expect(try registry.files() != before)

            try replace(#""threshold":1"#, #""threshold":2"#, in: "repo/1.\(role).json", registry)
            try registry.refuses(sign, 10, ["\(role) 2: " + none, "hint: do not sign"])
            let blind = try registry.cli(
                sign.filter { $0 != "--root" && $0 != "mine.json" }, with: [:])
            #expect(blind.status == 0, "who names no root sees what the folder says")
        }
    }

    @Test func `at a registry, as a device would judge it`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")
        try registry.good("publish", "build", "--key", "keys/ci.json", "--policy", "rollout.yaml")
        let online = try registry.programs.run(
            "fieldfare-registry", ["keys", "generate", "--keys", "online-2"], in: registry.folder)
        try online.output.write(
            to: registry.folder.appendingPathComponent("online-2.json"), atomically: true,
            encoding: .utf8)
        try registry.good(
            "repo", "init", "--dir", "other", "--root-key", "keys/root-a.json",
            "--root-threshold", "1", "--targets-key", "keys/targets.json", "--online",
            "online-2.json", "--model", "commands-en", "--release-key", "keys/ci.json")
        try registry.good(
            "repo", "sign", "root", "--dir", "other", "--key", "keys/root-a.json", "--yes")
        let sign = [
            "repo", "sign", "model.commands-en", "--key", "keys/anna.json", "--yes", "--json",
        ]
        try registry.refuses(
            sign.dropLast() + ["--root", "other/root.json"], 10,
            ["repository: cannot accept timestamp"])
        let live = try registry.cli(sign + ["--root", "repo/root.json"], with: [:])
        #expect(live.json["state"] as? String == "live", "\(live.errors)")
    }

    @Test func `two who sign in one folder at the same time both count`() throws {
        let registry = try RegistryUnderTest()
        for name in ["root-a", "root-b", "root-c", "targets", "ci"] {
            try registry.good("keys", "generate", name, "--out", "keys", "--plain")
        }
        let online = try registry.programs.run(
            "fieldfare-registry", ["keys", "generate", "--keys", "online"], in: registry.folder)
        try online.output.write(
            to: registry.folder.appendingPathComponent("online.json"), atomically: true,
            encoding: .utf8)
        for round in 0..<5 {
            let roots = ["a", "b", "c"].flatMap { ["--root-key", "keys/root-\($0).json"] }
            let made = try registry.cli(
                ["repo", "init", "--dir", "repo-\(round)"] + roots + [
                    "--targets-key", "keys/targets.json", "--online", "online.json", "--model",
                    "m", "--release-key", "keys/ci.json",
                ], with: [:])
            try #require(made.status == 0, "\(made.errors)")
            let signers = try ["a", "b", "c"].map { key in
                try registry.programs.start(
                    "fieldfare",
                    [
                        "repo", "sign", "root", "--dir", "repo-\(round)", "--key",
                        "keys/root-\(key).json", "--yes",
                    ], in: registry.folder, environment: registry.environment)
            }
            for signer in signers { #expect(try signer.end().status == 0) }
            let status = try registry.good("repo", "status", "--dir", "repo-\(round)", "--json")
            let root = try #require((status.json["roles"] as? [[String: Any]])?.first)
            #expect(root["signatures"] as? Int == 3)
        }
    }
}
