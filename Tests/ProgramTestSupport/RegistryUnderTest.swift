package import Foundation
package import TestSupport
import Testing

/// A key ceremony and a running registry over TLS on loopback, in a folder of the test's own.
package final class RegistryUnderTest {
    package let programs: Programs
    package let scratch = ScratchFolder("registry")
    package let folder: URL
    package var environment = [
        "FIELDFARE_PASSPHRASE": "correct horse battery",
        // A path in the folder where the commands run.
        "FIELDFARE_ROOT": "root.json",
    ]
    private var server: Process?

    package init() throws {
        programs = try Programs()
        folder = URL(fileURLWithPath: scratch.path)
    }

    deinit { stop() }

    /// The port of the running registry, as a command line takes it.
    package var port: String {
        environment["FIELDFARE_SERVER"]?.split(separator: ":").last.map(String.init) ?? ""
    }

    package var isRunning: Bool { server?.isRunning == true }

    package func stop() {
        guard let server, server.isRunning else { return }
        server.terminate()
        server.waitUntilExit()
    }

    /// Runs the CLI.
    package func cli(_ arguments: String...) throws -> Programs.Outcome {
        try programs.run("fieldfare", arguments, in: folder, environment: environment)
    }

    /// Runs the CLI, and expects it to succeed.
    @discardableResult
    package func good(_ arguments: String...) throws -> Programs.Outcome {
        let outcome = try programs.run(
            "fieldfare", arguments, in: folder, environment: environment)
        try #require(
            outcome.status == 0, "fieldfare \(arguments.joined(separator: " ")): \(outcome.errors)")
        return outcome
    }

    /// Root 2 of 3, targets, two release keys with threshold 2, and the registry's own three keys.
    ///
    /// The release keys are `keys/ci.json` and `keys/anna.json`, made here, unless others that there are are named.
    package func holdCeremony(releaseKeys: (String, String)? = nil) throws {
        guard let (first, second) = releaseKeys else { return try copyCeremony() }
        try hold(releaseKeys: first, second)
    }

    /// The files of one ceremony that all tests of this process share: keys are slow to encrypt, on purpose.
    private func copyCeremony() throws {
        let source = URL(fileURLWithPath: try Self.ceremony.get().path)
        let files = FileManager.default
        for name in try files.contentsOfDirectory(atPath: source.path) {
            try files.copyItem(
                at: source.appendingPathComponent(name), to: folder.appendingPathComponent(name))
        }
    }

    private static let ceremony: Result<ScratchFolder, any Error> = Result {
        let made = try RegistryUnderTest()
        for name in ["ci", "anna"] { try made.good("keys", "generate", name, "--out", "keys") }
        try made.hold(releaseKeys: "keys/ci.json", "keys/anna.json")
        // A constant is never given up by itself.
        atexit {
            try? FileManager.default.removeItem(atPath: RegistryUnderTest.ceremony.get().path)
        }
        return made.scratch
    }

    private func hold(releaseKeys first: String, _ second: String) throws {
        for name in ["root-a", "root-b", "root-c", "targets"] {
            try good("keys", "generate", name, "--out", "keys")
        }
        let online = try programs.run(
            "fieldfare-registry", ["keys", "generate", "--keys", "online"], in: folder)
        try #require(online.status == 0)
        try online.output.write(
            to: folder.appendingPathComponent("online.json"), atomically: true, encoding: .utf8)
        try good(
            "repo", "init", "--dir", "repo", "--root-key", "keys/root-a.json", "--root-key",
            "keys/root-b.json", "--root-key", "keys/root-c.json", "--targets-key",
            "keys/targets.json", "--online", "online.json", "--model", "commands-en",
            "--release-key", first, "--release-key", second,
            "--release-threshold", "2")
        for (role, key) in [("root", "root-a"), ("root", "root-b"), ("targets", "targets")] {
            try good("repo", "sign", role, "--dir", "repo", "--key", "keys/\(key).json", "--yes")
        }
        try FileManager.default.copyItem(
            at: folder.appendingPathComponent("repo/root.json"),
            to: folder.appendingPathComponent("root.json"))
    }

    /// Starts the registry over TLS on a free port and waits until it says that it listens.
    package func start(_ more: String...) throws {
        try makeCertificate()
        let port = try serve(
            [
                "--data", "data", "--keys", "online", "--port", "0", "--tls-cert", "cert.pem",
                "--tls-key", "key.pem", "--controller-interval", "1",
            ] + more)
        environment["FIELDFARE_SERVER"] = "https://127.0.0.1:\(port)"
    }

    /// Starts the registry as `serve` with these arguments, makes the first token in its data folder `data`,
    /// and waits until it says on which port it listens.
    @discardableResult
    package func serve(
        _ arguments: [String], environment variables: [String: String] = [:]
    ) throws
        -> Int
    {
        let made = try programs.run(
            "fieldfare-registry", ["token", "create", "--data", "data", "--scope", "admin"],
            in: folder)
        environment["FIELDFARE_TOKEN"] = try #require(made.json["token"] as? String)
        return try listen(
            programs.process(
                "fieldfare-registry", ["serve"] + arguments, in: folder, environment: variables))
    }

    /// Starts the registry over TLS with its data on a file system of 24 MiB, which only that process sees; others
    /// get at it by `dataSeenByServer`.
    package func startOnSmallDisk() throws {
        let script = """
            mkdir -p data && mount -t tmpfs -o size=24m tmpfs data || exit 1
            fieldfare-registry token create --data data --scope admin > token
            exec fieldfare-registry serve --data data --keys online --port 0 \\
                --tls-cert cert.pem --tls-key key.pem
            """
        let port = try listen(
            programs.process(
                "/usr/bin/unshare",
                ["--user", "--map-root-user", "--mount", "/bin/sh", "-c", script], in: folder,
                environment: [:]))
        environment["FIELDFARE_SERVER"] = "https://127.0.0.1:\(port)"
        let token = try JSONSerialization.jsonObject(
            with: Data(contentsOf: folder.appendingPathComponent("token")))
        environment["FIELDFARE_TOKEN"] = (token as? [String: Any])?["token"] as? String
    }

    /// The data folder as the running server sees it.
    package var dataSeenByServer: String {
        "/proc/\(server?.processIdentifier ?? 0)/root\(folder.path)/data"
    }

    /// Runs the server, and waits for the line that tells its port.
    private func listen(_ server: Process) throws -> Int {
        let pipe = Pipe()
        server.standardOutput = pipe
        server.standardError = try Programs.file(folder.appendingPathComponent("log").path)
        try server.run()
        self.server = server
        let line = String(
            decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
        let value = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return try #require(value?["port"] as? Int)
    }

    /// Sends a request to the server of `environment`, with its token unless `headers` names another.
    package func request(
        _ path: String, method: String = "GET", headers: [String: String] = [:],
        body: Data? = nil
    ) throws -> Exchange {
        let token = ["Authorization": "Bearer \(environment["FIELDFARE_TOKEN"] ?? "")"]
        return try Exchange(
            (environment["FIELDFARE_SERVER"] ?? "") + path, method: method,
            authority: environment["FIELDFARE_CA"],
            headers: token.merging(headers) { _, new in new }, body: body)
    }

    /// A certificate for loopback that is its own authority: `cert.pem`, `key.pem`.
    package func makeCertificate() throws {
        let outcome = try programs.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out",
                "cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1",
            ], in: folder)
        try #require(outcome.status == 0, "openssl: \(outcome.errors)")
        environment["FIELDFARE_CA"] = folder.appendingPathComponent("cert.pem").path
    }

    /// A bundle of the project's own speech model, with the policy of a first release.
    package func writeBundle(_ name: String = "bundle", version: String = "1.0.0") throws {
        let speech = Project.file("fixtures/asr")
        let bundle = folder.appendingPathComponent(name)
        let files = FileManager.default
        try files.createDirectory(at: bundle, withIntermediateDirectories: true)
        for (source, target) in [
            ("utterances", "utterances"), ("models/good/model.onnx", "model.onnx"),
            ("models/tokens.txt", "tokens.txt"), ("model-card.json", "model-card.json"),
        ] {
            try files.copyItem(
                at: speech.appendingPathComponent(source),
                to: bundle.appendingPathComponent(target))
        }
        for schema in ["io.schema.json", "telemetry.schema.json"] {
            try "{}\n".write(
                to: bundle.appendingPathComponent(schema), atomically: true, encoding: .utf8)
        }
        let example = try Project.text("manifests/bundle.yaml")
        try example.replacingOccurrences(of: "version: 1.0.0 ", with: "version: \(version) ")
            .write(
                to: bundle.appendingPathComponent("bundle.yaml"), atomically: true, encoding: .utf8)
        try """
        schema: fieldfare.policy/1
        model: commands-en
        candidate: \(version)
        replaces: []
        """.write(
            to: folder.appendingPathComponent("rollout.yaml"), atomically: true, encoding: .utf8)
    }
}
