import CurlTransport
import PosixFiles
import TestSupport
import Testing

/// What the client does not put up with.
struct RefusalTests {
    private let impatient = settings { $0.stall = .seconds(1) }

    @Test func `refuses a body that says it is over the limit, before a byte of it`() throws {
        let server = LoopbackServer { _ in ServerAction.ok(pattern(101)) }
        let client = HTTPClient(settings())
        let collector = Collector()
        let error = refusal {
            try client.download(HTTPRequest(.get, server.url), limit: 100) { collector.take($0) }
        }
        #expect(error == .bodyTooLarge(url: server.url, limit: 100, declared: 101))
        #expect(collector.pieces == 0)
        #expect(try client.send(HTTPRequest(.get, server.url), limit: 101).body == pattern(101))
    }

    @Test func `ends a body that goes on beyond the limit`() {
        let server = LoopbackServer { _ in
            [
                .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                .trickle("a\r\n0123456789\r\n", pauseMilliseconds: 0),
            ]
        }
        let collector = Collector()
        let error = refusal {
            try HTTPClient(settings()).download(HTTPRequest(.get, server.url), limit: 1_000) {
                collector.take($0)
            }
        }
        #expect(error == .bodyTooLarge(url: server.url, limit: 1_000, declared: nil))
        #expect(collector.bytes.count <= 1_000)
    }

    @Test func `ends a head that goes on beyond its limit`() {
        let server = LoopbackServer { _ in
            [.text("HTTP/1.1 200 OK\r\n"), .trickle("x-more: 1\r\n", pauseMilliseconds: 0)]
        }
        let client = HTTPClient(settings { $0.headerLimit = 2_000 })
        let error = refusal { try client.send(HTTPRequest(.get, server.url), limit: 1) }
        #expect(error == .headersTooLarge(url: server.url, limit: 2_000))
    }

    @Test func `notices a transfer that stalls, and says how far it came`() {
        let server = LoopbackServer { _ in
            [.text("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n12345"), .hang]
        }
        let error = refusal {
            try HTTPClient(impatient).send(HTTPRequest(.get, server.url), limit: 100)
        }
        #expect(error == .stalled(url: server.url, received: 5))
        #expect(error?.isRetryable == true)
    }

    @Test func `notices a stall soon after a fast start`() {
        let start = pattern(4_000_000)
        let server = LoopbackServer { _ in
            [.text("HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n"), .send(start), .hang]
        }
        let begun = SystemClock.monotonicNanoseconds()
        let error = refusal {
            try HTTPClient(impatient).send(HTTPRequest(.get, server.url), limit: 9_000_000)
        }
        #expect(error == .stalled(url: server.url, received: 4_000_000))
        #expect(SystemClock.monotonicNanoseconds() - begun < 5_000_000_000)
    }

    @Test func `notices a head that comes byte by byte`() {
        let server = LoopbackServer { _ in
            [.text("HTTP/1.1 200 OK\r\n"), .trickle("x-slow: 1\r\n", pauseMilliseconds: 50)]
        }
        let error = refusal {
            try HTTPClient(impatient).send(HTTPRequest(.get, server.url), limit: 100)
        }
        #expect(error == .stalled(url: server.url, received: 0))
    }

