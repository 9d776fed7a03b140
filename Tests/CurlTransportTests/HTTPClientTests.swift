import CurlTransport
import PosixFiles
import Primitives
import TestSupport
import Testing

struct HTTPClientTests {
    @Test func `fetches bodies and header fields over one connection`() throws {
        let server = LoopbackServer { request in
            ServerAction.ok(bytes(request.line), "X-Thing:  a value \t", "ETag: \"1\"")
        }
        let client = HTTPClient(settings())
        for name in ["a", "b", "c"] {
            let response = try client.send(HTTPRequest(.get, server.url + "/" + name), limit: 100)
            #expect(response.status == 200)
            #expect(response.body == bytes("GET /\(name) HTTP/1.1"))
            #expect(response.headers["x-THING"] == "a value")
            #expect(response.entityTag == "\"1\"")
        }
        #expect(server.connectionCount == 1)
        #expect(client.metrics.connections == 1)
        #expect(client.metrics.requests == 3)
    }

    @Test func `opens a new connection after disconnecting`() throws {
        let server = LoopbackServer { _ in ServerAction.ok([]) }
        let client = HTTPClient(settings())
        _ = try client.send(HTTPRequest(.get, server.url), limit: 0)
        client.disconnect()
        _ = try client.send(HTTPRequest(.get, server.url), limit: 0)
        #expect(server.connectionCount == 2)
    }

    @Test func `counts the bytes of both directions`() throws {
        let server = LoopbackServer { _ in ServerAction.ok(pattern(10_000)) }
        let client = HTTPClient(settings())
        for _ in 0..<2 {
            let request = HTTPRequest(.put, server.url, body: .bytes(pattern(7_000)))
            _ = try client.send(request, limit: 10_000)
        }
        #expect(client.metrics.bodyBytesReceived == 20_000)
        #expect(client.metrics.bytesReceived == server.bytesSent)
        let sent = server.requests.reduce(0) { $0 + $1.head.utf8.count + 4 + $1.body.count }
        #expect(client.metrics.bytesSent == Int64(sent))
        #expect(client.metrics.microseconds > 0)
    }

