import Foundation
import Primitives
import ProgramTestSupport
import RegistryTestSupport
import Testing

/// `policy check`, by itself and against a registry.
@Suite struct PolicyCheckTests {
    private static let check = ["policy", "check", "rollout.yaml", "--bundle", "build"]

    private func built() throws -> RegistryUnderTest {
        let registry = try RegistryUnderTest.running()
        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")
        return registry
    }

    private func server(_ registry: RegistryUnderTest) throws -> [String] {
        Self.check + ["--server", try #require(registry.environment["FIELDFARE_SERVER"])]
    }

    @Test func `a bundle may be checked against the registry before it is published`() throws {
        let registry = try built()
        let alone = try registry.cli(Self.check, with: [:])
        #expect(alone.output == "rollout.yaml: good\n")
        #expect(alone.errors.isEmpty, "the variable alone asks nobody")
        let before = try registry.trace()
        let checked = try registry.cli(server(registry), with: [:])
        #expect(checked.status == 0 && checked.output == "rollout.yaml: good\n")
        let note = "candidate: 1.0.0 is not live yet; to publish it is to sign it"
        #expect(checked.errors.contains("note: \(note)"), "\(checked.errors)")
        let json = try registry.cli(server(registry) + ["--json"], with: [:]).json
        #expect(json["type"] as? String == "policy" && json["state"] as? String == "good")
        #expect(json["notes"] as? [String] == [note] && json["warnings"] == nil)
        try registry.expectNoTrace(since: before)
    }

    @Test func `all that stands against a policy is listed at once, by the fleet and by itself`()
        throws
    {
        let registry = try built()
        let model = try #require(ModelName("commands-en"))
        try registry.enrol(TestDevice("one", model: model, labels: ["office"]))
        try """
        model: commands-en
        candidate: 1.0.0
        replaces: ["0.9.0"]
        stages:
          - name: beta
            share: 50%
            cap: 20%
            where: { regions: [eu, mars], locales: [xx] }
          - name: stable
        """.write(
            to: registry.folder.appendingPathComponent("rollout.yaml"), atomically: true,
            encoding: .utf8)
        try registry.refuses(
            server(registry), 10,
            [
                "policy 'rollout.yaml': expected no problem, got 4\n",
                "  field 'stages[0].cap': expected at least 50%, got 20%\n",
                "  field 'stages[0].where.regions': expected one of eu, got 'mars'\n",
                "  field 'stages[0].where.locales': expected one of en-GB, got 'xx'\n",
                "  policy: expected an empty 'replaces'",
                "warning: stage 'beta': expected to see ",
            ])
        try registry.refuses(
            server(registry) + ["--turns-per-day", "0"], 2,
            ["--turns-per-day: expected 1 to 100000, got 0"])
        // By itself the file has one problem.
        try registry.refuses(Self.check, 10, ["expected no problem, got 1\n"])
    }

    @Test func `a policy of another model is none of the bundle's`() throws {
        let registry = try RegistryUnderTest()
        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")
        let file = registry.folder.appendingPathComponent("rollout.yaml")
        try String(contentsOf: file, encoding: .utf8)
            .replacingOccurrences(of: "commands-en", with: "commands-de")
            .write(to: file, atomically: true, encoding: .utf8)
        try registry.refuses(
            Self.check, 10,
            ["field 'model': expected the bundle's model, commands-en, got 'commands-de'"])
    }
}
