import Foundation
import ProgramTestSupport
import Testing

/// What is signed rests on the signer's root, never on the registry's word.
@Suite struct RegistryThatLiesTests {
    /// Everything that takes its ground from a registry and signs, or stages what will be signed.
    private static let commands = [
        "publish build --key keys/ci.json --policy rollout.yaml",
        "publish build --key keys/ci.json --renew",
        "repo sign model.commands-en --key keys/thief.json --yes",
        "repo sign targets --key keys/targets.json --yes",
        "repo add-model more --release-key keys/more.json --key keys/targets.json",
        "repo add-model more --release-key keys/more.json --dir away",
        "keys revoke keys/root-c.json --dir away", "repo renew --dir away",
        "policy lift commands-en 1.0.0 --key keys/ci.json",
        "policy approve commands-en 1.0.0 --stage stable --key keys/ci.json",
    ]

    /// A registry whose root nobody trusts: the thief's, with one of the honest release keys and a thief's.
    private func liar() throws -> RegistryUnderTest {
        let registry = try RegistryUnderTest()
        for name in ["ci", "thief", "more", "more-targets"] {
            try registry.good("keys", "generate", name, "--out", "keys")
        }
        try registry.holdCeremony(releaseKeys: ("keys/ci.json", "keys/thief.json"))
        try registry.start()
        try registry.good("repo", "push", "--dir", "repo")
        // Proposals for every command to find.
        try registry.writeBundle("next", version: "1.1.0")
        try registry.good("bundle", "build", "next", "--out", "next-build")
        try registry.release(second: "keys/thief.json")
        try registry.good("publish", "next-build", "--key", "keys/ci.json")
        return registry
    }

    @Test func `what another root vouches for is not signed, and nothing is sent`() throws {
        let honest = try RegistryUnderTest()
        try honest.holdCeremony()
        let liar = try liar()
        try FileManager.default.copyItem(
            at: honest.folder.appendingPathComponent("root.json"),
            to: liar.folder.appendingPathComponent("honest.json"))
        for command in Self.commands {
            let words = command.split(separator: " ").map(String.init)
            let texts =
                words.prefix(3) == ["repo", "sign", "targets"]
                ? ["expected an open proposal, got none"]
                : [
                    "repository: cannot accept timestamp: expected valid signatures of 1 keys of root, got 0"
                ]
            try liar.refuses(
                words, texts[0].hasPrefix("repository") ? 10 : 1, texts,
                with: ["FIELDFARE_ROOT": "honest.json"])
        }
        // Its own root lets the same words through: it is the root that stopped them.
        for words in [
            "publish next-build --key keys/thief.json",
            "policy lift commands-en 1.0.0 --key keys/ci.json",
            "repo add-model more --release-key keys/more.json --key keys/targets.json",
            "keys revoke keys/root-c.json --dir away",
        ] {
            let outcome = try liar.cli(words.split(separator: " ").map(String.init), with: [:])
            #expect(outcome.status == 0, "\(words): \(outcome.errors)")
        }
    }

    @Test func `a root of trust is asked for before anything else`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.release()
        let expected = "root of trust: expected --root or FIELDFARE_ROOT, got neither"
        for command in Self.commands + ["repo verify"] where !command.contains("repo sign targets")
        {
            let words = command.split(separator: " ").map(String.init)
            try registry.refuses(
                words.map { $0.replacingOccurrences(of: "thief", with: "anna") }
                    .map { $0.replacingOccurrences(of: "more.json", with: "anna.json") },
                2, [expected, "hint: a copy of root.json"], with: ["FIELDFARE_ROOT": ""])
        }
        try registry.refuses(
            ["repo", "verify"], 10,
            ["root of trust 'keys/ci.json': cannot read root"],
            with: ["FIELDFARE_ROOT": "keys/ci.json"])
    }
}