    @Test func `notices a body that comes byte by byte`() {
        let server = LoopbackServer { _ in
            [
                .text("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
                .trickle("x", pauseMilliseconds: 100),
            ]
        }
        let error = refusal {
            try HTTPClient(impatient).send(HTTPRequest(.get, server.url), limit: 100_000)
        }
        guard case .stalled(server.url, 1..<100) = error else {
            Issue.record("expected a stall, got \(String(describing: error))")
            return
        }
    }

    @Test func `ends a request that takes too long in all`() {
        let server = LoopbackServer { _ in [.hang] }
        let request = HTTPRequest(.get, server.url, total: .milliseconds(100))
        let error = refusal { try HTTPClient(settings()).send(request, limit: 100) }
        #expect(error == .timedOut(url: server.url, received: 0))
    }

    @Test func `an early end is an error that counts the bytes`() {
        let server = LoopbackServer { request in
            switch request.line.split(separator: " ")[1] {
            case "/length":
                [.text("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n1234567"), .close]
            case "/chunked":
                [
                    .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n1234567\r\n"),
                    .close,
                ]
            case "/reset":
                [.text("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"), .reset]
            default: [.close]
            }
        }
        let client = HTTPClient(settings())
        for (name, count) in [("/length", 7), ("/chunked", 7), ("/reset", 0), ("/nothing", 0)] {
            let error = refusal {
                try client.send(HTTPRequest(.get, server.url + name), limit: 100)
            }
            guard case .interrupted(server.url + name, Int64(count), _) = error else {
                Issue.record("\(name): got \(String(describing: error))")
                continue
            }
            #expect(error?.isRetryable == true)
        }
    }

    @Test(arguments: [
        "no http at all\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 999 Odd\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: 1\r\n b: folded\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot hex\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
    ])
    func `refuses what is not HTTP as we read it`(answer: String) {
        let server = LoopbackServer { _ in [.text(answer), .close] }
        let error = refusal {
            try HTTPClient(settings()).send(HTTPRequest(.get, server.url), limit: 100)
        }
        switch error {
        case .malformed, .interrupted: break
        default: Issue.record("got \(String(describing: error))")
        }
    }

    @Test func `a trailer cannot pass for a status line`() throws {
        let server = LoopbackServer { request in
            let isTidy = request.line.contains("tidy")
            return [
                .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                .text("0\r\nHTTP/1.1 404 Forged\(isTidy ? ": x" : "")\r\nX-Forged: 1\r\n\r\n"),
            ]
        }
        for name in ["/", "/tidy"] {
            let url = server.url + name
            let error = refusal {
                try HTTPClient(settings()).send(HTTPRequest(.get, url), limit: 100)
            }
            guard case .malformed(url, _) = error else {
                Issue.record("got \(String(describing: error))")
                continue
            }
        }
    }

    @Test func `refuses plain HTTP unless it is allowed`() throws {
        let server = LoopbackServer { _ in ServerAction.ok([]) }
        for url in [server.url, "HTTP" + server.url.dropFirst(4)] {
            let error = refusal { try HTTPClient().send(HTTPRequest(.get, url), limit: 1) }
            #expect(error == .insecure(url: url))
        }
        #expect(server.requests.isEmpty)
        #expect(try HTTPClient(settings()).send(HTTPRequest(.get, server.url), limit: 1).isSuccess)
    }

    @Test(arguments: [
        "file:///etc/passwd", "ftp://127.0.0.1/", "/v1/devices", "", "https:/x", "gopher://x/",
        "http://127.0.0.1:1/a b", "http://127.0.0.1:1/\r\nX: y", "http://u:p@127.0.0.1:1/",
        "https://exa\u{6D}\u{308}ple/",
    ])
    func `refuses odd URLs`(url: String) {
        let error = refusal { try HTTPClient(settings()).send(HTTPRequest(.get, url), limit: 1) }
        guard case .invalidRequest = error else {
            Issue.record("got \(String(describing: error))")
            return
        }
        #expect(error?.isRetryable == false)
    }

    @Test(arguments: [
        ("x", "1\r\nEvil: 2"), ("x", "1\nEvil: 2"), ("x\r\nEvil", "1"), ("", "1"), ("a b", "1"),
        ("x", "a\u{0}b"), ("x:", "1"),
    ])
    func `refuses header fields that would smuggle others in`(name: String, value: String) {
        let server = LoopbackServer { _ in ServerAction.ok([]) }
        var request = HTTPRequest(.get, server.url)
        request.headers.add(name, value)
        let error = refusal { try HTTPClient(settings()).send(request, limit: 1) }
        guard case .invalidRequest = error else {
            Issue.record("got \(String(describing: error))")
            return
        }
        request.headers = [:]
        request.entityTag = "\"1\"\r\nEvil: 2"
        #expect(refusal { try HTTPClient(settings()).send(request, limit: 1) } != nil)
        #expect(server.requests.isEmpty)
    }

    @Test func `does not go where it is sent, unless it may`() throws {
        let server = LoopbackServer { request in
            switch request.line.split(separator: " ")[1] {
            case "/from": ServerAction.answer("302 Found", [], ["Location: /to"])
            case "/loop": ServerAction.answer("307 Again", [], ["Location: /loop"])
            case "/ftp": ServerAction.answer("302 Found", [], ["Location: ftp://127.0.0.1:1/"])
            case "/file": ServerAction.answer("301 Away", [], ["Location: file:///etc/passwd"])
            default: ServerAction.ok(bytes("there"))
            }
        }
        let url = server.url + "/from"
        let client = HTTPClient(settings())
        #expect(
            refusal { try client.send(HTTPRequest(.get, url), limit: 100) }
                == .redirectRefused(url: url, status: 302, location: "/to"))
        #expect(server.requests.count == 1)
        let following = HTTPClient(settings { $0.redirects = 2 })
        #expect(try following.send(HTTPRequest(.get, url), limit: 100).body == bytes("there"))
        for (name, status, location) in [
            ("/loop", 307, "/loop"), ("/file", 301, "file:///etc/passwd"),
            ("/ftp", 302, "ftp://127.0.0.1:1/"),
        ] {
            let url = server.url + name
            #expect(
                refusal { try following.send(HTTPRequest(.get, url), limit: 10_000) }
                    == .redirectRefused(url: url, status: status, location: location))
        }
    }

    @Test func `no one listening is unreachable, and may be tried again`() {
        var server: LoopbackServer? = LoopbackServer { _ in [] }
        let url = server?.url ?? ""
        server = nil
        let error = refusal { try HTTPClient(settings()).send(HTTPRequest(.get, url), limit: 1) }
        guard case .unreachable(url, _) = error else {
            Issue.record("got \(String(describing: error))")
            return
        }
        #expect(error?.isRetryable == true)
    }

    @Test func `ends when it is cancelled`() {
        let flag = CancellationFlag()
        let server = LoopbackServer { _ in
            [
                .text("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"), .send(pattern(5_000)),
                .hang,
            ]
        }
        let client = HTTPClient(settings { $0.stall = .seconds(600) }, cancellation: flag)
        let error = refusal {
            try client.download(HTTPRequest(.get, server.url), limit: .max) { _ in flag.cancel() }
        }
        #expect(error == .cancelled)
        #expect(refusal { try client.send(HTTPRequest(.get, server.url), limit: 1) } == .cancelled)
        #expect(server.requests.count == 1)
    }

    @Test func `takes no proxy from the environment and no address from the URL's user part`() {
        // A proxy set here must be asked instead of the server; without one the server is.
        let proxy = LoopbackServer { _ in ServerAction.ok(bytes("proxy")) }
        let client = HTTPClient(settings { $0.proxy = proxy.url })
        let response = try? client.send(HTTPRequest(.get, "http://192.0.2.1/x"), limit: 100)
        #expect(response?.body == bytes("proxy"))
        #expect(proxy.requests.first?.line == "GET http://192.0.2.1/x HTTP/1.1")
    }
}
