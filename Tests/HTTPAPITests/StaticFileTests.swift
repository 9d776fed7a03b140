import Cryptography
import HTTPTypes
import HummingbirdTesting
import ModelBundle
import Primitives
import RegistryCore
import RegistryTestSupport
import TUF
import Testing

@testable import HTTPAPI

/// What devices and mirrors fetch: whole, in part, or not at all because they have it.
struct StaticFileTests {
    private let bytes = Array("0123456789abcdef".utf8)
    private let immutable = "public, max-age=31536000, immutable"

    private func blob() throws -> (TestAPI, path: String, tag: String) {
        let api = try TestAPI()
        try api.registry.upload(bytes)
        let digest = SHA256.digest(of: bytes).hex
        return (api, "/blobs/sha256/\(digest)", "\"\(digest)\"")
    }

    @Test func `a blob is served whole, immutable, and under its digest`() async throws {
        let (api, path, tag) = try blob()
        let answer = try await api.ask(.get, path)
        #expect(answer.status == .ok)
        #expect(answer.bytes == bytes)
        #expect(answer.header("ETag") == tag)
        #expect(answer.header("Cache-Control") == immutable)
        #expect(answer.header("Accept-Ranges") == "bytes")
        #expect(answer.header("Content-Length") == "16")
        #expect(answer.header("Content-Type") == "application/octet-stream")
        #expect(answer.header("X-Content-Type-Options") == "nosniff")
    }

    @Test(arguments: [
        ("bytes=0-0", "0", "bytes 0-0/16"), ("bytes=4-7", "4567", "bytes 4-7/16"),
        ("bytes=10-", "abcdef", "bytes 10-15/16"), ("bytes=10-99", "abcdef", "bytes 10-15/16"),
        ("bytes=-3", "def", "bytes 13-15/16"), ("bytes=-99", "0123456789abcdef", "bytes 0-15/16"),
        ("BYTES=1-2", "12", "bytes 1-2/16"),
    ])
    func `a range is served as a part`(header: String, part: String, range: String) async throws {
        let (api, path, tag) = try blob()
        let answer = try await api.ask(.get, path, headers: ["Range": header])
        #expect(answer.status == .partialContent)
        #expect(answer.text == part)
        #expect(answer.header("Content-Range") == range)
        #expect(answer.header("Content-Length") == "\(part.utf8.count)")
        #expect(answer.header("ETag") == tag)
    }

    @Test(arguments: ["bytes=16-", "bytes=99-100", "bytes=-0"])
    func `a range without a byte of the file is unsatisfiable`(header: String) async throws {
        let (api, path, _) = try blob()
        let answer = try await api.ask(.get, path, headers: ["Range": header])
        #expect(answer.status == .rangeNotSatisfiable)
        #expect(answer.header("Content-Range") == "bytes */16")
        #expect(answer.bytes == [])
    }

    @Test(arguments: [
        "bytes=5-2", "bytes=0-1,4-5", "items=0-1", "bytes=", "bytes=-", "bytes=a-b",
        "bytes=0x1-2", "bytes=+1-2", "bytes= 1-2", "bytes=1-2-3", "bytes=99999999999999999999-",
        "bytes=" + String(repeating: "0", count: 200) + "-1",
    ])
    func `a range that is none is ignored`(header: String) async throws {
        let (api, path, _) = try blob()
        let answer = try await api.ask(.get, path, headers: ["Range": header])
        #expect(answer.status == .ok)
        #expect(answer.bytes == bytes)
    }

    @Test func `a range of another file than the one meant is not served`() async throws {
        let (api, path, tag) = try blob()
        let range = ["Range": "bytes=0-1"]
        func status(_ ifRange: String) async throws -> HTTPResponse.Status {
            try await api.ask(
                .get, path, headers: range.merging(["If-Range": ifRange]) { $1 }
            ).status
        }
        #expect(try await status(tag) == .partialContent)
        #expect(try await status("\"other\"") == .ok)
        #expect(try await status("W/\(tag)") == .ok)
        #expect(try await status("Wed, 21 Oct 2026 07:28:00 GMT") == .ok)
    }

    @Test func `who has the file is told so`() async throws {
        let (api, path, tag) = try blob()
        for held in [tag, "*"] {
            let answer = try await api.ask(.get, path, headers: ["If-None-Match": held])
            #expect(answer.status == .notModified, "\(held)")
            #expect(answer.bytes == [])
            #expect(answer.header("ETag") == tag)
            #expect(answer.header("Cache-Control") == immutable)
        }
        let other = try await api.ask(.get, path, headers: ["If-None-Match": "\"other\""])
        #expect(other.status == .ok)
    }

    @Test func `a list of tags, and weak ones, are compared as RFC 9110 asks`() async throws {
        let (api, path, tag) = try blob()
        for held in ["\"other\", \(tag)", "W/\(tag)", "\"a\",W/\(tag) , \"b\""] {
            let answer = try await api.ask(.get, path, headers: ["If-None-Match": held])
            #expect(answer.status == .notModified, "\(held)")
        }
    }

    @Test func `HEAD answers as GET does, without the bytes`() async throws {
        let (api, path, tag) = try blob()
        try api.registry.found(at: api.now)
        let answer = try await api.ask(.head, path)
        #expect(answer.status == .ok)
        #expect(answer.bytes == [])
        #expect(answer.header("Content-Length") == "16")
        #expect(answer.header("ETag") == tag)
        let timestamp = try await api.ask(.head, "/tuf/timestamp.json")
        #expect(timestamp.status == .ok)
        #expect(timestamp.bytes == [])
        let missing = try await api.ask(.head, "/tuf/99.root.json")
        #expect(missing.status == .notFound)
    }

