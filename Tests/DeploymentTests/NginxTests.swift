import Foundation
import ProgramTestSupport
import Testing

/// The committed nginx configuration, by `nginx -t` and by a real nginx in front of a real registry.
@Suite struct NginxTests {
    @Test func `passes nginx -t, which notices a misspelt line`() throws {
        let registry = try RegistryUnderTest()
        try registry.makeCertificate()
        try Site.writeConfiguration(in: registry, front: try Site.freePort(), backend: 8_421)
        let arguments = ["-t", "-q"] + Site.arguments(registry)
        let good = try registry.programs.run("/usr/sbin/nginx", arguments, in: registry.folder)
        #expect(good.status == 0 && good.errors.isEmpty, "\(good.errors)")

        let site = registry.folder.path + "/site.conf"
        let text = try String(contentsOfFile: site, encoding: .utf8)
        try text.replacingOccurrences(of: "proxy_cache_lock", with: "proxy_cache_lok").write(
            toFile: site, atomically: true, encoding: .utf8)
        let damaged = try registry.programs.run("/usr/sbin/nginx", arguments, in: registry.folder)
        #expect(damaged.status != 0 && damaged.errors.contains("proxy_cache_lok"))
    }

    @Test func `carries an agent, polls, downloads, uploads, and keeps metrics and bursts away`()
        throws
    {
        let site = try Site()
        let registry = site.registry
        let notice = try publish(in: registry)

        try runAgent(registry)
        try poll(registry)
        try download(notice, registry)
        #expect(try registry.request("/metrics").status == 404)
        #expect(try Exchange(site.backend + "/metrics").status == 200)
        try refuseBursts(registry)

        let verified = try registry.good("repo", "verify", "--root", "repo/root.json", "--json")
        #expect(verified.json["state"] as? String == "good")
    }

    /// A bundle with a file of 10 MiB, which the CLI uploads in two requests, the first of 8 MiB.
    private func publish(in registry: RegistryUnderTest) throws -> Data {
        try registry.writeBundle()
        let folder = registry.folder.appendingPathComponent("bundle")
        let made = try registry.programs.run(
            "/bin/sh", ["-c", "head -c 10485760 /dev/urandom > bundle/NOTICE"], in: registry.folder)
        try #require(made.status == 0)
        let notice = try Data(contentsOf: folder.appendingPathComponent("NOTICE"))
        let description = folder.appendingPathComponent("bundle.yaml")
        let yaml = try String(contentsOf: description, encoding: .utf8)
        try (yaml + "\nfiles: [NOTICE]\n").write(
            to: description, atomically: true, encoding: .utf8)
        // Its one stage is for all, wherever the bucket of a test's device lies.
        let policy = registry.folder.appendingPathComponent("rollout.yaml")
        let staged = try String(contentsOf: policy, encoding: .utf8)
        try (staged + "\nstages: [{ name: all }]\n").write(
            to: policy, atomically: true, encoding: .utf8)
        try registry.good("bundle", "build", "bundle", "--out", "build")
        let held = try registry.good(
            "publish", "build", "--key", "keys/ci.json", "--policy", "rollout.yaml", "--json")
        #expect(held.json["state"] as? String == "held")
        let live = try registry.good(
            "repo", "sign", "model.commands-en", "--key", "keys/anna.json", "--yes", "--json")
        #expect(live.json["state"] as? String == "live")
        return notice
    }

    /// A device enrols, polls and takes the release, all of it through nginx.
    private func runAgent(_ registry: RegistryUnderTest) throws {
        try registry.good("rollout", "create", "commands-en", "1.0.0", "--initial")
        try registry.good("rollout", "start", "commands-en")
        let agent = try SiteAgent(at: registry)
        let active = try agent.firstBundle()
        let built = try registry.good("bundle", "inspect", "build", "--json")
        #expect(active["version"] as? String == "1.0.0")
        #expect(active["manifest_sha256"] as? String == built.json["manifest_sha256"] as? String)
        #expect(agent.stop() == 0)
        let own = try log(registry).filter { $0.contains("\"fieldfare-agent/") }
        for request in [
            "POST /v1/devices", "GET /tuf/timestamp.json",
            "GET /targets/rollouts/", "GET /blobs/sha256/",
        ] {
            #expect(own.contains { $0.contains("\"\(request)") }, "\(request) in \(own)")
        }
    }

    /// The lines of nginx's access log.
    private func log(_ registry: RegistryUnderTest) throws -> [String] {
        try String(
            contentsOf: registry.folder.appendingPathComponent("access.log"), encoding: .utf8
        ).split(separator: "\n").map(String.init)
    }

    /// The newest timestamp comes from the registry each time; a device that has it gets 304.
    private func poll(_ registry: RegistryUnderTest) throws {
        let first = try registry.request("/tuf/timestamp.json")
        #expect(first.status == 200)
        #expect(first.headers["cache-control"] == "no-cache")
        let signed = first.json["signed"] as? [String: Any]
        #expect(signed?["_type"] as? String == "timestamp")
        let tag = try #require(first.headers["etag"])
        let again = try registry.request("/tuf/timestamp.json", headers: ["If-None-Match": tag])
        #expect(again.status == 304 && again.body.isEmpty)
        let root = try registry.request("/tuf/1.root.json")
        #expect(root.headers["cache-control"]?.contains("immutable") == true)
        let ceremony = try Data(
            contentsOf: registry.folder.appendingPathComponent("repo/root.json"))
        #expect(root.body == ceremony, "the bytes that were signed")
        #expect(try registry.request("/tuf/2.root.json").status == 404)
    }

    /// Whole, and a range that crosses nginx's slices of 4 MiB, from the registry and then from the cache.
    private func download(_ notice: Data, _ registry: RegistryUnderTest) throws {
        let sum = try registry.programs.run(
            "/usr/bin/sha256sum", ["bundle/NOTICE"], in: registry.folder)
        let path = "/blobs/sha256/\(sum.output.prefix(64))"
        let range = (4 << 20) - 1_000..<(8 << 20) + 7
        for _ in 0..<2 {
            let part = try registry.request(
                path, headers: ["Range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)"])
            #expect(part.status == 206)
            #expect(
                part.headers["content-range"]
                    == "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(notice.count)")
            #expect(part.body == notice[range])
            let whole = try registry.request(path)
            #expect(whole.status == 200 && whole.body == notice)
        }
        #expect(try log(registry).contains { $0.contains(path) })
        let cached = try FileManager.default.subpathsOfDirectory(
            atPath: registry.folder.path + "/cache")
        #expect(cached.count > 3, "the slices lie in the cache: \(cached)")
        #expect(try registry.request(path, headers: ["Range": "bytes=99999999-"]).status == 416)
    }

    /// More reports at once than one address may send are turned away by nginx, as 429.
    private func refuseBursts(_ registry: RegistryUnderTest) throws {
        let url = (registry.environment["FIELDFARE_SERVER"] ?? "") + "/v1/reports?[1-60]"
        let burst = try registry.programs.run(
            "/usr/bin/curl",
            [
                "--silent", "--cacert", registry.folder.path + "/cert.pem", "--data", "{}",
                "--output", "/dev/null", "--write-out", "%{http_code}\n", url,
            ], in: registry.folder)
        #expect(Set(burst.output.split(separator: "\n")) == ["400", "429"])
        let large = try registry.request(
            "/v1/enrolments", method: "POST", body: Data(count: 600 << 10))
        #expect(large.status == 413)
    }
}
