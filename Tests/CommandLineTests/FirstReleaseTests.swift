import Foundation
import ProgramTestSupport
import Testing

/// "A FIRST RELEASE" of `fieldfare --help`, run in order as a reader runs it, once a registry has its root.
///
/// The model is `commands-en`, whose keys the ceremony made, and its files come from the project's own; the question that
/// a signer is asked is answered with yes.
@Suite struct FirstReleaseTests {
    @Test func `the help's own steps make a first release, and start it`() throws {
        let registry = try RegistryUnderTest.running()
        // The policy that `policy init` writes begins on the morning after that.
        let yesterday = Int(Date().timeIntervalSince1970) - 86_400
        registry.environment["SOURCE_DATE_EPOCH"] = "\(yesterday)"
        let lines = try Self.lines(registry)
        try #require(lines.count == 9)
        var outputs: [String] = []
        for (number, line) in lines.enumerated() {
            let outcome = try registry.programs.run(
                "/bin/bash", ["-c", line], in: registry.folder, environment: registry.environment,
                input: "y\n")
            try #require(outcome.status == 0, "\(line): \(outcome.errors)")
            outputs.append(outcome.output)
            if number == 0 { try putFiles(registry) }
        }
        #expect(outputs[1] == "commands-en: good\n")
        #expect(outputs[5] == "commands-en 1.0.0: held: 1 of 2 signatures\n")
        #expect(outputs[6] == "model.commands-en: live\n")
        #expect(outputs[8].hasPrefix("commands-en/main  1.0.0  running (beta)\n"))
    }

    /// A policy for an update, published for a first release, is told apart from it.
    @Test func `a policy that replaces versions cannot begin a first release`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.writeBundle()
        try FileManager.default.removeItem(
            at: registry.folder.appendingPathComponent("rollout.yaml"))
        try registry.good("policy", "init", "--model", "commands-en", "--version", "1.0.0")
        try registry.good("bundle", "build", "bundle", "--out", "build")
        try registry.good("publish", "build", "--key", "keys/ci.json", "--policy", "rollout.yaml")
        try registry.good(
            "repo", "sign", "model.commands-en", "--key", "keys/anna.json", "--yes")
        try registry.refuses(
            ["rollout", "create", "commands-en", "1.0.0"], 10,
            ["baseline: expected a completed release", "got none", "(by the CLI '--initial')"])
        try registry.refuses(
            ["rollout", "create", "commands-en", "1.0.0", "--initial"], 10,
            [
                "policy: expected an empty 'replaces', as a first release replaces nothing",
                "got one with versions", "policy init --initial",
            ])
    }

    private static func lines(_ registry: RegistryUnderTest) throws -> [String] {
        let help = try registry.good("--help").output
        let block = help.components(separatedBy: "A FIRST RELEASE").last?
            .components(separatedBy: "\n\n").first
        return try #require(block).split(separator: "\n").map(String.init)
            .filter { $0.contains("  fieldfare ") }.map { line in
                line.replacingOccurrences(of: "my-model", with: "commands-en")
                    .replacingOccurrences(of: "release-", with: "keys/")
            }
    }

    /// The model's files, beside the bundle.yaml that `bundle init` wrote.
    private func putFiles(_ registry: RegistryUnderTest) throws {
        try registry.writeBundle("files")
        let files = FileManager.default
        for name in try files.contentsOfDirectory(
            atPath: registry.folder.appendingPathComponent("files").path)
        where name != "bundle.yaml" {
            try files.moveItem(
                at: registry.folder.appendingPathComponent("files/\(name)"),
                to: registry.folder.appendingPathComponent("commands-en/\(name)"))
        }
        try files.removeItem(at: registry.folder.appendingPathComponent("rollout.yaml"))
    }
}