    // MARK: Metadata and targets

    @Test func `metadata is served as it was signed`() async throws {
        let api = try TestAPI()
        try api.registry.found(at: api.now)
        let newest = try await api.ask(.get, "/tuf/timestamp.json")
        #expect(newest.status == .ok)
        #expect(newest.header("Cache-Control") == "no-cache")
        #expect(newest.header("Content-Type") == "application/json")
        let tag = try #require(newest.header("ETag"))
        #expect(tag == "\"\(SHA256.digest(of: newest.bytes).hex)\"")
        let held = try await api.ask(
            .get, "/tuf/timestamp.json", headers: ["If-None-Match": tag])
        #expect(held.status == .notModified)
        let root = try await api.ask(.get, "/tuf/1.root.json")
        #expect(root.header("Cache-Control") == immutable)
        #expect(
            root.bytes
                == TestRegistry.signed(
                    TestRegistry.firstRoot(at: api.now), of: .root, by: TestRegistry.rootKeys))
        let model = try #require(SemanticVersion("1.0.0"))
        let bundle = try api.registry.release("1.0.0", replaces: [], at: api.now)
        let anew = try await api.ask(
            .get, "/tuf/timestamp.json", headers: ["If-None-Match": tag])
        #expect(anew.status == .ok)
        #expect(anew.header("ETag") != tag)
        let digest = SHA256.digest(of: bundle.manifest.bytes).hex
        let path = "/targets/bundles/commands-en/\(digest).\(model).json"
        let manifest = try await api.ask(.get, path)
        #expect(manifest.bytes == bundle.manifest.bytes)
        #expect(manifest.header("Cache-Control") == immutable)
        #expect(manifest.header("Content-Type") == "application/json")
        let part = try await api.ask(.get, path, headers: ["Range": "bytes=0-3"])
        #expect(part.bytes == Array(bundle.manifest.bytes[..<4]))
    }

    @Test(arguments: [
        "/tuf/../registry.sqlite", "/tuf/..%2fregistry.sqlite", "/tuf/%2e%2e/registry.sqlite",
        "/tuf/registry.sqlite", "/tuf/", "/tuf/01.root.json",
        "/tuf/1.root.json%00", "/tuf/1.ROOT.json", "/tuf/-1.root.json", "/tuf/0.root.json",
        "/targets/../registry.sqlite", "/targets/../../etc/passwd", "/targets//etc/passwd",
        "/targets/%2e%2e/%2e%2e/etc/passwd", "/targets/bundles/../../registry.sqlite",
        "/targets/bundles\\..\\registry.sqlite", "/targets/", "/targets",
        "/blobs/sha256/../../registry.sqlite", "/blobs/sha256/..%2f..%2fregistry.sqlite",
        "/blobs/sha256/%00", "/blobs/sha256/ABCDEF", "/blobs/../registry.sqlite",
        "//etc/passwd", "/./tuf/../registry.sqlite", "/registry.sqlite", "/uploads",
        "/blobs/sha512/00",
    ])
    func `no path leads out of what is published`(path: String) async throws {
        let api = try TestAPI()
        try api.registry.found(at: api.now)
        let answer = try await api.ask(.get, path)
        #expect(answer.status == .notFound, "\(path)")
        #expect(answer.problem == "not-found")
        #expect(!answer.text.contains("SQLite format"))
    }

    @Test func `a blob that no metadata names is there, and not among the targets`() async throws {
        let (api, path, _) = try blob()
        try api.registry.found(at: api.now)
        #expect(try await api.ask(.get, path).status == .ok)
        let digest = SHA256.digest(of: bytes).hex
        let upper = try await api.ask(.get, "/blobs/sha256/\(digest.uppercased())")
        #expect(upper.problem == "not-found")
    }

    // MARK: Requests that a proxy might read otherwise

    @Test(arguments: [
        ["Content-Length": "5, 5"], ["Content-Length": "-1"], ["Content-Length": "+5"],
        ["Content-Length": "99999999999999999999"], ["Transfer-Encoding": "chunked, identity"],
        ["Transfer-Encoding": "xchunked"],
    ])
    func `a length that lies changes nothing of what is read`(
        headers: [String: String]
    ) async throws {
        let api = try TestAPI()
        let token = try api.token("publish")
        let digest = SHA256.digest(of: bytes).hex
        let body: JSON = ["sha256": .string(digest), "length": 16]
        let answer = try await api.ask(
            .post, "/v1/uploads", token: token, headers: headers, body: body.bytes)
        #expect(answer.status == .created, "\(headers)")
    }

    @Test func `headers that name another path, method or host change nothing`() async throws {
        let api = try TestAPI()
        let answer = try await api.ask(
            .get, "/healthz",
            headers: [
                "X-HTTP-Method-Override": "DELETE", "X-Original-URL": "/v1/tokens",
                "X-Rewrite-URL": "/v1/tokens", "X-Forwarded-Prefix": "/v1",
                "Forwarded": "host=example.org", "Host": "other.example",
            ])
        #expect(try answer.json["type"]?.string == "health")
    }

    @Test(arguments: [
        "Bearer", "Bearer ", "bearer TOKEN", "Basic TOKEN", "Bearer  TOKEN",
        "Bearer TOKEN,TOKEN", "Bearer \tTOKEN", "Token TOKEN",
    ])
    func `a token is read in one spelling only`(template: String) async throws {
        let api = try TestAPI()
        let token = try api.token("read")
        let header = template.split(separator: "TOKEN", omittingEmptySubsequences: false)
            .joined(separator: token)
        let answer = try await api.ask(
            .get, "/v1/models", headers: ["Authorization": header])
        #expect(answer.status == .unauthorized, "\(template)")
    }
}
