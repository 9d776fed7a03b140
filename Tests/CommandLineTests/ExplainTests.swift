import Foundation
import Primitives
import ProgramTestSupport
import RegistryTestSupport
import TestSupport
import Testing

/// `fieldfare explain`: the registry's answer, and the same decision made from static files alone.
@Suite struct ExplainTests {
    @Test func `decides offline what the registry decides, from a folder and from a URL`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.release()
        try registry.good("rollout", "create", "commands-en", "1.0.0", "--initial")
        try registry.good("rollout", "start", "commands-en")
        // Otherwise the controller may change the plan between the copy and the question.
        try registry.good("rollout", "pause", "commands-en")
        let model = try #require(ModelName("commands-en"))
        let device = TestDevice("explain", model: model)
        try registry.enrol(device)
        try registry.writeMirror()

        let asked = try registry.good(
            "explain", "\(device.id)", "--model", "commands-en", "--json")
        let facts = [
            "explain", "\(device.id)", "--model", "commands-en", "--root", "repo/root.json",
            "--region", "eu", "--device-class", "hub", "--locale", "en-GB", "--json",
        ]
        let remote = try registry.cli(facts, with: ["FIELDFARE_TOKEN": ""])
        try #require(remote.status == 0, "\(remote.errors)")
        registry.stop()
        let local = try registry.cli(facts + ["--dir", "mirror"], with: ["FIELDFARE_SERVER": ""])
        try #require(local.status == 0, "\(local.errors)")

        for key in ["action", "arm", "bucket", "refusals", "pinned", "waits_for_beacon"] {
            let values = [asked, remote, local].map { "\($0.json[key] ?? "none")" }
            #expect(Set(values).count == 1, "\(key): \(values)")
        }
        #expect(local.json["action"] as? String == "stay")
        #expect("\(local.json["refusals"] ?? "")".contains("not-in-share"))
        let rules = [asked, local].map { outcome in
            (outcome.json["trace"] as? [[String: Any]])?.compactMap { $0["rule"] as? String }
        }
        #expect(rules[0] == rules[1] && rules[0]?.isEmpty == false)

        try tellsPeople(registry, device)
        try refuses(registry, device)
    }

    /// Each rule, its inputs, its outcome, a line each.
    private func tellsPeople(_ registry: RegistryUnderTest, _ device: TestDevice) throws {
        let offline = [
            "explain", "\(device.id)", "--model", "commands-en", "--root", "repo/root.json",
            "--dir",
            "mirror", "--region", "eu", "--device-class", "hub",
        ]
        let first = try registry.cli(offline, with: [:])
        #expect(first.output.hasPrefix("stay"))
        #expect(first.output.contains("REFUSED not-in-share [candidate 1.0.0]: "))
        #expect(first.output.contains("ok      planForAnotherModel") == false)
        #expect(first.output.contains("\n  ok      plan-for-another-model: model commands-en\n"))
        let running = try registry.cli(offline + ["--current", "1.0.0"], with: [:])
        #expect(running.output.hasPrefix("stay"))
        let rejected = try registry.cli(offline + ["--rejected", "1.0.0"], with: [:])
        #expect(rejected.output.contains("REFUSED rejected-here [candidate 1.0.0]"))
        let late = try registry.cli(offline + ["--at", "2099-01-01T00:00:00Z"], with: [:])
        #expect(late.status == 10 && late.errors.contains("expired"), "\(late.errors)")
    }

    private func refuses(_ registry: RegistryUnderTest, _ device: TestDevice) throws {
        let offline = [
            "explain", "\(device.id)", "--model", "commands-en", "--root", "repo/root.json",
            "--dir",
            "mirror",
        ]
        let attributes = ["--region", "eu", "--device-class", "hub"]
        let missing = try registry.cli(offline, with: [:])
        #expect(missing.status == 2 && missing.errors.contains("--region"))
        let unknown = try registry.cli(offline + attributes + ["--current", "7.0.0"], with: [:])
        #expect(unknown.status == 10 && unknown.errors.contains("version 7.0.0"))
        let nowhere = try registry.cli(
            Array(offline.dropLast()) + ["nowhere"] + attributes, with: [:])
        #expect(nowhere.status == 1 && nowhere.errors.contains("'nowhere'"))
        let wrong = try registry.cli(["explain", "x", "--model", "commands-en"], with: [:])
        #expect(wrong.status == 2 && wrong.errors.contains("expected a device id"))

        // One byte of the plan, and nothing is decided.
        let plans = registry.folder.path + "/mirror/targets/rollouts/commands-en"
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: plans).first)
        let file = URL(fileURLWithPath: "\(plans)/\(name)")
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: file)
        let tampered = try registry.cli(offline + attributes, with: [:])
        #expect(tampered.status == 10 && tampered.output.isEmpty, "\(tampered.errors)")
        #expect(tampered.errors.contains("rollouts/commands-en/main.json"))
    }
}
