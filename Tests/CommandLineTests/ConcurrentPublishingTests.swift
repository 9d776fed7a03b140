import Foundation
import ProgramTestSupport
import Testing

/// Pipelines that publish at the same moment: all of them have read the role before the first of them has changed it.
@Suite struct ConcurrentPublishingTests {
    private static let versions = ["1.0.0", "1.1.0", "1.2.0"]

    /// A registry with a model whose release key an ssh-agent holds, behind a signer that waits for the others.
    private final class Site {
        let registry: RegistryUnderTest
        private let agent: SSHAgent

        /// With a threshold of 1 there is a second model, whose only key is the agent's.
        init(threshold: Int) throws {
            registry = try RegistryUnderTest()
            try registry.good("keys", "generate", "anna", "--out", "keys")
            agent = try SSHAgent(for: registry)
            try writeKey()
            try registry.holdCeremony(releaseKeys: ("keys/agent.json", "keys/anna.json"))
            try registry.start()
            try registry.good("repo", "push", "--dir", "repo")
            guard threshold == 1 else { return }
            try registry.good(
                "repo", "add-model", "commands-de", "--release-key", "keys/agent.json", "--key",
                "keys/targets.json")
        }

        /// A key file whose signer waits until so many have asked it to sign as the folder `turnstile` says.
        private func writeKey() throws {
            let waiting = registry.folder.appendingPathComponent("waiting-signer")
            try """
            #!/bin/sh
            touch "$1/$$"
            while [ "$(ls "$1" | wc -l)" -lt "$(cat "$1.count")" ]; do sleep 0.05; done
            shift
            exec "$@"
            """.write(to: waiting, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: waiting.path)
            try FileManager.default.createDirectory(
                at: registry.folder.appendingPathComponent("turnstile"),
                withIntermediateDirectories: false)
            try expect(publishers: 1)
            try registry.good(
                "keys", "external", "agent", "--public", agent.publicKey, "--out", "keys", "--",
                waiting.path, registry.folder.path + "/turnstile", SSHAgent.signer)
        }

        private func expect(publishers: Int) throws {
            try "\(publishers)".write(
                to: registry.folder.appendingPathComponent("turnstile.count"), atomically: true,
                encoding: .utf8)
        }

        func build(_ model: String, _ version: String) throws -> String {
            let name = "\(model)-\(version)"
            try registry.writeBundle(name, version: version)
            let file = registry.folder.appendingPathComponent("\(name)/bundle.yaml")
            let text = try String(contentsOf: file, encoding: .utf8)
            try text.replacingOccurrences(of: "model: commands-en ", with: "model: \(model) ")
                .write(to: file, atomically: true, encoding: .utf8)
            try registry.good("bundle", "build", name, "--out", "build-\(name)")
            return "build-\(name)"
        }

        /// Publishes all of them, none before each has come to sign.
        func publish(_ builds: [String]) throws -> [Programs.Outcome] {
            let turnstile = registry.folder.appendingPathComponent("turnstile")
            for name in try FileManager.default.contentsOfDirectory(atPath: turnstile.path) {
                try FileManager.default.removeItem(at: turnstile.appendingPathComponent(name))
            }
            try expect(publishers: builds.count)
            let started = try builds.map { build in
                try registry.programs.start(
                    "fieldfare", ["publish", build, "--key", "keys/agent.json", "--json"],
                    in: registry.folder, environment: registry.environment)
            }
            return try started.map { try $0.end() }
        }

        /// How many postings of role metadata the registry has turned away because another was faster.
        func conflicts() throws -> Int {
            let line = try registry.request("/metrics").text.split(separator: "\n").first {
                $0.hasPrefix("fieldfare_http_requests_total{") && $0.contains("/v1/roles/{role}\"")
                    && $0.contains("POST") && $0.contains("409")
            }
            return line?.split(separator: " ").last.flatMap { Double($0) }.map { Int($0) } ?? 0
        }

