import Foundation
import Primitives
import ProgramTestSupport
import RegistryTestSupport
import TestSupport
import Testing

/// Wrong input to the real programs: one clear error, the right exit code or status, and no trace.
@Suite struct BadInputTests {
    @Test func `a bundle with a missing file, or a WAV that is not 16 kHz, is not built`() throws {
        let registry = try RegistryUnderTest()
        try registry.writeBundle()
        let wave = registry.folder.appendingPathComponent("bundle/utterances/take-1.wav")
        let good = try Data(contentsOf: wave)
        var slow = good
        // The sample rate in the header of a WAV, little-endian, at byte 24: 8000.
        slow.replaceSubrange(24..<28, with: [0x40, 0x1F, 0, 0])
        try slow.write(to: wave)
        try registry.refuses(
            ["bundle", "build", "bundle", "--out", "build"], 1,
            ["take-1.wav", "expected", "16000", "8000"])
        try good.write(to: wave)

        try FileManager.default.removeItem(
            at: registry.folder.appendingPathComponent("bundle/model.onnx"))
        try registry.refuses(
            ["bundle", "build", "bundle", "--out", "build"], 1,
            ["model.onnx", "expected a file", "got none", "hint: bundle.yaml names it"])
        try registry.refuses(["bundle", "check", "bundle"], 1, ["model.onnx"])
    }

    @Test(arguments: [
        (
            Data("model: a\nversion: 1.0.0\nversion: 1.0.1\n".utf8),
            "line 2: expected each key once, got 'version' again"
        ),
        (
            Data("model: a\nfiles: [b\nlicence: c\n".utf8),
            "line 3: expected YAML, got what it cannot be read as: "
        ),
        (Data("model: \"a\n".utf8), "line 2: expected YAML, got what it cannot be read as: "),
        (Data("model: a\n\u{7}\n".utf8), "expected text"),
        (Data("\n".utf8), "expected YAML, got an empty file"),
    ])
    func `what is no YAML is told by its line, and not repeated`(
        yaml: Data, text: String
    ) throws {
        let registry = try RegistryUnderTest()
        try registry.writeBundle()
        try yaml.write(to: registry.folder.appendingPathComponent("bundle/bundle.yaml"))
        let outcome = try registry.cli("bundle", "check", "bundle")
        let line = try #require(outcome.errors.split(separator: "\n").first)
        #expect(line.hasPrefix("fieldfare: 'bundle/bundle.yaml'"), "\(outcome.errors)")
        #expect(line.contains(text), "\(outcome.errors)")
        #expect(outcome.status == 1 && !outcome.errors.dropLast().contains("\n"))
    }

    @Test func `who cannot be spoken to is told what to change`() throws {
        let registry = try RegistryUnderTest.running()
        let nobody = ["--server", "https://127.0.0.1:1"]
        try registry.refuses(
            ["repo", "status", "--ca", "none.pem"], 1,
            ["file 'none.pem': cannot open './none.pem': no such file or folder"])
        try registry.refuses(
            ["repo", "status"] + nobody, 12,
            ["hint: is it running, and is --server or FIELDFARE_SERVER its URL?"])
        try registry.refuses(
            ["repo", "status"], 10,
            ["token: expected one that is in force", "hint: show a token: FIELDFARE_TOKEN"],
            with: ["FIELDFARE_TOKEN": ""])
        try registry.refuses(
            ["repo", "status"], 10, ["hint: ask an administrator for a new token"],
            with: ["FIELDFARE_TOKEN": "ff_nobody"])
        try registry.refuses(
            ["repo", "status"], 12, ["hint: name the authority to trust by --ca or FIELDFARE_CA"],
            with: ["FIELDFARE_CA": "/etc/ssl/certs/ca-certificates.crt"])
    }

    @Test(arguments: ["targets", "root", "*", "a/b", ""])
    func `a model is not named as a role or a pattern`(name: String) throws {
        let registry = try RegistryUnderTest()
        try registry.writeBundle()
        let description = registry.folder.appendingPathComponent("bundle/bundle.yaml")
        let yaml = try String(contentsOf: description, encoding: .utf8)
        try yaml.replacingOccurrences(of: "model: commands-en #", with: "model: \"\(name)\" #")
            .write(to: description, atomically: true, encoding: .utf8)
        let text = "expected a model name: a-z, 0-9 and '-', at most 63 characters"
        try registry.refuses(["bundle", "check", "bundle"], 1, ["'model'", text])
        try registry.refuses(
            ["policy", "init", "--model", name, "--version", "1.0.0"], 2,
            ["--model", text])
    }

