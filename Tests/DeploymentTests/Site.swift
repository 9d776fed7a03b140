import Foundation
import ProgramTestSupport
import TestSupport
import Testing

/// One machine as `deploy/` describes it.
///
/// The registry with the committed configuration over plain HTTP, and nginx with the committed configuration and
/// TLS in front of it. Only paths and ports are the test's own.
final class Site {
    let registry: RegistryUnderTest
    /// The registry itself, without nginx.
    let backend: String
    private let nginx: Process

    /// Holds the ceremony, starts both, and pushes the first root and targets through nginx.
    init() throws {
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        try registry.makeCertificate()
        let port = try Self.serve(registry)
        let front = try Self.freePort()
        try Self.writeConfiguration(in: registry, front: front, backend: port)
        nginx = try registry.programs.process(
            "/usr/sbin/nginx", Self.arguments(registry), in: registry.folder, environment: [:])
        nginx.standardError = try Programs.file(registry.folder.path + "/nginx.err")
        try nginx.run()
        self.registry = registry
        backend = "http://127.0.0.1:\(port)"
        registry.environment["FIELDFARE_SERVER"] = "https://127.0.0.1:\(front)"
        try waitUntilItAnswers()
        try registry.good("repo", "push", "--dir", "repo")
    }

    deinit {
        nginx.terminate()
        nginx.waitUntilExit()
        registry.stop()
    }

    /// Starts the registry as its unit does: by the committed configuration, with systemd's two folders.
    private static func serve(_ registry: RegistryUnderTest) throws -> Int {
        try registry.serve(
            ["--config", Project.file("deploy/config/registry.json").path, "--port", "0"],
            environment: [
                "STATE_DIRECTORY": registry.folder.path + "/data",
                "CREDENTIALS_DIRECTORY": registry.folder.path + "/online",
            ])
    }

    static func arguments(_ registry: RegistryUnderTest) -> [String] {
        ["-p", registry.folder.path, "-c", registry.folder.path + "/nginx.conf"]
    }

    /// The committed site file with paths and ports of this test, and the frame that Debian puts around it.
    ///
    /// - Throws: where the committed text does not say what is replaced.
    static func writeConfiguration(
        in registry: RegistryUnderTest, front: Int, backend: Int
    ) throws {
        let folder = registry.folder.path
        var text = try Project.text("deploy/nginx/fieldfare.conf")
        for (committed, own) in [
            ("/var/cache/nginx/fieldfare", folder + "/cache"),
            ("/etc/fieldfare/tls/certificate.pem", folder + "/cert.pem"),
            ("/etc/fieldfare/tls/key.pem", folder + "/key.pem"),
            ("listen 443 ssl", "listen 127.0.0.1:\(front) ssl"),
            ("server 127.0.0.1:8421", "server 127.0.0.1:\(backend)"),
        ] {
            try #require(text.components(separatedBy: committed).count == 2, "\(committed)")
            text = text.replacingOccurrences(of: committed, with: own)
        }
        try text.write(toFile: folder + "/site.conf", atomically: true, encoding: .utf8)
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map {
            "    \($0)_temp_path \(folder)/temp-\($0);\n"
        }
        try """
        \(geteuid() == 0 ? "user root;" : "")
        daemon off;
        pid \(folder)/nginx.pid;
        error_log stderr warn;
        events { worker_connections 256; }
        http {
            access_log \(folder)/access.log;
        \(temporary.joined())    include \(folder)/site.conf;
        }

        """.write(toFile: folder + "/nginx.conf", atomically: true, encoding: .utf8)
    }

    /// A port that nobody listens on now.
    static func freePort() throws -> Int {
        let program =
            "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
        let outcome = try Programs().run(
            "/usr/bin/python3", ["-c", program], in: FileManager.default.temporaryDirectory)
        return try #require(
            Int(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    private func waitUntilItAnswers() throws {
        let address = (registry.environment["FIELDFARE_SERVER"] ?? "") + "/healthz"
        for _ in 0..<200 {
            let answer = try registry.programs.run(
                "/usr/bin/curl",
                ["--silent", "--fail", "--cacert", registry.folder.path + "/cert.pem", address],
                in: registry.folder)
            if answer.status == 0 { return }
            try #require(nginx.isRunning, "\(errors)")
            usleep(50_000)
        }
        Issue.record("nginx does not answer: \(errors)")
    }

    private var errors: String {
        (try? String(contentsOfFile: registry.folder.path + "/nginx.err", encoding: .utf8)) ?? ""
    }
}