        /// The bundles that a role's file, live or proposed, lists.
        func bundles(_ path: String) throws -> [String] {
            let answer = try registry.request(path)
            try #require(answer.status == 200, "\(path): \(answer.text)")
            let signed = try #require(answer.json["signed"] as? [String: Any])
            let targets = try #require(signed["targets"] as? [String: Any])
            return targets.keys.sorted()
        }
    }

    private static func paths(_ model: String) -> [String] {
        versions.map { "bundles/\(model)/\($0).json" }
    }

    @Test func `all go live, one after the other`() throws {
        let site = try Site(threshold: 1)
        let builds = try Self.versions.map { try site.build("commands-de", $0) }
        for outcome in try site.publish(builds) {
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.json["state"] as? String == "live", "\(outcome.output)")
        }
        #expect(try site.conflicts() >= Self.versions.count - 1, "nobody was too late")
        #expect(
            try site.bundles("/tuf/\(Self.versions.count).model.commands-de.json")
                == Self.paths("commands-de"))
        try site.registry.good("repo", "verify")
    }

    @Test func `all join the proposal that waits, and the last signer signs the union`() throws {
        let site = try Site(threshold: 2)
        let first = try site.build("commands-en", "0.9.0")
        #expect(try site.publish([first]).map { $0.json["state"] as? String } == ["held"])
        let builds = try Self.versions.map { try site.build("commands-en", $0) }
        for outcome in try site.publish(builds) {
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.json["state"] as? String == "held", "\(outcome.output)")
        }
        #expect(try site.conflicts() >= Self.versions.count - 1, "nobody was too late")
        let all = ["bundles/commands-en/0.9.0.json"] + Self.paths("commands-en")
        #expect(try site.bundles("/v1/roles/model.commands-en/proposal") == all)
        let signed = try site.registry.good(
            "repo", "sign", "model.commands-en", "--key", "keys/anna.json", "--yes")
        #expect(signed.output == "model.commands-en: live\n")
        for path in all { #expect(signed.errors.contains("+ target \(path)")) }
        #expect(try site.bundles("/tuf/1.model.commands-en.json") == all)
        try site.registry.good("repo", "verify")
    }

    /// A pipeline that runs again must not vouch for what others have added since.
    @Test func `run again, none signs what another has added`() throws {
        let site = try Site(threshold: 2)
        let builds = try ["1.0.0", "1.1.0"].map { try site.build("commands-en", $0) }
        for build in builds { #expect(try site.publish([build])[0].status == 0) }
        let before = try site.registry.request("/v1/roles/model.commands-en/proposal").body
        // With a token that may do anything: it is not the registry's refusal that holds it back.
        for key in ["agent", "anna"] {
            let again = try site.registry.cli(
                ["publish", builds[0], "--key", "keys/\(key).json", "--json"], with: [:])
            #expect(again.json["state"] as? String == "held", "\(key): \(again.errors)")
            #expect(again.json["signatures"] as? Int == 1)
            if key == "anna" {
                #expect(again.errors.contains("the open proposal has more than this"))
            }
        }
        #expect(try site.registry.request("/v1/roles/model.commands-en/proposal").body == before)
    }

    /// Two pipelines that build the same bytes may both vouch for them.
    @Test func `the same bytes by two keys go live`() throws {
        let site = try Site(threshold: 2)
        let build = try site.build("commands-en", "1.0.0")
        #expect(try site.publish([build])[0].json["state"] as? String == "held")
        let second = try site.registry.cli(
            ["publish", build, "--key", "keys/anna.json", "--json"], with: [:])
        #expect(second.json["state"] as? String == "live", "\(second.errors)")
    }

    @Test func `two models do not meet`() throws {
        let site = try Site(threshold: 1)
        let builds = [
            try site.build("commands-en", "1.0.0"), try site.build("commands-de", "1.0.0"),
        ]
        let states = try site.publish(builds).map { $0.json["state"] as? String }
        #expect(states == ["held", "live"])
        #expect(try site.conflicts() == 0)
    }
}
