import ProgramTestSupport
import Testing

/// `repo add-model`, from the folder or straight to the running registry.
@Suite struct AddModelTests {
    @Test func `a second model is staged, signed, pushed and published to`() throws {
        let registry = try RegistryUnderTest.running()
        let add = ["repo", "add-model", "commands-de", "--dir", "repo", "--release-key"]
        try registry.refuses(
            ["repo", "add-model", "Not A Model"] + add.dropFirst(3) + ["keys/ci.json"],
            2, ["model: expected", "'Not A Model'"])
        try registry.refuses(
            ["repo", "add-model", "commands-en"] + add.dropFirst(3) + ["keys/ci.json"],
            10, ["model 'commands-en': expected a new one, got one that exists"])
        try registry.refuses(
            add + ["keys/root-a.json"], 10,
            ["expected one for role 'model.commands-de' alone, got one of role 'root'"])
        try registry.refuses(
            add + ["keys/ci.json", "--release-threshold", "2"], 2,
            ["release threshold: expected 1 to 1, got 2"])
        try registry.refuses(
            ["repo", "add-model", "commands-de", "--release-key", "keys/ci.json"], 2,
            ["expected --dir, or --key"])
        // What is refused leaves no folder, from which a later one would start although it is stale.
        try registry.refuses(
            [
                "repo", "add-model", "commands-en", "--dir", "away", "--release-key",
                "keys/ci.json",
            ], 10, ["model 'commands-en': expected a new one, got one that exists"])
        try registry.refuses(
            ["keys", "revoke", "keys/targets.json", "--dir", "away"], 10,
            ["role 'targets': expected at least 1 keys to be left, its threshold, got 0"])

        let staged = try registry.good(
            "repo", "add-model", "commands-de", "--dir", "repo", "--release-key", "keys/ci.json",
            "--json"
        ).json
        #expect(staged["role"] as? String == "targets")
        #expect(staged["version"] as? Int == 2)
        try registry.refuses(
            ["repo", "push", "--dir", "repo"], 10,
            ["role 'targets': expected 1 signatures, got 0"])
        try registry.refuses(
            ["repo", "sign", "targets", "--dir", "repo", "--key", "keys/ci.json", "--yes"], 10,
            ["expected one that may sign this role, got another"])
        #expect(try registry.sign("targets", ["targets"]) == "signed")
        try registry.good("repo", "push", "--dir", "repo")
        let roles = try registry.good("repo", "status", "--json").output
        #expect(roles.contains("model.commands-de") && roles.contains("plans.commands-de"))
        try registry.good("repo", "verify", "--root", "repo/root.json")
    }

    @Test func `a second model is proposed to the registry, from no folder`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.refuses(
            [
                "repo", "add-model", "commands-de", "--release-key", "keys/ci.json", "--key",
                "keys/ci.json",
            ], 10, ["expected one that may sign this role, got another"])
        let live = try registry.good(
            "repo", "add-model", "commands-de", "--release-key", "keys/ci.json", "--key",
            "keys/targets.json", "--root", "repo/root.json", "--json"
        ).json
        #expect(live["state"] as? String == "live")
        #expect(try registry.good("repo", "status", "--json").output.contains("model.commands-de"))
    }
}
