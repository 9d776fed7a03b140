import Foundation
import ProgramTestSupport
import TestSupport
import Testing

/// What `bundle init` and `policy init` write.
@Suite struct TemplateTests {
    private let scratch = ScratchFolder("templates")

    @Test func `bundle init writes the example of manifests`() throws {
        let made = try fieldfare(["bundle", "init", "commands-en", "--json"])
        #expect(made.status == 0 && made.json["path"] as? String == "commands-en/bundle.yaml")
        #expect(try text("commands-en/bundle.yaml") == Project.text("manifests/bundle.yaml"))

        let again = try fieldfare(["bundle", "init", "commands-en"])
        #expect(again.status == 10 && again.errors.contains("expected none yet, got one"))
        #expect(try text("commands-en/bundle.yaml") == Project.text("manifests/bundle.yaml"))
    }

    @Test func `policy init writes the example of manifests`() throws {
        let made = try fieldfare([
            "policy", "init", "--model", "commands-en", "--version", "1.4.0", "--json",
        ])
        #expect(made.status == 0 && made.json["path"] as? String == "rollout.yaml")
        #expect(try text("rollout.yaml") == Project.text("manifests/rollout.yaml"))

        let again = try fieldfare(["policy", "init", "--model", "other", "--version", "1.4.0"])
        #expect(again.status == 10)
        #expect(try text("rollout.yaml") == Project.text("manifests/rollout.yaml"))
    }

    @Test func `policy init of the template for two people writes its own example of manifests`()
        throws
    {
        let made = try fieldfare([
            "policy", "init", "--model", "commands-en", "--version", "1.4.0", "--template",
            "signed",
        ])
        #expect(made.status == 0)
        #expect(try text("rollout.yaml") == Project.text("manifests/signed-rollout.yaml"))
        let other = try fieldfare([
            "policy", "init", "--model", "a", "--version", "1.4.0", "--template", "hasty",
            "--out", "other.yaml",
        ])
        #expect(other.status == 2 && other.errors.contains("standard"), "\(other.errors)")
    }

    @Test func `policy init of a first release writes its own example of manifests`() throws {
        let made = try fieldfare([
            "policy", "init", "--model", "commands-en", "--version", "1.0.0", "--initial",
        ])
        #expect(made.status == 0)
        #expect(try text("rollout.yaml") == Project.text("manifests/first-rollout.yaml"))
    }

    @Test(arguments: ["p.yaml", "./p.yaml", "new/p.yaml", "./new//p.yaml", "sub/../p.yaml"])
    func `policy init writes where it is told to`(path: String) throws {
        try FileManager.default.createDirectory(
            atPath: scratch.path("sub"), withIntermediateDirectories: true)
        let made = try fieldfare([
            "policy", "init", "--model", "a", "--version", "1.0.0", "--out", path,
        ])
        #expect(made.status == 0, "\(made.errors)")
        #expect(try text(path).hasPrefix("# How release 1.0.0 of a may spread."))
    }

    @Test(arguments: [".", "./", "..", "../", "new", "./new/", "new/deep/"])
    func `keys generate writes where it is told to`(folder: String) throws {
        let below = scratch.path("below")
        try FileManager.default.createDirectory(
            atPath: below, withIntermediateDirectories: true)
        let made = try Programs().run(
            "fieldfare", ["keys", "generate", "a", "--plain", "--out", folder],
            in: URL(fileURLWithPath: below))
        #expect(made.status == 0, "\(made.errors)")
        #expect(FileManager.default.fileExists(atPath: "\(below)/\(folder)/a.json"))
    }

    @Test func `policy init speaks of the model and version that were named, and nothing else`()
        throws
    {
        let made = try fieldfare([
            "policy", "init", "--model", "dictation-de", "--version", "2.0.0", "--out", "two.yaml",
        ])
        #expect(made.status == 0)
        let text = try text("two.yaml")
        #expect(text.contains("# How release 2.0.0 of dictation-de may spread."))
        #expect(text.contains(#"replaces: ["0.0.0..<2.0.0"]"#))
        #expect(!text.contains("commands-en"))
    }

    @Test func `what both write passes both checks`() throws {
        let registry = try RegistryUnderTest()
        try registry.writeBundle()
        try registry.good("bundle", "check", "bundle")
        try registry.good("bundle", "build", "bundle", "--out", "build")
        for (flags, replaced) in [
            ([], ["0.0.0..<1.0.0"]), (["--initial"], []),
            (["--template", "signed"], ["0.0.0..<1.0.0"]),
            (["--template", "signed", "--initial"], []),
        ] {
            let words = ["policy", "init", "--model", "commands-en", "--version", "1.0.0"]
            let made = try registry.cli(words + ["--out", "p.yaml"] + flags, with: [:])
            #expect(made.status == 0, "\(made.errors)")
            let checked = try registry.good(
                "policy", "check", "p.yaml", "--bundle", "build", "--json")
            #expect(checked.json["state"] as? String == "good")
            let policy = try #require(checked.json["policy"] as? [String: Any])
            #expect(policy["replaces"] as? [String] == replaced)
            try FileManager.default.removeItem(
                at: registry.folder.appendingPathComponent("p.yaml"))
        }
    }

    private func fieldfare(_ arguments: [String]) throws -> Programs.Outcome {
        // Sunday, 2026-11-22, 10:00 UTC: the policy begins on Monday at 08:00.
        try Programs().run(
            "fieldfare", arguments, in: URL(fileURLWithPath: scratch.path),
            environment: ["SOURCE_DATE_EPOCH": "1795341600"])
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: scratch.path(name), encoding: .utf8)
    }
}
