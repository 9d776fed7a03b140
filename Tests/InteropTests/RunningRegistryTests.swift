import Foundation
import Primitives
import ProgramTestSupport
import Testing

/// python-tuf, the reference client, against the running registry: our authority, the ceremony's root.
@Suite(Python.needed)
struct RunningRegistryTests {
    @Test
    func `python-tuf follows the running registry, and refuses each file with a byte changed`()
        throws
    {
        let registry = try RegistryUnderTest.running()
        try registry.release()
        try registry.good("rollout", "create", "commands-en", "1.0.0", "--initial")
        try registry.good("rollout", "start", "commands-en")
        try publishSecondRoot(to: registry)

        let targets = [
            "bundles/commands-en/1.0.0.json", "policies/commands-en/1.0.0.standard.json",
            "rollouts/commands-en/main.json",
        ]
        let server = try #require(registry.environment["FIELDFARE_SERVER"])
        let output = try Python.run(
            "verify_registry.py",
            [
                server,
                registry.folder.path + "/cert.pem", registry.folder.path + "/repo/root.json",
            ] + targets)
        let json = try JSON(parsing: output, limit: 100_000)

        let built = try registry.good("bundle", "inspect", "build", "--json")
        #expect(
            json["targets"]?[targets[0]]?.string == built.json["manifest_sha256"] as? String)
        let files = json["files"]?.array?.compactMap(\.string) ?? []
        // 2.root, timestamp, snapshot, targets, two delegated roles, three targets.
        #expect(files.count == 9, "\(files)")
        for role in [
            "2.root", "timestamp", "snapshot", "targets", "model.commands-en", "plans.commands-en",
        ] {
            #expect(
                files.contains { $0.hasPrefix("/tuf/") && $0.hasSuffix("\(role).json") }, "\(role)")
        }
        let refused = json["refused"]?.object ?? [:]
        #expect(refused.keys.sorted() == files.sorted())
        // These two have no digest that is signed elsewhere.
        for name in ["2.root", "timestamp"] {
            #expect(refused["/tuf/\(name).json"] == "UnsignedMetadataError", "\(refused)")
        }
    }

    /// The ceremony's root again as version 2, signed by two of its three keys.
    private func publishSecondRoot(to registry: RegistryUnderTest) throws {
        let first = try Data(contentsOf: registry.folder.appendingPathComponent("repo/root.json"))
        var file = try #require(try JSONSerialization.jsonObject(with: first) as? [String: Any])
        var signed = try #require(file["signed"] as? [String: Any])
        signed["version"] = 2
        file["signed"] = signed
        file["signatures"] = [Any]()
        let next = registry.folder.appendingPathComponent("next")
        try FileManager.default.copyItem(
            at: registry.folder.appendingPathComponent("repo"), to: next)
        try JSONSerialization.data(withJSONObject: file).write(
            to: next.appendingPathComponent("root.json"))
        for key in ["root-a", "root-c"] {
            try registry.good(
                "repo", "sign", "root", "--dir", "next", "--key", "keys/\(key).json", "--yes")
        }
        try registry.good("repo", "push", "--dir", "next")
    }
}
