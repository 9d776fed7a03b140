import Foundation
import ProgramTestSupport
import Testing

/// The real programs, over loopback TLS: from a key ceremony to a plan that a client can verify.
@Suite(.serialized)
struct PublishingTests {
    @Test
    func
        `publishes through the pipeline's steps, is held for a second signature, goes live, and rolls out`()
        throws
    {
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        try registry.start()
        defer { registry.stop() }
        try registry.good("repo", "push", "--dir", "repo")
        try registry.writeBundle()

        let first = try publish(registry)
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.json["summary"] as? String == "held: 1 of 2 signatures")
        let again = try publish(registry)
        #expect(again.json["summary"] as? String == "held: 1 of 2 signatures")
        let early = try registry.cli("rollout", "create", "commands-en", "1.0.0", "--initial")
        #expect(early.status != 0, "a held bundle must not roll out")

        let signed = try registry.good(
            "repo", "sign", "model.commands-en", "--key", "keys/anna.json", "--yes", "--json")
        #expect(signed.json["state"] as? String == "live")
        #expect(try publish(registry).json["state"] as? String == "live")

        let verified = try registry.good("repo", "verify", "--root", "repo/root.json", "--json")
        #expect(verified.json["targets"] as? Int == 2)
        try registry.good("rollout", "create", "commands-en", "1.0.0", "--initial")
        let started = try registry.good("rollout", "start", "commands-en", "--json")
        #expect(started.json["state"] as? String == "running")
        let planned = try registry.good("repo", "verify", "--root", "repo/root.json", "--json")
        #expect(planned.json["targets"] as? Int == 3, "the plan is a target too")
    }

    @Test func `refuses what is wrong with one clear error, and leaves no trace`() throws {
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        try registry.start()
        defer { registry.stop() }
        try registry.good("repo", "push", "--dir", "repo")
        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")

        let wrongPassphrase = try registry.programs.run(
            "fieldfare", ["publish", "build", "--key", "keys/ci.json"], in: registry.folder,
            environment: registry.environment.merging(["FIELDFARE_PASSPHRASE": "wrong one"]) {
                _, new in new
            })
        #expect(wrongPassphrase.status == 10)
        #expect(wrongPassphrase.errors.contains("hint:"))

        let stranger = try registry.cli("publish", "build", "--key", "keys/root-a.json")
        #expect(stranger.status == 10, "\(stranger.errors)")
        let roles = try registry.good("repo", "status", "--json").output
        let unlisted = roles.components(separatedBy: #""live":null"#)
        #expect(unlisted.count == 2 && !roles.contains(#""proposal":{"#), "\(roles)")

        let scopeless = try registry.good(
            "token", "create", "--name", "reader", "--scope", "read", "--json")
        let reader = try #require(scopeless.json["token"] as? String)
        let forbidden = try registry.programs.run(
            "fieldfare", ["publish", "build", "--key", "keys/ci.json"], in: registry.folder,
            environment: registry.environment.merging(["FIELDFARE_TOKEN": reader]) { _, new in new }
        )
        #expect(forbidden.status == 10)
        #expect(forbidden.errors.contains("publish"))

        let nobody = try registry.programs.run(
            "fieldfare", ["repo", "status"], in: registry.folder,
            environment: registry.environment.merging([
                "FIELDFARE_SERVER": "https://127.0.0.1:1"
            ]) { _, new in new })
        #expect(nobody.status == 12)
    }

    @Test func `says in one line that the port is in use`() throws {
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        try registry.start()
        defer { registry.stop() }
        let port = registry.port
        let second = try registry.programs.run(
            "fieldfare-registry",
            [
                "serve", "--data", "other", "--keys", "online", "--port", port, "--tls-cert",
                "cert.pem", "--tls-key", "key.pem",
            ], in: registry.folder)
        #expect(second.status == 11)
        #expect(second.errors.contains("port \(port) of"))
        let same = try registry.programs.run(
            "fieldfare-registry",
            [
                "serve", "--data", "data", "--keys", "online", "--port", "0", "--tls-cert",
                "cert.pem", "--tls-key", "key.pem",
            ], in: registry.folder)
        #expect(same.status == 11)
    }

    private func publish(_ registry: RegistryUnderTest) throws -> Programs.Outcome {
        let script = Project.file("deploy/ci/publish.sh")
        return try registry.programs.run(
            script.path, ["bundle", "build", "standard=rollout.yaml"], in: registry.folder,
            environment: registry.environment.merging([
                "FIELDFARE_KEY": "keys/ci.json", "SOURCE_DATE_EPOCH": "1764000000",
            ]) { _, new in new })
    }
}
