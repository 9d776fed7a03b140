import CurlTransport
import PosixFiles
import Primitives
import TestSupport
import Testing

struct TLSTests {
    private let scratch = ScratchFolder("tls")

    init() throws {
        try TestCertificate.make("authority", in: scratch)
        try TestCertificate.make("stranger", in: scratch)
        try TestCertificate.make(
            "server", names: "DNS:localhost,IP:127.0.0.1", signedBy: "authority", in: scratch)
        try TestCertificate.make(
            "elsewhere", names: "DNS:elsewhere.example", signedBy: "authority", in: scratch)
        let body = try #require(TargetPath("body"))
        try Directory(opening: scratch.path).replace(body, with: pattern(200_000))
    }

    private func fetch(_ server: TLSServer, trusting name: String?) throws -> HTTPResponse {
        var settings = HTTPClientSettings()
        settings.authorities = name.map { scratch.path($0 + ".pem") }
        return try HTTPClient(settings).send(
            HTTPRequest(.get, "https://127.0.0.1:\(server.port)/body"), limit: 1_000_000)
    }

    @Test func `fetches from a server whose authority it trusts, and from no other`() throws {
        let server = try TLSServer(in: scratch, as: "server")
        #expect(try fetch(server, trusting: "authority").body == pattern(200_000))
        for name in ["stranger", nil] {
            let error = refusal { _ = try fetch(server, trusting: name) }
            guard case .certificateRefused(_, let reason) = error else {
                Issue.record("got \(String(describing: error))")
                continue
            }
            #expect(!reason.isEmpty)
            #expect(error?.isRetryable == false)
        }
    }

    @Test func `refuses a good certificate of another name`() throws {
        let server = try TLSServer(in: scratch, as: "elsewhere")
        let error = refusal { _ = try fetch(server, trusting: "authority") }
        guard case .certificateRefused = error else {
            Issue.record("got \(String(describing: error))")
            return
        }
    }

    @Test func `refuses a server that speaks TLS 1.1 at best`() throws {
        let old = ["-WWW", "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"]
        let server = try TLSServer(in: scratch, as: "server", old)
        let error = refusal { _ = try fetch(server, trusting: "authority") }
        guard case .tlsFailed = error else {
            Issue.record("got \(String(describing: error))")
            return
        }
        let newer = try TLSServer(in: scratch, as: "server", ["-WWW", "-tls1_2"])
        #expect(try fetch(newer, trusting: "authority").status == 200)
    }

    @Test func `is not led from TLS to plain HTTP, even where it follows redirects`() throws {
        let plain = LoopbackServer { _ in ServerAction.ok(bytes("plain")) }
        let away = "HTTP/1.1 302 Found\r\nLocation: \(plain.url)/\r\nContent-Length: 0\r\n\r\n"
        let name = try #require(TargetPath("away"))
        try Directory(opening: scratch.path).replace(name, with: bytes(away))
        let server = try TLSServer(in: scratch, as: "server", ["-HTTP"])
        var settings = HTTPClientSettings()
        settings.authorities = scratch.path("authority.pem")
        settings.redirects = 3
        let url = "https://127.0.0.1:\(server.port)/away"
        let error = refusal {
            try HTTPClient(settings).send(HTTPRequest(.get, url), limit: 100)
        }
        #expect(error == .redirectRefused(url: url, status: 302, location: plain.url + "/"))
        #expect(plain.requests.isEmpty)
    }

    @Test func `says that the file of authorities cannot be read`() throws {
        let server = try TLSServer(in: scratch, as: "server")
        let error = refusal { _ = try fetch(server, trusting: "missing") }
        guard case .local(let reason) = error else {
            Issue.record("got \(String(describing: error))")
            return
        }
        #expect(reason.contains("missing.pem"))
    }

    @Test func `a plain server in the place of a TLS one is no success`() {
        let server = LoopbackServer { _ in [.hang] }
        let url = "https://127.0.0.1:\(server.port)/"
        var settings = HTTPClientSettings()
        settings.connect = .milliseconds(300)
        let error = refusal { try HTTPClient(settings).send(HTTPRequest(.get, url), limit: 1) }
        guard case .unreachable(url, 28) = error else {
            Issue.record("got \(String(describing: error))")
            return
        }
    }
}
