import HTTPTypes
import HummingbirdTesting
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Primitives
import RegistryTestSupport
import Testing

@testable import HTTPAPI

/// Polls are answered where they arrive, as the router would, and everything else reaches the router.
struct PollHandlerTests {
    /// A connection with the handler on it; what passes the handler is what the router would get.
    private struct Connection {
        let channel: EmbeddedChannel

        init(_ api: TestAPI) throws {
            channel = EmbeddedChannel(handler: PollHandler(answers: api.polls))
        }

        func send(
            _ method: HTTPRequest.Method = .get, _ path: String = PollAnswers.path,
            fields: HTTPFields = [:], body: String? = nil
        ) throws {
            let head = HTTPRequest(
                method: method, scheme: "https", authority: "localhost", path: path,
                headerFields: fields)
            try channel.writeInbound(HTTPRequestPart.head(head))
            if let body { try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: body))) }
            try channel.writeInbound(HTTPRequestPart.end(nil))
        }

        /// The parts that the router got since the last look.
        func routed() throws -> [HTTPRequestPart] {
            var parts: [HTTPRequestPart] = []
            while let part = try channel.readInbound(as: HTTPRequestPart.self) {
                parts.append(part)
            }
            return parts
        }

        /// The parts that the client got since the last look.
        func answered() throws -> [HTTPResponsePart] {
            var parts: [HTTPResponsePart] = []
            while let part = try channel.readOutbound(as: HTTPResponsePart.self) {
                parts.append(part)
            }
            return parts
        }
    }

    private func api() throws -> TestAPI {
        let api = try TestAPI()
        try api.registry.found(at: api.now)
        return api
    }

    private func head(_ parts: [HTTPResponsePart]) throws -> HTTPResponse {
        guard case .head(let head) = parts.first else { return try #require(nil) }
        return head
    }

    @Test func `a poll is answered header for header as by the router`() async throws {
        let api = try api()
        let connection = try Connection(api)
        let routed = try await api.ask(.get, PollAnswers.path)
        try connection.send()
        let parts = try connection.answered()
        var whole = try head(parts)
        #expect(whole.status == .ok)
        #expect(whole.headerFields[.date] == "Mon, 24 Nov 2025 16:00:00 GMT")
        whole.headerFields[.date] = nil
        #expect(whole.headerFields == routed.headers)
        #expect(parts.dropFirst() == [.body(ByteBuffer(bytes: routed.bytes)), .end(nil)])

        let tag = try #require(routed.header("ETag"))
        for held in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
            let unchanged = try await api.ask(
                .get, PollAnswers.path, headers: ["If-None-Match": held])
            try connection.send(fields: [.ifNoneMatch: held])
            let parts = try connection.answered()
            var answer = try head(parts)
            #expect(answer.status == .notModified)
            answer.headerFields[.date] = nil
            var expected = unchanged.headers
            // No body, so the encoder drops the length.
            expected[.contentLength] = nil
            #expect(answer.headerFields == expected)
            #expect(parts.count == 2)
        }
        try connection.send(fields: [.ifNoneMatch: "\"other\""])
        #expect(try head(connection.answered()).status == .ok)
        #expect(try connection.routed() == [])
    }

    @Test func `a new timestamp is answered at once`() throws {
        let api = try api()
        let connection = try Connection(api)
        try connection.send()
        let tag = try #require(head(connection.answered()).headerFields[.eTag])
        _ = try api.registry.release("1.0.0", replaces: [], at: api.now)
        try connection.send(fields: [.ifNoneMatch: tag])
        let answer = try head(connection.answered())
        #expect(answer.status == .ok)
        #expect(answer.headerFields[.eTag] != tag)
    }

    @Test func `polls are counted like the router's answers`() async throws {
        let api = try api()
        let connection = try Connection(api)
        try connection.send()
        try await api.ask(.get, PollAnswers.path)
        let text = try await api.ask(.get, "/metrics").text
        let counter = "fieldfare_http_requests_total"
        let labels = #"{route="/tuf/{name}",method="GET",status="200"}"#
        #expect(text.contains("\(counter)\(labels) 2\n"))
    }

    struct Odd: Sendable {
        var method = HTTPRequest.Method.get
        var path = PollAnswers.path
        var fields: HTTPFields = [:]
    }

    @Test(arguments: [
        Odd(method: .head), Odd(method: .post), Odd(path: "/tuf/1.root.json"),
        Odd(path: PollAnswers.path + "?x"), Odd(fields: [.connection: "close"]),
        Odd(fields: [.contentLength: "1"]), Odd(fields: [.transferEncoding: "chunked"]),
        Odd(fields: [.expect: "100-continue"]),
    ])
    func `another request goes to the router, whole`(odd: Odd) throws {
        let connection = try Connection(api())
        try connection.send(odd.method, odd.path, fields: odd.fields, body: "x")
        let parts = try connection.routed()
        #expect(parts.count == 3)
        #expect(parts.last == .end(nil))
        #expect(try connection.answered() == [])
    }

    @Test func `without a timestamp a poll goes to the router`() throws {
        let connection = try Connection(TestAPI())
        try connection.send()
        #expect(try connection.routed().count == 2)
    }

    @Test func `a poll behind a request that the router has not answered waits its turn`() throws {
        let connection = try Connection(api())
        try connection.send(.get, "/healthz")
        try connection.send()
        #expect(try connection.routed().count == 4)
        #expect(try connection.answered() == [])
        // The router answers the first; the second is still its own.
        try connection.channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        try connection.channel.writeOutbound(HTTPResponsePart.end(nil))
        try connection.send()
        #expect(try connection.routed().count == 2)
        #expect(try connection.answered().count == 2)
        for _ in 0..<2 {
            try connection.channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
            try connection.channel.writeOutbound(HTTPResponsePart.end(nil))
        }
        #expect(try connection.answered().count == 4)
        try connection.send()
        #expect(try connection.routed() == [])
        #expect(try connection.answered().count == 3)
    }

    @Test func `a client that does not read is left to the router, which waits for it`() throws {
        let connection = try Connection(api())
        connection.channel.isWritable = false
        try connection.send()
        #expect(try connection.routed().count == 2)
        #expect(try connection.answered() == [])
    }
}
