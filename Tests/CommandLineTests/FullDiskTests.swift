import Cryptography
import Foundation
import Primitives
import ProgramTestSupport
import Testing

/// Disks without room: a small file system in memory of the process's own, and a limit on the size of files.
@Suite struct FullDiskTests {
    @Test
    func `the registry answers 507, keeps what it has, and takes the same upload later`()
        throws
    {
        let registry = try onSmallDisk()
        let half = Upload(megabytes: 4, seed: 1)
        let late = Upload(megabytes: 5, seed: 2)
        let id = try #require(try half.open(at: registry).json["id"] as? String)
        #expect(try half.send(0..<1 << 20, to: id, at: registry).json["offset"] as? Int == 1 << 20)
        try shell(fill, [registry.dataSeenByServer], registry)

        let before = try stored(by: registry)
        for _ in 0..<2 {
            let refused = try late.open(at: registry)
            #expect(refused.status == 507, "\(refused.text)")
            #expect(
                refused.json["type"] as? String == "urn:fieldfare:problem:insufficient-storage")
            #expect(
                refused.json["detail"] as? String == "disk: expected room for the bytes, got none")
            #expect(refused.json["hint"] as? String == "free space on the registry's disk")
            #expect(try stored(by: registry) == before)
        }
        let owner = try #require(id.split(separator: ".").last)
        let other = "\(late.digest).\(late.bytes.count).\(owner)"
        #expect(try registry.request("/v1/uploads/\(other)").status == 404)
        for upload in [half, late] {
            #expect(try registry.request("/blobs/sha256/\(upload.digest)").status == 404)
        }

        // What was begun when there was room has its room.
        let reached = try registry.request("/v1/uploads/\(id)").json["offset"] as? Int
        #expect(reached == 1 << 20)
        try half.finish(id, from: try #require(reached), at: registry)

        try shell(#"rm "$1/ballast""#, [registry.dataSeenByServer], registry)
        let opened = try late.open(at: registry)
        #expect(opened.status == 201, "\(opened.text)")
        #expect(opened.json["id"] as? String == other)
        try late.finish(other, from: try #require(opened.json["offset"] as? Int), at: registry)
    }

    @Test func `publish stops where the disk is full, and goes on there when there is room`() throws
    {
        let registry = try onSmallDisk()
        try shell(
            """
            cd bundle
            head -c 1048576 /dev/urandom > a-notice
            head -c 5242880 /dev/urandom > z-notice
            printf 'files: [a-notice, z-notice]\\n' >> bundle.yaml
            sed -i 's/^version: 1.0.0 /version: 1.1.0 /' bundle.yaml
            """, [], registry)
        try registry.good("bundle", "build", "bundle", "--out", "second")
        try shell(fill, [registry.dataSeenByServer], registry)
        let before = try stored(by: registry)
        try registry.refuses(
            ["publish", "second", "--key", "keys/ci.json"], 1,
            [
                "fieldfare: disk: expected room for the bytes, got none",
                "hint: free space on the registry's disk",
            ])
        let came = Set(try stored(by: registry).keys).subtracting(before.keys)
        let first = try digest(of: "bundle/a-notice", registry)
        let second = try digest(of: "bundle/z-notice", registry)
        // Its folder is new, or was there for another blob whose digest begins alike.
        let folder = "blobs/\(first.prefix(2))"
        #expect(came.subtracting([folder]) == ["\(folder)/\(first)"])
        #expect(try registry.request("/blobs/sha256/\(second)").status == 404)
        try registry.good("repo", "verify", "--root", "repo/root.json")
        try registry.good("rollout", "create", "commands-en", "1.0.0", "--initial")

        try shell(#"rm "$1/ballast""#, [registry.dataSeenByServer], registry)
        let again = try registry.good("publish", "second", "--key", "keys/ci.json")
        #expect(again.output == "commands-en 1.1.0: held: 1 of 2 signatures\n")
        let file = try Data(contentsOf: registry.folder.appendingPathComponent("bundle/z-notice"))
        #expect(try registry.request("/blobs/sha256/\(second)").body == file)
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

    /// Leaves 3 MiB on the file system of a folder.
    private let fill = """
        blocks=$(stat --file-system --format '%a' "$1")
        size=$(stat --file-system --format '%S' "$1")
        head -c $((blocks * size - 3145728)) /dev/zero > "$1/ballast"
        """

    private func onSmallDisk() throws -> RegistryUnderTest {
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        try registry.makeCertificate()
        try registry.startOnSmallDisk()
        try registry.good("repo", "push", "--dir", "repo")
        try registry.release()
        return registry
    }

    private func shell(
        _ script: String, _ arguments: [String], _ registry: RegistryUnderTest
    ) throws {
        let outcome = try registry.programs.run(
            "/bin/sh", ["-e", "-c", script, "sh"] + arguments, in: registry.folder)
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    private func digest(of path: String, _ registry: RegistryUnderTest) throws -> String {
        let outcome = try registry.programs.run(
            "/usr/bin/sha256sum", [path], in: registry.folder)
        return try #require(outcome.output.split(separator: " ").first.map(String.init))
    }

    /// Blobs and uploads on the small disk, with their bytes.
    private func stored(by registry: RegistryUnderTest) throws -> [String: Data] {
        let folder = registry.dataSeenByServer
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder).filter {
            $0.hasPrefix("blobs/") || $0.hasPrefix("uploads/")
        }
        let pairs = paths.map { path in
            (path, FileManager.default.contents(atPath: "\(folder)/\(path)") ?? Data())
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    /// A file on its way to a registry.
    private struct Upload {
        let bytes: Data
        let digest: String

        init(megabytes: Int, seed: UInt64) {
            bytes = .random(megabytes << 20, seed: seed)
            digest = SHA256.digest(of: Array(bytes)).hex
        }

        func open(at registry: RegistryUnderTest) throws -> Exchange {
            try registry.request(
                "/v1/uploads", method: "POST",
                body: Data(#"{"sha256":"\#(digest)","length":\#(bytes.count)}"#.utf8))
        }

        func send(
            _ range: Range<Int>, to id: String, at registry: RegistryUnderTest
        ) throws -> Exchange {
            try registry.request(
                "/v1/uploads/\(id)", method: "PATCH",
                headers: ["Upload-Offset": "\(range.lowerBound)"], body: bytes[range])
        }

        /// Sends the rest, and expects the blob to be what was sent.
        func finish(_ id: String, from offset: Int, at registry: RegistryUnderTest) throws {
            let sent = try send(offset..<bytes.count, to: id, at: registry)
            try #require(sent.status == 200, "\(sent.text)")
            let finished = try registry.request("/v1/uploads/\(id)", method: "PUT", body: Data())
            #expect(finished.status == 201, "\(finished.text)")
            #expect(try registry.request("/blobs/sha256/\(digest)").body == bytes)
        }
    }
}
