package import Foundation
import Testing

extension RegistryUnderTest {
    /// Ceremony, running registry, and its first root and targets.
    package static func running() throws -> RegistryUnderTest {
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        try registry.start()
        try registry.good("repo", "push", "--dir", "repo")
        return registry
    }

    /// Builds and publishes `bundle` with the policy of a first release, signed by both.
    package func release(second: String = "keys/anna.json") throws {
        try writeBundle()
        try good("bundle", "build", "bundle", "--out", "build")
        try good("publish", "build", "--key", "keys/ci.json", "--policy", "rollout.yaml")
        try good("repo", "sign", "model.commands-en", "--key", second, "--yes")
    }

    /// Runs the CLI with other variables than the registry's own.
    package func cli(
        _ arguments: [String], with variables: [String: String]
    ) throws -> Programs.Outcome {
        try programs.run(
            "fieldfare", arguments, in: folder,
            environment: environment.merging(variables) { _, new in new })
    }

    /// Every file below the folder with its bytes, but for the registry's log and its database's own files.
    package func files() throws -> [String: Data] {
        var found: [String: Data] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
            guard path != "log", !path.hasPrefix("data/registry.") else { continue }
            var isFolder: ObjCBool = false
            let whole = folder.appendingPathComponent(path).path
            _ = unsafe FileManager.default.fileExists(atPath: whole, isDirectory: &isFolder)
            found[path] =
                isFolder.boolValue ? Data() : FileManager.default.contents(atPath: whole) ?? Data()
        }
        return found
    }
}
