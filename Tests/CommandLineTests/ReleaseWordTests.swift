import Foundation
import ProgramTestSupport
import Testing

/// `policy approve`, `policy lift` and `policy sign`: what the release keys say after a release.
@Suite struct ReleaseWordTests {
    private func released(promote: String) throws -> RegistryUnderTest {
        let registry = try RegistryUnderTest.running()
        try registry.writeBundle()
        let policy = registry.folder.appendingPathComponent("rollout.yaml")
        let text = try String(contentsOf: policy, encoding: .utf8)
        try """
        \(text)
        stages:
          - name: beta
            share: 1%
          - name: stable
            share: 100%
            promote: \(promote)

        """.write(to: policy, atomically: true, encoding: .utf8)
        try registry.good("bundle", "build", "bundle", "--out", "build")
        try registry.good("publish", "build", "--key", "keys/ci.json", "--policy", "rollout.yaml")
        try registry.good("repo", "sign", "model.commands-en", "--key", "keys/anna.json", "--yes")
        return registry
    }

    private func role(_ version: Int, _ registry: RegistryUnderTest) throws -> [String: Any] {
        let file = try registry.request("/tuf/\(version).model.commands-en.json")
        try #require(file.status == 200)
        let json = try JSONSerialization.jsonObject(with: file.body) as? [String: Any]
        let signed = try #require(json?["signed"] as? [String: Any])
        return try #require(signed["targets"] as? [String: Any])
    }

    private func document(
        _ path: String, in targets: [String: Any], _ registry: RegistryUnderTest
    ) throws -> [String: Any] {
        let target = try #require(targets[path] as? [String: Any], "\(targets.keys.sorted())")
        let digest = try #require((target["hashes"] as? [String: String])?["sha256"])
        let file = try registry.request("/blobs/sha256/\(digest)")
        return try #require(try JSONSerialization.jsonObject(with: file.body) as? [String: Any])
    }

