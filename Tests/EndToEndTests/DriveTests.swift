import Foundation
import ProgramTestSupport
import Testing

/// Simulated devices against a running registry, over TLS, by `fieldfare-fleet drive`.
@Suite(.serialized)
struct DriveTests {
    private func drive(
        _ registry: RegistryUnderTest, rounds: Int, _ more: String...
    ) throws -> Programs.Outcome {
        let server = try #require(registry.environment["FIELDFARE_SERVER"])
        return try registry.programs.run(
            "fieldfare-fleet",
            [
                "drive", "--server", server, "--root", "repo/root.json", "--model", "commands-en",
                "--tokens", "tokens", "--rounds", "\(rounds)", "--lanes", "4", "--json",
            ] + more, in: registry.folder, environment: registry.environment)
    }

    private func writeTokens(_ registry: RegistryUnderTest, _ count: Int) throws {
        let tokens = try registry.good("devices", "enrol-tokens", "--count", "\(count)").output
        try Data(tokens.utf8).write(to: registry.folder.appendingPathComponent("tokens"))
    }

    @Test func `every device enrols, follows the verified plan, and is heard by the registry`()
        throws
    {
        let registry = try RegistryUnderTest.running()
        defer { registry.stop() }
        try registry.release()
        try registry.good("rollout", "create", "commands-en", "1.0.0", "--initial")
        try registry.good("rollout", "start", "commands-en")
        try writeTokens(registry, 20)
        let outcome = try drive(registry, rounds: 3)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let json = outcome.json
        #expect(json["devices"] as? Int == 20)
        #expect(json["failures"] as? Int == 0)
        let kinds = try #require(json["kinds"] as? [String: [String: Int]])
        #expect(kinds["enrolment"]?["requests"] == 20)
        // Each round: one conditional request for the timestamp at least, and one batch.
        #expect(kinds["metadata"]?["requests"] ?? 0 >= 60)
        #expect(kinds["reports"]?["requests"] ?? 0 >= 60)
        #expect(json["reports_accepted"] as? Int ?? 0 >= 60)
        let versions = try #require(json["versions"] as? [String: Int])
        #expect(versions.values.reduce(0, +) == 20)

        // What the registry says of them.
        let lines = try registry.good("devices", "list", "--json").output.split(separator: "\n")
        let devices = try lines.map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(devices.count == 20)
        #expect(devices.allSatisfy { $0["heard"] is Int })
        let running = devices.compactMap { $0["version"] as? String }
        #expect(running.count == versions["1.0.0"] ?? 0)
    }

    @Test func `a device that fails is counted, named, and no success`() throws {
        let registry = try RegistryUnderTest.running()
        defer { registry.stop() }
        try registry.release()
        try writeTokens(registry, 3)
        let first = try drive(registry, rounds: 1)
        #expect(first.status == 0, "\(first.errors)")
        // A token is good for one device.
        let second = try drive(registry, rounds: 1)
        #expect(second.status == 1)
        #expect(second.json["failures"] as? Int == 3)
        #expect(second.errors.contains("drive: expected no failure, got 3: enrolment: "))
        #expect(second.errors.contains("status 401"))
        let wrong = try drive(registry, rounds: 1, "--regions", "Nowhere Land")
        #expect(wrong.status == 2)
        #expect(wrong.errors.contains("--regions: expected "))
        try Data("nonsense\n".utf8).write(to: registry.folder.appendingPathComponent("tokens"))
        let broken = try drive(registry, rounds: 1)
        #expect(broken.status == 2)
        #expect(broken.errors.contains("line 1: expected an enrolment token"))
    }
}
