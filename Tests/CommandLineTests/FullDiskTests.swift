import Foundation
import ProgramTestSupport
import Testing

/// Disks without room: a small file system in memory of the process's own, and a limit on the size of files.
@Suite struct FullDiskTests {
    @Test func `the registry answers 507, keeps what it has, and goes on when there is room`()
        throws
    {
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        try registry.makeCertificate()
        try registry.startOnSmallDisk()
        try registry.good("repo", "push", "--dir", "repo")
        try registry.release()
        let before = try registry.good("repo", "status", "--json").output

        let digest = String(repeating: "cd", count: 32)
        let opened = try registry.request(
            "/v1/uploads", method: "POST",
            body: Data(#"{"sha256":"\#(digest)","length":67108864}"#.utf8))
        #expect(opened.status == 507, "\(opened.text)")
        #expect(opened.json["type"] as? String == "urn:fieldfare:problem:insufficient-storage")
        #expect(opened.json["hint"] as? String == "free space on the registry's disk")

        let notice = try registry.programs.run(
            "/bin/sh",
            [
                "-c",
                "head -c 33554432 /dev/urandom > bundle/NOTICE && printf 'files: [NOTICE]\\n' >> bundle/bundle.yaml"
                    + " && sed -i 's/^version: 1.0.0 /version: 1.1.0 /' bundle/bundle.yaml",
            ], in: registry.folder)
        try #require(notice.status == 0)
        try registry.good("bundle", "build", "bundle", "--out", "second")
        let published = try registry.cli("publish", "second", "--key", "keys/ci.json")
        #expect(published.status == 1, "\(published.errors)")
        #expect(published.errors.contains("disk: expected room for the bytes, got none"))
        #expect(published.errors.contains("hint: free space on the registry's disk"))

        #expect(try registry.good("repo", "status", "--json").output == before)
        try registry.good("repo", "verify", "--root", "repo/root.json")
        try registry.good("rollout", "create", "commands-en", "1.0.0", "--initial")
    }

    @Test func `bundle build leaves nothing where the disk is full`() throws {
        let registry = try RegistryUnderTest()
        try registry.writeBundle()
        let before = try registry.files()
        let outcome = try registry.programs.run(
            "/bin/sh",
            ["-c", "ulimit -f 1000; exec fieldfare bundle build bundle --out build"],
            in: registry.folder)
        #expect(outcome.status == 1, "\(outcome.status) \(outcome.errors)")
        #expect(outcome.errors.hasPrefix("fieldfare: folder 'build': "), "\(outcome.errors)")
        #expect(try registry.files() == before)
    }

    @Test func `output that does not fit is no success`() throws {
        let registry = try RegistryUnderTest()
        try registry.good("keys", "generate", "a")
        let outcome = try registry.programs.run(
            "/bin/sh", ["-c", "exec fieldfare keys show a.json > /dev/full"], in: registry.folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("standard output: expected room"), "\(outcome.errors)")
    }
}
