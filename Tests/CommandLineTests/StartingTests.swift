import Foundation
import ProgramTestSupport
import Testing

/// Servers that cannot start: one clear error, the right exit code, and not a single new file or changed byte.
@Suite struct StartingTests {
    @Test func `a registry that cannot listen or has no keys makes no data folder`() throws {
        let registry = try RegistryUnderTest.running()
        let port = registry.port
        let other = try registry.programs.run(
            "/usr/bin/openssl", ["genrsa", "-out", "other.pem", "2048"], in: registry.folder)
        try #require(other.status == 0)
        let inUse = [
            "port \(port) of '127.0.0.1': expected a free one",
            "got one on which another program listens", "hint: stop the other program",
        ]
        let cases: [(String, Int32, [String])] = [
            ("--keys online --plain --port \(port)", 11, inUse),
            (
                "--keys online --port \(port) --tls-cert cert.pem --tls-key key.pem", 11, inUse
            ),
            (
                "--keys online --plain --port 65536", 2,
                ["port: expected 0 to 65535, got 65536"]
            ),
            (
                "--keys online --plain --port 0 --controller-interval 0", 2,
                ["controller interval: expected 1 to 86400 seconds, got 0"]
            ),
            (
                "--keys online --port 0 --host 203.0.113.9 --tls-cert cert.pem --tls-key key.pem",
                1, ["host '203.0.113.9': expected an address of this machine, got another"]
            ),
            (
                "--keys online --port 0 --tls-cert none.pem --tls-key key.pem", 1,
                ["TLS certificate 'none.pem': expected a certificate with its chain", "got none"]
            ),
            (
                "--keys online --port 0 --tls-cert cert.pem --tls-key other.pem", 1,
                ["TLS key 'other.pem': expected the key of certificate 'cert.pem'", "got none"]
            ),
            ("--keys none --plain --port 0", 1, ["online keys 'none': cannot open"]),
            (
                "--keys keys --plain --port 0", 1,
                ["online key 'keys/snapshot.key': cannot open"]
            ),
        ]
        for (words, code, texts) in cases {
            let options = words.split(separator: " ").map(String.init)
            try registry.refuses(
                ["serve", "--data", "second"] + options, code, texts,
                program: "fieldfare-registry")
        }
    }

    @Test func `a registry whose port is in use leaves its data folder as it was`() throws {
        let registry = try RegistryUnderTest.running()
        let port = registry.port
        let made = try registry.programs.run(
            "fieldfare-registry", ["token", "create", "--data", "second", "--scope", "read"],
            in: registry.folder)
        try #require(made.status == 0, "\(made.errors)")
        try #require(try registry.files()["second/registry.sqlite"]?.isEmpty == false)
        try registry.refuses(
            ["serve", "--data", "second", "--keys", "online", "--port", port, "--plain"], 11,
            ["port \(port)"], program: "fieldfare-registry")
        try registry.refuses(
            ["serve", "--data", "data", "--keys", "online", "--port", "0", "--plain"], 11,
            ["data folder 'data': expected no other registry on it, got one", "hint: stop"],
            program: "fieldfare-registry")
    }

    @Test func `a mirror that cannot listen says why`() throws {
        let registry = try RegistryUnderTest.running()
        let port = registry.port
        let mirror = [
            "mirror", "--directory", "repo", "--tls-cert", "cert.pem", "--tls-key", "key.pem",
        ]
        for (words, code, text) in [
            (["--port", port], Int32(11), "port \(port) of '127.0.0.1': expected a free one"),
            (["--port", "65536"], 2, "port: expected 0 to 65535, got 65536"),
            (["--directory", "none"], 1, "folder 'none': cannot open"),
        ] {
            try registry.refuses(mirror + words, code, [text], program: "fieldfare-registry")
        }
    }

    @Test func `commands on a data folder make none where the input is wrong`() throws {
        let registry = try RegistryUnderTest()
        let token = ["token", "create", "--data", "new", "--scope"]
        for (words, code, text) in [
            (token + ["nonsense"], Int32(2), "scope: expected a scope: publish, sign"),
            (token + ["read", "--name", "x\u{7}"], 2, "'name': expected text of one line"),
            (token + ["read", "--expires", "0"], 2, "'expires_s': expected 1 to 315360000, got 0"),
            (
                ["audit", "verify", "--data", "new"], 1,
                "database 'new/registry.sqlite': expected one, got none"
            ),
        ] {
            try registry.refuses(words, code, [text], program: "fieldfare-registry")
        }
    }
}