    @Test func `a policy for another bundle is refused`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.writeBundle()
        try registry.good("bundle", "build", "bundle", "--out", "build")
        let policy = registry.folder.appendingPathComponent("rollout.yaml")
        let yaml = try String(contentsOf: policy, encoding: .utf8)
        try yaml.replacingOccurrences(of: "1.0.0", with: "9.9.9").write(
            to: policy, atomically: true, encoding: .utf8)
        for words in [
            ["policy", "check", "rollout.yaml", "--bundle", "build"],
            ["publish", "build", "--key", "keys/ci.json", "--policy", "rollout.yaml"],
        ] {
            try registry.refuses(words, 10, ["rollout.yaml", "expected", "1.0.0", "9.9.9"])
        }
        try registry.refuses(
            ["rollout", "create", "commands-en", "9.9.9", "--initial"], 10, ["9.9.9"])
    }

    @Test func `an upload whose digest differs is refused, and gone`() throws {
        let registry = try RegistryUnderTest.running()
        let before = try registry.trace()
        let digest = String(repeating: "ab", count: 32)
        let id = try open(digest, length: 5, at: registry)
        let sent = try registry.request(
            "/v1/uploads/\(id)", method: "PATCH", headers: ["Upload-Offset": "0"],
            body: Data("other".utf8))
        #expect(sent.status == 200)
        let finished = try registry.request("/v1/uploads/\(id)", method: "PUT", body: Data())
        try isProblem(finished, 422, "digest-mismatch", ["expected", "found", "hint"])
        #expect(finished.json["expected"] as? String == digest)
        #expect(try registry.request("/blobs/sha256/\(digest)").status == 404)
        #expect(try registry.request("/v1/uploads/\(id)").status == 404)
        try registry.expectNoTrace(since: before)
    }

    @Test func `a body over its limit is refused, and not a byte of it is kept`() throws {
        let registry = try RegistryUnderTest.running()
        let id = try open(String(repeating: "cd", count: 32), length: 9 << 20, at: registry)
        let first = try registry.request(
            "/v1/uploads/\(id)", method: "PATCH", headers: ["Upload-Offset": "0"],
            body: .random(1 << 20, seed: 1))
        try #require(first.status == 200, "\(first.text)")
        let before = try registry.trace()
        let limits = [
            ("/v1/rollouts", "POST", 64 << 10), ("/v1/roles/targets", "POST", 4 << 20),
            ("/v1/uploads/\(id)", "PATCH", 8 << 20), ("/v1/reports", "POST", 256 << 10),
        ]
        for (path, method, limit) in limits {
            // With its length told beforehand, and found out on the way.
            for headers in [[:], ["Transfer-Encoding": "chunked"]] {
                let answer = try registry.request(
                    path, method: method,
                    headers: headers.merging(["Upload-Offset": "\(1 << 20)"]) { one, _ in one },
                    body: .random(limit + 1, seed: 2))
                try isProblem(answer, 413, "too-large", ["limit"])
                #expect(answer.json["limit"] as? Int == limit, "\(path)")
                try registry.expectNoTrace(since: before)
            }
        }
        let standing = try registry.request("/v1/uploads/\(id)")
        #expect(standing.json["offset"] as? Int == 1 << 20)
    }

    /// Opens an upload, and returns its id.
    private func open(
        _ digest: String, length: Int, at registry: RegistryUnderTest
    ) throws -> String {
        let opened = try registry.request(
            "/v1/uploads", method: "POST",
            body: Data(#"{"sha256":"\#(digest)","length":\#(length)}"#.utf8))
        try #require(opened.status == 201, "\(opened.text)")
        return try #require(opened.json["id"] as? String)
    }

    @Test func `a report signed by another device is refused, and counts for nobody`() throws {
        let registry = try RegistryUnderTest.running()
        try registry.release()
        let model = try #require(ModelName("commands-en"))
        var honest = TestDevice("honest", model: model)
        let thief = TestDevice("thief", model: model)
        for device in [honest, thief] { try registry.enrol(device) }
        let now = UTCTime(clamping: Int64(Date().timeIntervalSince1970))
        let report = honest.report(at: now)
        let before = try device(honest, at: registry)
        let forged = try send(honest.batch([thief.signed(report)]), to: registry)
        #expect(forged.status == 200)
        #expect(forged.text.contains(#""accepted":[]"#))
        #expect(forged.text.contains(#""code":"wrong-signature""#))
        let foreign = try send(thief.batch([honest.signed(report)]), to: registry)
        #expect(foreign.text.contains(#""code":"foreign-device""#))
        #expect(try device(honest, at: registry) == before)
        #expect(before["heard"] == nil)

        let own = try send(honest.batch([honest.signed(report)]), to: registry)
        #expect(own.text.contains(#""refused":[]"#), "\(own.text)")
        #expect(try device(honest, at: registry)["heard"] != nil)
    }

    @Test
    func `orders that do not fit are busy, answers of no leave nothing, nobody is unreachable`()
        throws
    {
        let registry = try RegistryUnderTest.running()
        try registry.release()
        try registry.good("rollout", "create", "commands-en", "1.0.0", "--initial")
        try registry.good("rollout", "start", "commands-en")
        try registry.refuses(
            ["rollout", "start", "commands-en"], 11,
            ["order 'start': rollout: expected one that has not started, got one that has"])
        try registry.refuses(
            ["repo", "sign", "root", "--dir", "repo", "--key", "keys/root-c.json"], 130,
            ["nothing was signed"])
        try registry.refuses(
            ["repo", "status"], 12, ["https://127.0.0.1:1"],
            with: ["FIELDFARE_SERVER": "https://127.0.0.1:1"])
        try registry.refuses(
            ["repo", "status"], 2, ["expected --server or FIELDFARE_SERVER"],
            with: ["FIELDFARE_SERVER": ""])
        try registry.refuses(["keys", "generate", "ci", "--out", "keys"], 10, ["keys/ci.json"])
    }

    private func isProblem(
        _ answer: Exchange, _ status: Int, _ code: String, _ facts: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(answer.status == status, "\(answer.text)", sourceLocation: sourceLocation)
        #expect(
            answer.headers["content-type"] == "application/problem+json",
            sourceLocation: sourceLocation)
        #expect(
            answer.json["type"] as? String == "urn:fieldfare:problem:\(code)",
            sourceLocation: sourceLocation)
        let detail = answer.json["detail"] as? String ?? ""
        #expect(
            detail.contains("expected") && detail.contains("got"), "\(detail)",
            sourceLocation: sourceLocation)
        for fact in facts {
            #expect(answer.json[fact] != nil, "\(fact)", sourceLocation: sourceLocation)
        }
    }

    private func send(_ batch: JSON, to registry: RegistryUnderTest) throws -> Exchange {
        try registry.request(
            "/v1/reports", method: "POST", headers: ["Authorization": ""], body: Data(batch.bytes))
    }

    /// What the registry knows of a device, by field, without what grows by itself.
    private func device(
        _ device: TestDevice, at registry: RegistryUnderTest
    ) throws -> [String: Data] {
        try registry.good("devices", "show", "\(device.id)", "--json").json
            .filter { !$0.key.hasSuffix("_age_s") }.mapValues {
                try JSONSerialization.data(
                    withJSONObject: $0, options: [.sortedKeys, .fragmentsAllowed])
            }
    }

    /// A few bytes of aliases stand for millions of values.
    @Test func `YAML that unfolds without end is refused at once`() throws {
        let registry = try RegistryUnderTest()
        try registry.writeBundle()
        var text = "a: &a [x, x, x, x, x, x, x, x, x]\n"
        for (name, before) in zip(
            ["b", "c", "d", "e", "f", "g", "h"], ["a", "b", "c", "d", "e", "f", "g"])
        {
            text +=
                "\(name): &\(name) [*\(before), *\(before), *\(before), *\(before), *\(before), *\(before), *\(before), *\(before), *\(before)]\n"
        }
        for file in ["bundle/bundle.yaml", "rollout.yaml"] {
            let place = registry.folder.appendingPathComponent(file)
            let whole = try Data(contentsOf: place)
            if file == "rollout.yaml" {
                try registry.good("bundle", "build", "bundle", "--out", "build")
            }
            try text.write(to: place, atomically: true, encoding: .utf8)
            let words =
                file == "rollout.yaml"
                ? ["policy", "check", "rollout.yaml", "--bundle", "build"]
                : ["bundle", "check", "bundle"]
            try registry.refuses(words, 1, ["expected at most 20000 values, got more"])
            try whole.write(to: place)
        }
    }

    @Test func `a file that a person names may be behind a link`() throws {
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        try FileManager.default.createSymbolicLink(
            atPath: registry.folder.path + "/link.json", withDestinationPath: "keys/ci.json")
        try registry.good("keys", "show", "link.json")
        try registry.refuses(
            ["keys", "generate", "a\nb", "--out", "keys"], 2, ["key name: expected"])
        try registry.refuses(["keys", "generate", "", "--out", "keys"], 2, ["key name: expected"])
    }
}
