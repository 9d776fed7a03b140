import Foundation
import ProgramTestSupport
import Testing

/// Keys that come and go, from the folder to the running registry.
@Suite struct KeyRotationTests {
    @Test func `root keys are rotated and revoked over several versions, pushed in one go`() throws
    {
        let registry = try RegistryUnderTest.running()
        for name in ["root-d", "snapshot"] {
            try registry.good("keys", "generate", name, "--out", "keys")
        }
        let rotate = ["keys", "rotate", "--dir", "repo"]
        try registry.refuses(
            rotate + ["keys/root-d.json", "keys/root-a.json"], 10,
            ["expected one that a role has, got another"])
        try registry.refuses(
            rotate + ["keys/root-a.json", "keys/targets.json"], 10,
            ["expected one for role 'root' alone, got one of role 'targets'"])
        try registry.refuses(rotate + ["keys/root-a.json"], 2, ["expected an old and a new key"])
        try registry.refuses(
            ["keys", "revoke", "keys/targets.json", "--dir", "repo"], 10,
            ["expected at least 1 keys to be left", "got 0", "hint:"])

        let first = try registry.good(
            "keys", "rotate", "keys/root-a.json", "keys/root-d.json", "--dir", "repo", "--json"
        ).json
        let signers = try #require(first["signers"] as? [[String: Any]])
        #expect(signers.map { $0["root"] as? Int } == [1, 2])
        #expect(signers.map { $0["threshold"] as? Int } == [2, 2])
        // The new key and one of the old two reach the new threshold, and not the old one.
        #expect(try registry.sign("root", ["root-d", "root-b"]) == "held")
        #expect(try registry.sign("root", ["root-c"]) == "signed")

        // Version 3 takes a key out; 2 has not been pushed yet. Then nothing is left to take.
        try registry.good("keys", "revoke", "keys/root-b.json", "--dir", "repo")
        #expect(try registry.sign("root", ["root-c", "root-d"]) == "signed")
        let pushed = try registry.good("repo", "push", "--dir", "repo", "--json").output
        #expect(pushed.split(separator: "\n").count == 3, "root 2, root 3, targets 1")
        let verified = try registry.good("repo", "verify", "--root", "repo/1.root.json", "--json")
        #expect(verified.json["root"] as? Int == 3)
        try registry.refuses(
            ["keys", "revoke", "keys/root-c.json", "--dir", "repo"], 10,
            ["role 'root': expected at least 2 keys to be left, its threshold, got 1"])
    }

    @Test func `a new targets key brings new targets along; changes gather until all have signed`()
        throws
    {
        let registry = try RegistryUnderTest.running()
        for name in ["targets-new", "anna-new"] {
            try registry.good("keys", "generate", name, "--out", "keys")
        }
        let rotated = try registry.good(
            "keys", "rotate", "keys/targets.json", "keys/targets-new.json", "--dir", "away",
            "--root", "repo/root.json", "--json"
        ).output
        #expect(rotated.split(separator: "\n").count == 2, "root and targets")
        try registry.good(
            "repo", "sign", "targets", "--dir", "away", "--key", "keys/targets-new.json", "--yes")
        let next = try registry.good(
            "keys", "rotate", "keys/anna.json", "keys/anna-new.json", "--dir", "away")
        #expect(next.output.contains("targets 3: staged"), "version 2 had its signature")
        for key in ["root-a", "root-b"] {
            try registry.good(
                "repo", "sign", "root", "--dir", "away", "--key", "keys/\(key).json", "--yes")
        }
        try registry.good(
            "keys", "revoke", "keys/root-c.json", "--dir", "away")
        let status = try registry.good("repo", "status", "--dir", "away", "--json").output
        #expect(status.contains(#""version":3"#))
        for key in ["root-a", "root-b"] {
            try registry.good(
                "repo", "sign", "root", "--dir", "away", "--key", "keys/\(key).json", "--yes")
        }
        try registry.good(
            "repo", "sign", "targets", "--dir", "away", "--key", "keys/targets-new.json", "--yes")
        try registry.good("repo", "push", "--dir", "away")
        let verified = try registry.good("repo", "verify", "--root", "repo/root.json", "--json")
        #expect(verified.json["root"] as? Int == 3)
    }

