import Foundation
import Primitives
import ProgramTestSupport
import Testing

/// python-tuf, the reference client, against the running registry: our authority, the ceremony's root.
@Suite(.enabled(if: Python.path != nil, "set FIELDFARE_PYTHON to a Python with python-tuf"))
struct RunningRegistryTests {
    @Test
    func `python-tuf follows the running registry, and refuses each file with a byte changed`()
        throws
    {
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        try registry.start()
        try registry.good("repo", "push", "--dir", "repo")
        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")
        try registry.good("publish", "build", "--key", "keys/ci.json", "--policy", "rollout.yaml")
        try registry.good(
            "repo", "sign", "model.commands-en", "--key", "keys/anna.json", "--yes")
        try registry.good("rollout", "create", "commands-en", "1.0.0", "--initial")
        try registry.good("rollout", "start", "commands-en")

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
        // timestamp, snapshot, targets, two delegated roles, three targets.
        #expect(files.count == 8, "\(files)")
        for role in ["timestamp", "snapshot", "targets", "model.commands-en", "plans.commands-en"] {
            #expect(
                files.contains { $0.hasPrefix("/tuf/") && $0.hasSuffix("\(role).json") }, "\(role)")
        }
        #expect(json["refused"] == json["files"])
    }
}
