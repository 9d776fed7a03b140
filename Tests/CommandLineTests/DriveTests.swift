import Foundation
import ProgramTestSupport
import Testing

/// `fieldfare-fleet drive` against a running registry over TLS: what it counts, and that it fails where something does.
@Suite struct DriveTests {
    @Test func `every device enrols, polls and reports, and the registry says the same`() throws {
        let registry = try Self.registry()
        try Self.startRollout(registry)
        let outcome = try Self.drive(registry, "--devices", "20", "--rounds", "2")
        try #require(outcome.status == 0, "\(outcome.errors)\(outcome.output)")
        let page = try JSONPage("fieldfare-fleet", leastRows: 1)
        #expect(try page.check(Substring(outcome.output), of: ["drive"]).count == 1)
        let told = outcome.json
        #expect(told["enrolled"] as? Int == 20)
        #expect(told["failed"] as? Int == 0)
        #expect(told["connections"] as? Int == 20, "each keeps its own")
        // Nothing is published between the rounds: the controller rests for an hour.
        #expect(told["not_modified"] as? Int == 20)
        let kinds = try #require(told["kinds"] as? [[String: Any]])
        let requests = Dictionary(
            uniqueKeysWithValues: kinds.compactMap { kind in
                (kind["kind"] as? String).map { ($0, kind["requests"] as? Int ?? 0) }
            })
        #expect(requests["enrolment"] == 20 && requests["root"] == 40)
        #expect(requests["timestamp"] == 40)
        // Snapshot, targets, model.commands-en and plans.commands-en, in the first round only.
        #expect(requests["metadata"] == 80)
        #expect(requests["reports", default: 0] >= 40)
        #expect(requests.values.reduce(0, +) == told["requests"] as? Int)
        let reports = try #require(told["reports"] as? [String: Int])
        let view = try #require(told["registry"] as? [String: Int])
        #expect(reports["sent", default: 0] >= 40)
        #expect(reports["accepted"] == reports["sent"])
        #expect(view == ["known": 20, "reports_accepted": reports["sent", default: 0]])
        let listed = try registry.good("devices", "list", "--json").output.split(separator: "\n")
        #expect(listed.count == 20)
    }

    @Test func `a registry that refuses reports is a failure, with its reason`() throws {
        let registry = try Self.registry()
        // The repository delegates to no such model, and so there is none that a report could be about.
        let outcome = try Self.drive(
            registry, model: "other-model", "--devices", "3", "--rounds", "1")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("expected no refused report, got 3"), "\(outcome.errors)")
        #expect(outcome.output.contains("report refused: unknown-model"))
        #expect((outcome.json["reports"] as? [String: Int])?["refused"] == 3)
    }

    @Test func `a device whose enrolment is refused is a failed request`() throws {
        let registry = try Self.registry()
        try Self.startRollout(registry)
        let made = try registry.good("devices", "enrol-tokens", "--count", "1").output
        let unknown = "fe_" + String(repeating: "A", count: 43)
        try (made + unknown + "\n").write(
            to: registry.folder.appendingPathComponent("tokens"), atomically: true, encoding: .utf8)
        let outcome = try Self.drive(
            registry, "--devices", "2", "--rounds", "1", "--tokens", "tokens")
        #expect(outcome.status == 1)
        #expect(outcome.json["enrolled"] as? Int == 1)
        #expect(outcome.json["failed"] as? Int == 1)
        #expect(outcome.output.contains("enrolment: the registry refused (status 401"))
        #expect(!outcome.output.contains(unknown) && !outcome.errors.contains(unknown))
    }

    @Test func `a root whose signatures do not hold is refused before any device enrols`() throws {
        let registry = try Self.registry()
        let root = registry.folder.appendingPathComponent("root.json")
        let text = try String(contentsOf: root, encoding: .utf8)
        try text.replacingOccurrences(of: "\"version\":1", with: "\"version\":2")
            .write(to: root, atomically: true, encoding: .utf8)
        let outcome = try Self.drive(registry, "--devices", "2", "--rounds", "1")
        #expect(outcome.status == 10)
        #expect(outcome.errors.hasPrefix("fieldfare-fleet: root of trust 'root.json': "))
        #expect(try registry.good("devices", "list", "--json").output.isEmpty)
    }

    // MARK: Parts

    /// A registry with a published release, whose controller moves nothing by itself.
    private static func registry() throws -> RegistryUnderTest {
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        try registry.start("--controller-interval", "3600")
        try registry.good("repo", "push", "--dir", "repo")
        try registry.release()
        return registry
    }

    private static func startRollout(_ registry: RegistryUnderTest) throws {
        try registry.good(
            "rollout", "create", "commands-en", "1.0.0", "--initial", "--acknowledge-warnings")
        try registry.good("rollout", "start", "commands-en")
    }

    private static func drive(
        _ registry: RegistryUnderTest, model: String = "commands-en", _ arguments: String...
    ) throws -> Programs.Outcome {
        try registry.programs.run(
            "fieldfare-fleet", ["drive", "--model", model, "--json"] + arguments,
            in: registry.folder, environment: registry.environment)
    }
}
