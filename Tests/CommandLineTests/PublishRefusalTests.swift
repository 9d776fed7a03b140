import Foundation
import ProgramTestSupport
import Testing

/// `fieldfare publish` with what cannot be published: refused before a byte is uploaded.
@Suite struct PublishRefusalTests {
    private let publish = ["publish", "build", "--key", "keys/ci.json"]

    @Test func `a key or a model that the repository does not know uploads nothing`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")
        try registry.refuses(
            ["publish", "build", "--key", "keys/targets.json", "--policy", "rollout.yaml"], 10,
            [
                "key \(try keyID("targets", registry)): expected one of role 'model.commands-en'",
                "got another", "hint: 'fieldfare repo status' lists the keys",
            ])

        try edit("bundle/bundle.yaml", in: registry) {
            $0.replacingOccurrences(of: "model: commands-en #", with: "model: commands-de #")
        }
        try registry.good("bundle", "build", "bundle", "--out", "other")
        try registry.refuses(
            ["publish", "other", "--key", "keys/ci.json"], 10,
            [
                "role 'model.commands-de': expected targets to delegate to it, got none",
                "hint: a new model needs the keys of 'targets'",
            ])
    }

    @Test func `a version that is published or proposed keeps its bytes`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")
        try edit("bundle/model-card.json", in: registry) { $0 + "\n" }
        try registry.good("bundle", "build", "bundle", "--out", "other")
        let other = ["publish", "other", "--key", "keys/ci.json"]
        let refusal = [
            "target 'bundles/commands-en/1.0.0.json': expected the bytes that are published",
            "got others", "hint: a published version never changes",
        ]
        try registry.good("publish", "build", "--key", "keys/ci.json", "--policy", "rollout.yaml")
        try registry.refuses(other, 10, refusal)
        try registry.good("repo", "sign", "model.commands-en", "--key", "keys/anna.json", "--yes")
        try registry.refuses(other, 10, refusal)

        // The manifest of the built folder, changed after it was signed.
        try edit("build/manifest.json", in: registry) {
            $0.replacingOccurrences(of: "by hand", with: "by hamd")
        }
        try registry.refuses(publish, 10, refusal)
        try edit("build/manifest.json", in: registry) {
            $0.replacingOccurrences(of: "by hamd", with: "by hand")
        }
        try registry.good("publish", "build", "--key", "keys/ci.json")

        // The bundle as it is, and another policy under a name that is taken.
        try edit("rollout.yaml", in: registry) { $0 + "\nmin_dwell: 1h\n" }
        try registry.refuses(
            publish + ["--policy", "rollout.yaml"], 10,
            [
                "target 'policies/commands-en/1.0.0.standard.json': expected the bytes",
                "got others", "hint:",
            ])
        try registry.good(
            "publish", "build", "--key", "keys/ci.json", "--policy", "slow=rollout.yaml")
    }

    @Test func `a wrong passphrase, and a token without the scope, publish nothing`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")
        try registry.refuses(
            publish, 10,
            [
                "'keys/ci.json': key file: expected the passphrase", "got another",
                "hint: a passphrase cannot be recovered",
            ],
            with: ["FIELDFARE_PASSPHRASE": "not the passphrase"])
        for (scope, needs) in [("read", "publish"), ("publish:two", "read:commands-en")] {
            let made = try registry.good(
                "token", "create", "--name", scope, "--scope", scope, "--json")
            try registry.refuses(
                publish, 10,
                [
                    "token: expected scope '\(needs)', got one without it",
                    "hint: ask an administrator for a token with scope '\(needs)'",
                ], with: ["FIELDFARE_TOKEN": try #require(made.json["token"] as? String)])
        }
        try registry.refuses(
            publish, 10, ["token: expected one that is in force, got none or another"],
            with: ["FIELDFARE_TOKEN": "ff_nobody"])
    }

    @Test func `a folder that is not as it was built uploads nothing`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")
        let blobs = registry.folder.appendingPathComponent("build/blobs")
        let names = try FileManager.default.contentsOfDirectory(atPath: blobs.path).sorted()
        // The one of the highest digest: whoever uploads in the order of names would come to it last.
        let blob = blobs.appendingPathComponent(try #require(names.last))
        let good = try Data(contentsOf: blob)
        var damaged = good
        damaged[0] ^= 1
        try damaged.write(to: blob)
        try registry.refuses(
            publish, 1,
            [
                "bundle 'build': expected no problem, got 1",
                "expected SHA-256 \(names.last ?? "")", "got ", "hint: build it again",
            ])
        try FileManager.default.removeItem(at: blob)
        try registry.refuses(
            publish, 1, ["bundle 'build': expected no problem, got 1", "expected a file to read"])
        try good.write(to: blob)
        try registry.good("publish", "build", "--key", "keys/ci.json")
    }

    @Test func `options that make no sense are wrong usage`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")
        for days in ["0", "3651", "9223372036854775807"] {
            try registry.refuses(
                publish + ["--days", days], 2, ["--days: expected 1 to 3650, got \(days)"])
        }
        try registry.refuses(
            publish + ["--policy", "rollout.yaml", "--policy", "standard=rollout.yaml"], 2,
            ["--policy: expected each name once, got 'standard' twice", "hint:"])
        try registry.refuses(
            publish + ["--policy", "A b=rollout.yaml"], 2, ["--policy: expected", "got 'A b'"])
    }

    private func keyID(_ name: String, _ registry: RegistryUnderTest) throws -> String {
        let shown = try registry.good("keys", "show", "keys/\(name).json", "--json")
        return try #require(shown.json["keyid"] as? String)
    }

    /// Changes a text file, and expects that it changed.
    private func edit(
        _ path: String, in registry: RegistryUnderTest, _ change: (String) -> String
    ) throws {
        let file = registry.folder.appendingPathComponent(path)
        let old = try String(contentsOf: file, encoding: .utf8)
        let new = change(old)
        try #require(new != old)
        try new.write(to: file, atomically: true, encoding: .utf8)
    }
}