    @Test func `another chain than the trusted one is not built upon`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.good(
            "repo", "init", "--dir", "other", "--root-key", "keys/root-b.json",
            "--root-threshold", "1", "--targets-key", "keys/targets.json", "--online",
            "online.json", "--model", "m", "--release-key", "keys/ci.json")
        try registry.good(
            "repo", "sign", "root", "--dir", "other", "--key", "keys/root-b.json", "--yes")
        try registry.refuses(
            [
                "keys", "revoke", "keys/root-c.json", "--dir", "away", "--root",
                "other/root.json",
            ], 10, ["expected the chain that 'other/root.json' leads along", "hint: do not sign"])
    }

    @Test func `goes on where it was killed, and not from another's half`() throws {
        let registry = try RegistryUnderTest.running()
        let revoke = ["keys", "revoke", "keys/root-c.json", "--dir", "away"]
        try registry.good("keys", "revoke", "keys/root-c.json", "--dir", "away")
        let whole = try registry.files()["away/targets.json"]
        for file in ["root.json", "1.root.json"] {
            try FileManager.default.removeItem(
                at: registry.folder.appendingPathComponent("away/\(file)"))
        }
        let staged = try registry.cli(revoke, with: [:])
        #expect(staged.status == 0, "\(staged.errors)")
        #expect(try registry.files()["away/targets.json"] == whole)

        try registry.good("keys", "generate", "other", "--out", "keys")
        try registry.good(
            "keys", "rotate", "keys/ci.json", "keys/other.json", "--dir", "away")
        try FileManager.default.removeItem(
            at: registry.folder.appendingPathComponent("away/root.json"))
        try registry.refuses(
            revoke, 10, ["expected root.json and targets.json, or neither, got only targets.json"])
    }

    @Test func `what a stolen key has proposed stops nobody, by exchange or by hand`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")
        let publish = ["publish", "build", "--policy", "rollout.yaml", "--json", "--key"]
        #expect(
            try registry.cli(publish + ["keys/anna.json"], with: [:]).json["state"] as? String
                == "held")
        try registry.refuses(["repo", "withdraw", "plans.commands-en"], 2, ["role: expected root"])
        try registry.good("repo", "withdraw", "model.commands-en")
        let nothing = try registry.cli("repo", "withdraw", "model.commands-en")
        #expect(nothing.status == 1)
        #expect(
            try registry.cli(publish + ["keys/anna.json"], with: [:]).json["state"] as? String
                == "held")

        try registry.good("keys", "generate", "new", "--out", "keys")
        try registry.good("keys", "rotate", "keys/anna.json", "keys/new.json", "--dir", "repo")
        #expect(try registry.sign("targets", ["targets"]) == "signed")
        try registry.good("repo", "push", "--dir", "repo")
        let held = try registry.cli(publish + ["keys/ci.json"], with: [:])
        #expect(held.json["signatures"] as? Int == 1, "\(held.errors)")
        let live = try registry.cli(publish + ["keys/new.json"], with: [:])
        #expect(live.json["state"] as? String == "live", "\(live.errors)")
    }

    @Test func `after a change of keys, publish signs again only what a person knows to be good`()
        throws
    {
        let registry = try RegistryUnderTest.running()
        let publish = ["publish", "build", "--policy", "rollout.yaml", "--key"]
        try registry.release()
        // A thief of both release keys adds a version, which goes live.
        try registry.writeBundle("theirs", version: "6.6.6")
        try registry.good("bundle", "build", "theirs", "--out", "theirs-built")
        try registry.good("publish", "theirs-built", "--key", "keys/ci.json")
        try registry.good("repo", "sign", "model.commands-en", "--key", "keys/anna.json", "--yes")
        let file = "/tuf/2.model.commands-en.json"
        #expect(try registry.request(file).text.contains("6.6.6"))
        try registry.request("/tuf/1.model.commands-en.json").text.write(
            to: registry.folder.appendingPathComponent("good.json"), atomically: true,
            encoding: .utf8)

        for name in ["ci-new", "anna-new"] {
            try registry.good("keys", "generate", name, "--out", "keys")
        }
        try registry.good("keys", "rotate", "keys/ci.json", "keys/ci-new.json", "--dir", "repo")
        try registry.good("keys", "rotate", "keys/anna.json", "keys/anna-new.json", "--dir", "repo")
        #expect(try registry.sign("targets", ["targets"]) == "signed")
        try registry.good("repo", "push", "--dir", "repo")

        try registry.writeBundle("again", version: "1.0.0")
        try registry.refuses(
            publish + ["keys/ci-new.json"], 10,
            ["expected live metadata that its keys of today have signed", "--base"])
        try registry.refuses(
            publish + ["keys/ci-new.json", "--base", "repo/root.json"], 10, ["metadata of"])
        let held = try registry.cli(
            publish + ["keys/ci-new.json", "--base", "good.json", "--json"], with: [:])
        #expect(held.json["state"] as? String == "held", "\(held.errors)")
        #expect(held.errors.contains("'bundles/commands-en/6.6.6.json' is not signed again"))
        try registry.good(
            "repo", "sign", "model.commands-en", "--key", "keys/anna-new.json", "--yes")
        let text = try registry.request("/tuf/3.model.commands-en.json").text
        #expect(text.contains("bundles/commands-en/1.0.0.json") && !text.contains("6.6.6"))
        let again = try registry.cli(
            publish + ["keys/ci-new.json", "--base", "good.json", "--json"], with: [:])
        #expect(again.json["state"] as? String == "live", "\(again.errors)")
    }

    @Test func `a weak public key, and a key with two duties, get no role`() throws {
        let registry = try RegistryUnderTest.running()
        let weak = "01" + String(repeating: "0", count: 62)
        try registry.refuses(
            ["keys", "rotate", "keys/root-a.json", weak, "--dir", "repo"], 2,
            ["expected a public key, got other digits"])
        for (targets, release, other) in [
            ("root-a", "ci", "'root' alone, got one of role 'targets'"),
            ("targets", "root-b", "'root' alone, got one of role 'model.m'"),
            ("targets", "targets", "'targets' alone, got one of role 'model.m'"),
        ] {
            try registry.refuses(
                [
                    "repo", "init", "--dir", "other", "--root-key", "keys/root-a.json",
                    "--root-key",
                    "keys/root-b.json", "--targets-key", "keys/\(targets).json", "--online",
                    "online.json", "--model", "m", "--release-key", "keys/\(release).json",
                ], 10, ["expected one for role \(other)", "hint:"])
        }
    }

    @Test func `status names who has signed and who still can; renew changes the end alone`() throws
    {
        let registry = try RegistryUnderTest.running()
        func id(_ key: String) throws -> String {
            try #require(
                try registry.good("keys", "show", "keys/\(key).json", "--json").json["keyid"]
                    as? String)
        }
        try registry.refuses(
            ["repo", "renew", "plans.commands-en", "--dir", "repo"], 2,
            ["role: expected root or targets"])
        let staged = try registry.good(
            "repo", "renew", "root", "--dir", "repo", "--days", "400", "--json")
        #expect(staged.json["role"] as? String == "root")
        #expect(staged.json["version"] as? Int == 2)
        #expect(try registry.sign("root", ["root-c"]) == "held")
        let lines = try registry.good("repo", "status", "--dir", "repo").output
            .split(separator: "\n").map(String.init)
        #expect(lines.contains("root 2, by root 1: 1 of 2"))
        #expect(lines.contains("  signed    \(try id("root-c"))"))
        #expect(lines.contains("  can sign  \(try id("root-a"))"))
        let roles =
            try registry.good("repo", "status", "--dir", "repo", "--json")
            .json["roles"] as? [[String: Any]]
        let signers = try #require(roles?.first?["signers"] as? [[String: Any]])
        #expect(signers.map { $0["root"] as? Int } == [1, 2])
        #expect(signers.first?["signed_by"] as? [String] == [try id("root-c")])
        #expect(
            signers.first?["waiting_for"] as? [String]
                == [try id("root-a"), try id("root-b")].sorted())
        #expect(try registry.sign("root", ["root-a"]) == "signed")
        try registry.good("repo", "push", "--dir", "repo")
        #expect(
            try registry.good("repo", "verify", "--root", "repo/1.root.json", "--json")
                .json["root"] as? Int == 2)

        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")
        try registry.good("publish", "build", "--key", "keys/ci.json", "--policy", "rollout.yaml")
        let waiting = try registry.good("repo", "status").output
            .split(separator: "\n").map(String.init)
        #expect(waiting.contains("model.commands-en, proposal of version 1"))
        #expect(waiting.contains("  signed    \(try id("ci"))"))
        #expect(waiting.contains("  can sign  \(try id("anna"))"))
    }
}
