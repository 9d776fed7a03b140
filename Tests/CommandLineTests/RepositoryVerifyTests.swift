import Cryptography
import Foundation
import Primitives
import ProgramTestSupport
import TUF
import TestSupport
import Testing

/// `repo verify`: nothing of a repository is left out.
@Suite struct RepositoryVerifyTests {
    @Test func `goes through every file of a folder, without a network`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.release()
        try registry.writeMirror()
        registry.stop()
        let verify = ["repo", "verify", "--dir", "mirror", "--root", "root.json"]
        let good = try registry.cli(verify + ["--json"], with: ["FIELDFARE_SERVER": ""])
        #expect(good.json["targets"] as? Int == 2, "\(good.errors)")
        // Eight, of which two say the same.
        #expect(good.json["files"] as? Int == 7)

        for (folder, part, words) in [
            ("blobs/sha256", "", "of 'bundles/commands-en/1.0.0.json', bytes 0 to "),
            (
                "targets/bundles/commands-en", "",
                "cannot accept target 'bundles/commands-en/1.0.0.json'"
            ),
            (
                "targets/policies/commands-en", "",
                "cannot accept target 'policies/commands-en/1.0.0.standard.json'"
            ),
            ("tuf", "1.model.commands-en.json", "cannot read model.commands-en"),
            ("tuf", "1.plans.commands-en.json", "cannot read plans.commands-en"),
        ] {
            let place = registry.folder.appendingPathComponent("mirror/\(folder)")
            let names = try FileManager.default.contentsOfDirectory(atPath: place.path)
            for name in names where name.hasSuffix(part) {
                let file = place.appendingPathComponent(name)
                let whole = try Data(contentsOf: file)
                for kind in ["other", "short", "long", "gone"] {
                    if kind == "other" {
                        var other = whole
                        other[0] ^= 1
                        try other.write(to: file)
                    } else if kind == "short" {
                        try whole.dropLast().write(to: file)
                    } else if kind == "long" {
                        try (whole + [0]).write(to: file)
                    } else {
                        try FileManager.default.removeItem(at: file)
                    }
                    let bad = try registry.cli(verify, with: ["FIELDFARE_SERVER": ""])
                    #expect(
                        bad.status == 10 && bad.output.isEmpty, "\(kind) \(name): \(bad.errors)")
                    if kind == "other" { #expect(bad.errors.contains(words), "\(bad.errors)") }
                    if folder == "blobs/sha256" {
                        let metadata = try registry.cli(
                            verify + ["--skip-files"], with: ["FIELDFARE_SERVER": ""])
                        #expect(metadata.output.contains("2 targets, files not read"))
                    }
                }
                try whole.write(to: file)
            }
        }
        let again = try registry.cli(verify, with: ["FIELDFARE_SERVER": ""])
        #expect(again.output.hasPrefix("good: root 1, 2 targets, 7 files, "), "\(again.errors)")
    }

    @Test func `passes over no role because of its name`() throws {
        let scratch = ScratchFolder("verify")
        let now = UTCTime(clamping: Int64(Date().timeIntervalSince1970))
        let model = try #require(ModelName("commands-en"))
        var repository = SimulatedRepository(models: [model], now: now)
        let role = try #require(RoleName("extra"))
        let pattern = try #require(PathPattern("other/*"))
        let path = try #require(TargetPath("other/x"))
        repository.delegate(
            from: .targets, to: role, paths: .patterns([pattern]), key: TestKeys.key("extra"))
        repository.add([1, 2, 3], at: path, to: role)
        repository.update(role)
        let programs = try Programs()
        func verify(_ name: String) throws -> Programs.Outcome {
            repository.dump(to: scratch.path(name))
            return try programs.run(
                "fieldfare",
                ["repo", "verify", "--dir", name, "--root", "\(name)/tuf/1.root.json"],
                in: URL(fileURLWithPath: scratch.path))
        }
        let good = try verify("good")
        #expect(good.output.hasPrefix("good: root 1, 1 targets, 0 files, "), "\(good.errors)")

        let name = try #require(path.consistent(SHA256.digest(of: [1, 2, 3])))
        repository.targetFiles[name] = [1, 2, 4]
        let other = try verify("other")
        #expect(
            other.status == 10 && other.errors.contains("target 'other/x' of extra"),
            "\(other.errors)")
        repository.targetFiles[name] = [1, 2, 3]

        let outside = try #require(TargetPath("elsewhere/x"))
        repository.add([1], at: outside, to: role)
        repository.update(role)
        let untrusted = try verify("untrusted")
        #expect(
            untrusted.errors.contains(
                "target 'elsewhere/x': expected 'extra', which lists it, to be trusted with it, got nobody"
            ),
            "\(untrusted.errors)")
        repository.update(role) { $0.targets[outside] = nil }

        let deeper = try #require(RoleName("deeper"))
        repository.delegate(
            from: role, to: deeper, paths: .patterns([pattern]), key: TestKeys.key("deeper"))
        let nested = try verify("nested")
        #expect(
            nested.errors.contains("role 'extra': expected no delegations, got some"),
            "\(nested.errors)")
    }
}