    @Test func `sends what it is told to, and nothing that nobody asked for`() throws {
        let server = LoopbackServer { _ in ServerAction.ok([]) }
        let client = HTTPClient(settings { $0.userAgent = "fieldfare-test/1" })
        _ = try client.send(
            HTTPRequest(
                .get, server.url + "/x?y=1", headers: ["Authorization": "Bearer t", "X-Empty": ""]),
            limit: 0)
        #expect(
            server.requests.map(\.head) == [
                """
                GET /x?y=1 HTTP/1.1\r
                Host: 127.0.0.1:\(server.port)\r
                User-Agent: fieldfare-test/1\r
                Accept: */*\r
                authorization: Bearer t\r
                x-empty:
                """
            ])
    }

    @Test(arguments: [HTTPMethod.post, .put, .patch, .delete], [0, 1, 100_000])
    func `sends a body from memory`(method: HTTPMethod, length: Int) throws {
        let server = LoopbackServer { _ in ServerAction.ok([]) }
        let body = pattern(length)
        _ = try HTTPClient(settings()).send(
            HTTPRequest(method, server.url, body: .bytes(body)), limit: 0)
        let request = try #require(server.requests.first)
        #expect(request.line == "\(method.rawValue) / HTTP/1.1")
        #expect(request.body == body)
        if length > 0 || method != .delete {
            #expect(request.field("content-length") == "\(length)")
        }
        #expect(request.field("expect") == nil)
        #expect(request.field("transfer-encoding") == nil)
    }

    @Test func `sends a part of a file`() throws {
        let scratch = ScratchFolder()
        let directory = try Directory(opening: scratch.path)
        let content = pattern(3_000_000)
        let name = try #require(TargetPath("f"))
        try directory.replace(name, with: content)
        let file = try directory.open(name, .reading)
        let server = LoopbackServer { _ in ServerAction.ok([]) }
        let client = HTTPClient(settings())
        let request = HTTPRequest(.patch, server.url, body: .file(file, 1_000..<2_500_000))
        _ = try client.send(request, limit: 0)
        #expect(server.requests.first?.body == Array(content[1_000..<2_500_000]))
        let long = HTTPRequest(.patch, server.url, body: .file(file, 2_999_990..<3_000_010))
        #expect(
            throws: TransportError.bodyUnreadable(
                .short(path: file.path, expected: 20, found: 10))
        ) { _ = try client.send(long, limit: 0) }
    }

    @Test func `sends a body again, whole, where a kept connection dies under it`() throws {
        let server = LoopbackServer { request in
            request.connection == 1 && request.number == 2 ? [.close] : ServerAction.ok([])
        }
        let client = HTTPClient(settings())
        let body = pattern(500_000)
        for _ in 0..<2 {
            let request = HTTPRequest(.put, server.url, body: .bytes(body))
            #expect(try client.send(request, limit: 0).status == 200)
        }
        #expect(server.requests.map(\.connection) == [1, 1, 2])
        #expect(server.requests.map(\.body) == [body, body, body])
    }

    @Test func `asks for the head alone, however long the body would be`() throws {
        let server = LoopbackServer { _ in
            [.text("HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n")]
        }
        let response = try HTTPClient(settings()).send(HTTPRequest(.head, server.url), limit: 0)
        #expect(response.headers["content-length"] == "5000000000")
        #expect(server.requests.first?.line == "HEAD / HTTP/1.1")
    }

    @Test func `answers not modified to a good copy`() throws {
        let server = LoopbackServer { request in
            request.field("if-none-match") == "\"7\""
                ? [.text("HTTP/1.1 304 Not Modified\r\nETag: \"7\"\r\n\r\n")]
                : ServerAction.ok(bytes("body"), "ETag: \"7\"")
        }
        let client = HTTPClient(settings())
        let first = try client.send(HTTPRequest(.get, server.url), limit: 4)
        let again = HTTPRequest(.get, server.url, entityTag: first.entityTag)
        let second = try client.send(again, limit: 4)
        #expect(second.isNotModified)
        #expect(second.body.isEmpty)
        let collector = Collector()
        let third = try client.download(again, limit: 4) { collector.take($0) }
        #expect(third.isNotModified)
        #expect(collector.pieces == 0)
    }

    @Test func `reads chunked bodies, and drops interim answers and trailers`() throws {
        let server = LoopbackServer { _ in
            [
                .text("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"),
                .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Late: 1\r\n\r\n"),
                .text("5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n"),
            ]
        }
        let client = HTTPClient(settings())
        for _ in 0..<2 {
            let response = try client.send(HTTPRequest(.get, server.url), limit: 11)
            #expect(response.body == bytes("hello world"))
            #expect(response.headers.fields.map(\.name) == ["transfer-encoding", "x-late"])
        }
        #expect(server.connectionCount == 1)
    }

    @Test func `keeps the body of a failure, up to its limit, and says the status`() throws {
        let server = LoopbackServer { request in
            request.line.contains("long")
                ? ServerAction.answer("503 Busy", pattern(100_000), ["Retry-After: 7"])
                : ServerAction.answer("409 Conflict", bytes("{}"))
        }
        let client = HTTPClient(settings())
        let conflict = try client.send(HTTPRequest(.post, server.url), limit: 0)
        #expect(conflict.status == 409)
        #expect(conflict.body == bytes("{}"))
        #expect(throws: TransportError.status(conflict)) { try conflict.requireSuccess() }
        let busy = try client.send(HTTPRequest(.get, server.url + "/long"), limit: 10)
        #expect(busy.status == 503)
        #expect(busy.body == Array(pattern(100_000)[..<(64 << 10)]))
        #expect(TransportError.status(busy).retryAfter == .seconds(7))
        let collector = Collector()
        #expect(throws: DownloadError<Never>.transport(.status(busy))) {
            try client.download(HTTPRequest(.get, server.url + "/long"), limit: 10) {
                collector.take($0)
            }
        }
        #expect(collector.pieces == 0)
    }

    @Test func `hands a download on in pieces, and ends with the sink's own error`() throws {
        struct Full: Error, Equatable {}
        let body = pattern(3_000_000)
        let server = LoopbackServer { _ in ServerAction.ok(body) }
        let client = HTTPClient(settings())
        let collector = Collector()
        let response = try client.download(
            HTTPRequest(.get, server.url), limit: Int64(body.count)
        ) { collector.take($0) }
        #expect(response.status == 200)
        #expect(collector.bytes == body)
        #expect(collector.pieces > 1)
        var taken = 0
        #expect(throws: DownloadError<Full>.sink(Full())) {
            try client.download(HTTPRequest(.get, server.url), limit: .max) {
                (piece) throws(Full) in
                taken += 1
                if taken == 2 { throw Full() }
            }
        }
        #expect(taken == 2)
    }

    @Test func `speaks to a Unix socket, whatever the host says`() throws {
        let scratch = ScratchFolder()
        let socket = scratch.path("s")
        let server = LoopbackServer(unixSocket: socket) { _ in ServerAction.ok(bytes("local")) }
        var local = HTTPClientSettings()
        local.unixSocket = socket
        let response = try HTTPClient(local).send(
            HTTPRequest(.get, "http://agent.local/v1/status"), limit: 100)
        #expect(response.body == bytes("local"))
        #expect(server.requests.first?.line == "GET /v1/status HTTP/1.1")
    }
}
