import Foundation
import ProgramTestSupport
import Testing

/// Words that cannot be read: wrong usage, before anybody is asked.
@Suite struct UsageTests {
    private static let device = "3f0c6e1f9a2b4c5d6e7f8091a2b3c4d5"

    /// No registry answers there: a command that asked it would end with 12.
    private static let nowhere = ["FIELDFARE_SERVER": "https://127.0.0.1:1"]

    @Test(arguments: ["targets", "root", "*", "a b", "..", ""])
    func `a model that is named as a role or a pattern is refused by every command`(
        name: String
    ) throws {
        let registry = try RegistryUnderTest()
        try registry.good("keys", "generate", "key", "--plain")
        let model = "expected a model name: a-z, 0-9 and '-', at most 63 characters"
        for order in [
            ["status"], ["start"], ["advance"], ["pause"], ["resume"], ["rollback"], ["freeze"],
            ["release"], ["plan"], ["pins"], ["exclude", "--region", "eu"],
            ["include", "--locale", "de"],
        ] {
            try registry.refuses(
                ["rollout"] + order + [name], 2, ["model: \(model)", "got '\(name)'"],
                with: Self.nowhere)
        }
        let commands = [
            (["rollout", "create", name, "1.0.0"], "model: \(model)"),
            (["explain", Self.device, "--model", name], "--model: \(model)"),
            (
                ["repo", "sign", "model.\(name)", "--key", "key.json"],
                "role: expected root, targets or model.<model>, got 'model.\(name)'"
            ),
            (["bundle", "init", name], "folder: \(model)"),
            (
                [
                    "repo", "init", "--dir", "repo", "--root-key", "key.json", "--targets-key",
                    "key.json", "--online", "none.json", "--release-key", "key.json", "--model",
                    name,
                ], "--model: \(model)"
            ),
        ]
        for (words, text) in commands {
            try registry.refuses(words, 2, [text, "got '"], with: Self.nowhere)
        }
    }

    @Test(arguments: [
        (
            ["rollout", "create", "m", "1.0"],
            "version: expected a SemVer version without build metadata, such as 1.4.0, got '1.0'"
        ),
        (
            ["rollout", "create", "m", "1.0.0", "--policy", "a/b"],
            "--policy: expected"
        ),
        (
            ["rollout", "start", "m", "--channel", "*"],
            "--channel: expected a channel name: a-z, 0-9 and '-', at most 63 characters, got '*'"
        ),
        (["rollout", "status", "m", "--channel", ".."], "--channel: expected a channel name"),
        (
            ["devices", "show", "../tokens"],
            "device: expected a device id: 32 lower-case hexadecimal digits, got '../tokens'"
        ),
        (["devices", "revoke", "xyz"], "device: expected a device id"),
        (
            ["token", "revoke", "../devices/3f0c6e1f9a2b4c5d6e7f8091a2b3c4d5"],
            "token: expected an id of 16 lower-case hexadecimal digits, got '../devices/"
        ),
        (["audit", "--limit", "0"], "--limit: expected 1 to 1000, got 0"),
        (["audit", "--limit", "1001"], "--limit: expected 1 to 1000, got 1001"),
        (["audit", "--after=-1"], "--after: expected 0 or more, got -1"),
    ])
    func `ids, names and numbers that are none ask nobody`(words: [String], text: String) throws {
        try RegistryUnderTest().refuses(words, 2, [text], with: Self.nowhere)
    }

    @Test(arguments: [
        "http://127.0.0.1:1", "HTTP://registry.example", "ftp://registry.example", "registry",
        "https://", "https:///v1", "https://:443", "https://a b", "https://a?b", "https://a@b",
    ])
    func `a server that is no https URL is wrong usage, and not unreachable`(url: String) throws {
        let registry = try RegistryUnderTest()
        let expected = "expected an https URL such as https://registry.example, got '\(url)'"
        try registry.refuses(
            ["repo", "status"], 2, ["FIELDFARE_SERVER: \(expected)"],
            with: ["FIELDFARE_SERVER": url])
        try registry.refuses(
            ["repo", "status", "--server", url], 2, ["--server: \(expected)"], with: Self.nowhere)
    }

    @Test func `what cannot be sent is not unreachable; what nobody takes is`() throws {
        let registry = try RegistryUnderTest.running()
        let address = try #require(registry.environment["FIELDFARE_SERVER"])
        try registry.refuses(
            ["repo", "status"], 1, ["registry \(address): cannot send", "keys/ci.json"],
            with: ["FIELDFARE_CA": "keys/ci.json"])
        try registry.refuses(
            ["repo", "status"], 2, ["header field 'authorization' is malformed"],
            with: ["FIELDFARE_TOKEN": "two\nlines"])
        for words in [["repo", "status"], ["repo", "verify", "--root", "repo/root.json"]] {
            try registry.refuses(
                words, 12, ["registry https://127.0.0.1:1: cannot reach"], with: Self.nowhere)
        }
        // Slashes at the end and capitals in the scheme are as good.
        let shouted = address.replacingOccurrences(of: "https", with: "HTTPS") + "//"
        let answer = try registry.cli(["repo", "status"], with: ["FIELDFARE_SERVER": shouted])
        #expect(answer.status == 0, "\(answer.errors)")
    }

    @Test func `what the registry cannot read is wrong usage, told once`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.release()
        for (words, text) in [
            (
                ["token", "create", "--name", "x", "--scope", "publish:*"],
                "field 'scopes[0]': expected a scope: publish, sign, operate, read or admin"
            ),
            (
                ["devices", "enrol-tokens", "--count", "0"],
                "field 'count': expected 1 to 10000, got 0"
            ),
            (
                ["rollout", "start", "commands-en", "--reason", "a\u{7}"],
                "field 'reason': expected text of one line, got a control character"
            ),
        ] {
            try registry.refuses(words, 2, [text])
        }
        let unknown = try registry.cli("rollout", "create", "commands-en", "9.9.9", "--initial")
        #expect(
            unknown.errors == """
                fieldfare: registry: expected no problem, got 2
                  policy 'policies/commands-en/9.9.9.standard.json': expected one that is live, got none
                  candidate: expected a bundle that is live, got none of version 9.9.9

                """)
        try Data("no root".utf8).write(to: registry.folder.appendingPathComponent("no-root"))
        try registry.refuses(
            ["repo", "verify", "--root", "no-root"], 10,
            ["fieldfare: root of trust 'no-root': cannot read root: JSON at byte 1: expected null"])
    }

    @Test func `repo init writes both files or none`() throws {
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        try FileManager.default.removeItem(
            at: registry.folder.appendingPathComponent("repo/root.json"))
        try registry.refuses(
            [
                "repo", "init", "--dir", "repo", "--root-key", "keys/root-a.json",
                "--root-threshold", "1", "--targets-key", "keys/targets.json", "--online",
                "online.json", "--model", "commands-en", "--release-key", "keys/ci.json",
            ], 10, ["'repo/targets.json': expected none yet, got one"])
    }
}