    @Test func `a stage is approved by two people, once`() throws {
        let registry = try released(promote: "signed")
        let approve = [
            "policy", "approve", "commands-en", "1.0.0", "--key", "keys/ci.json", "--stage",
        ]
        try registry.refuses(
            approve + ["gamma"], 10,
            [
                "policy 'policies/commands-en/1.0.0.standard.json': expected a stage of it, 'beta', 'stable', got 'gamma'"
            ])
        try registry.refuses(
            approve + ["beta"], 10,
            ["stage 'beta': expected one with 'promote: signed', got 'auto'", "hint: it begins"])
        try registry.refuses(
            approve + ["stable", "--policy", "slow"], 10,
            [
                "target 'policies/commands-en/1.0.0.slow.json': expected it in role 'model.commands-en', got none"
            ])
        try registry.refuses(
            approve.map { $0 == "keys/ci.json" ? "keys/targets.json" : $0 } + ["stable"], 10,
            ["expected one of role 'model.commands-en', got another"])
        let held = try registry.cli(approve + ["stable"], with: [:])
        #expect(
            held.output == "commands-en 1.0.0, stage stable of standard: held: 1 of 2 signatures\n")
        #expect(
            try registry.good(
                "repo", "sign", "model.commands-en", "--key", "keys/anna.json", "--yes"
            )
            .output == "model.commands-en: live\n")
        let again = try registry.cli(approve + ["stable", "--json"], with: [:])
        #expect(again.json["state"] as? String == "live", "\(again.errors)")

        let targets = try role(2, registry)
        #expect(targets.count == 3)
        let policy = try #require(
            targets["policies/commands-en/1.0.0.standard.json"] as? [String: Any])
        let approval = try document(
            "policies/commands-en/1.0.0.standard.stable.approval.json", in: targets, registry)
        #expect(approval["schema"] as? String == "fieldfare.approval/1")
        #expect(approval["stage"] as? String == "stable")
        #expect(approval["policy"] as? String == (policy["hashes"] as? [String: String])?["sha256"])
    }

    @Test func `a version is lifted, and lifted again to a later moment`() throws {
        let registry = try released(promote: "auto")
        let lift = ["policy", "lift", "commands-en", "1.0.0", "--key", "keys/ci.json"]
        try registry.refuses(
            lift.map { $0 == "1.0.0" ? "1.0.1" : $0 }, 10,
            [
                "target 'bundles/commands-en/1.0.1.json': expected it in role 'model.commands-en', got none"
            ])
        try registry.refuses(
            lift + ["--until", "tomorrow"], 2,
            ["--until: expected 2026-11-21T05:06:07Z, got 'tomorrow'"])
        var until: [Int] = []
        for (number, moment) in [(2, "2026-11-21T05:06:07Z"), (3, "2026-11-22T05:06:07Z")] {
            let held = try registry.cli(lift + ["--until", moment], with: [:])
            #expect(
                held.output
                    == "commands-en 1.0.0, lifted until \(moment): held: 1 of 2 signatures\n",
                "\(held.errors)")
            try registry.good(
                "repo", "sign", "model.commands-en", "--key", "keys/anna.json", "--yes")
            let targets = try role(number, registry)
            #expect(targets.count == 3)
            let found = try document("policies/commands-en/1.0.0.lift.json", in: targets, registry)
            #expect(found["schema"] as? String == "fieldfare.lift/1")
            until.append(try #require(found["until"] as? Int))
        }
        #expect(until == [1_795_237_567, 1_795_323_967])
        try registry.good("repo", "verify")
    }

    @Test func `a faster policy of a version that is live is signed by two people, once`() throws {
        let registry = try released(promote: "auto")
        let fast = registry.folder.appendingPathComponent("fast.yaml")
        func write(_ version: String, _ stages: String) throws {
            let text =
                "model: commands-en\ncandidate: \(version)\nreplaces: []\nstages: \(stages)\n"
            try text.write(to: fast, atomically: true, encoding: .utf8)
        }
        let sign = [
            "policy", "sign", "emergency=fast.yaml", "--model", "commands-en", "--key",
            "keys/ci.json",
        ]
        try write("1.0.1", "[{ name: all }]")
        try registry.refuses(
            sign, 10,
            [
                "target 'bundles/commands-en/1.0.1.json': expected it in role 'model.commands-en', got none"
            ])
        try write("soon", "[{ name: all }]")
        try registry.refuses(sign, 10, ["field 'candidate': expected a SemVer", "got 'soon'"])
        try write("1.0.0", "[{ name: all, share: 50%, cap: 20% }]")
        try registry.refuses(
            sign, 10, ["policy 'fast.yaml': expected no problem, got 1\n  field 'stages[0].cap'"])
        try write("1.0.0", "[{ name: all }]")
        try registry.refuses(
            sign.map { $0 == "keys/ci.json" ? "keys/targets.json" : $0 }, 10,
            ["expected one of role 'model.commands-en', got another"])
        for _ in 0..<2 {
            let held = try registry.cli(sign, with: [:])
            #expect(
                held.output == "commands-en 1.0.0, policy emergency: held: 1 of 2 signatures\n",
                "\(held.errors)")
        }
        try registry.good("repo", "sign", "model.commands-en", "--key", "keys/anna.json", "--yes")
        let again = try registry.cli(sign + ["--json"], with: [:])
        #expect(again.json["type"] as? String == "signed_policy")
        #expect(again.json["state"] as? String == "live", "\(again.errors)")

        let targets = try role(2, registry)
        #expect(targets.count == 3)
        let path = "policies/commands-en/1.0.0.emergency.json"
        let policy = try document(path, in: targets, registry)
        let stages = try #require(policy["stages"] as? [[String: Any]])
        #expect(stages.map { $0["name"] as? String } == ["all"])
        try write("1.0.0", "[{ name: all, least_soak: 30h }]")
        try registry.refuses(
            sign, 10,
            [
                "target '\(path)': expected the bytes that are published, got others",
                "NAME=rollout.yaml",
            ])
        let created = try registry.good(
            "rollout", "create", "commands-en", "1.0.0", "--initial", "--policy", "emergency")
        #expect(created.output.contains("policy \(path)"))
    }

    @Test func `a policy is not published under the name of an approval or a lift`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")
        for name in ["lift", "x.approval"] {
            try registry.refuses(
                ["publish", "build", "--key", "keys/ci.json", "--policy", "\(name)=rollout.yaml"],
                2,
                ["--policy: expected a name that is no approval's or lift's, got '\(name)'"])
        }
    }
}
