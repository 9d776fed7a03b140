import AgentCore
import CurlTransport
import Primitives
import TestSupport
import Testing

@testable import FieldfareAgent

/// The agent's connection to a registry, over real sockets.
struct RegistryClientTests {
    private static func client(
        of server: LoopbackServer, documentLimit: Duration = .seconds(40)
    ) -> RegistryClient {
        var settings = HTTPClientSettings()
        settings.allowsPlainHTTP = true
        settings.stall = .seconds(20)
        return RegistryClient(base: server.url, settings: settings, documentLimit: documentLimit)
    }

    /// A server that sends at most 200 bytes a second, and so takes ten seconds or more.
    private static func dripping() -> LoopbackServer {
        LoopbackServer { _ in
            [
                .text("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n"),
                .trickle("x", pauseMilliseconds: 5),
            ]
        }
    }

    @Test func `gives up on metadata that drips, though it never stalls`() {
        let server = Self.dripping()
        let client = Self.client(of: server, documentLimit: .seconds(1))
        let error = #expect(throws: FetchError.self) {
            try client.metadata("1.root.json", limit: 512 << 10, until: Interrupt())
        }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.hasPrefix("lost \(server.url)/tuf/1.root.json: out of time after "))
        #expect(error?.isRetryable == true)
    }

    @Test func `gives up on a manifest that drips`() throws {
        let server = Self.dripping()
        let client = Self.client(of: server, documentLimit: .seconds(1))
        let path = try #require(TargetPath("asr/1.0.0/manifest.json"))
        #expect(throws: FetchError.self) {
            try client.target(path, limit: 512 << 10, until: Interrupt())
        }
        #expect(server.requests.map(\.line) == ["GET /targets/asr/1.0.0/manifest.json HTTP/1.1"])
    }

    @Test func `keeps the timestamp, and asks whether there is a newer one`() throws {
        let server = LoopbackServer { request in
            request.field("if-none-match") == "\"7\""
                ? ServerAction.answer("304 Not Modified")
                : ServerAction.ok(Array(request.line.utf8), "ETag: \"7\"")
        }
        let client = Self.client(of: server)
        let stop = Interrupt()
        let first = try client.metadata("timestamp.json", limit: 4_096, until: stop)
        #expect(first == Array("GET /tuf/timestamp.json HTTP/1.1".utf8))
        #expect(try client.metadata("timestamp.json", limit: 4_096, until: stop) == first)
        #expect(try client.metadata("2.snapshot.json", limit: 4_096, until: stop) != nil)
        #expect(server.requests.map { $0.field("if-none-match") } == [nil, "\"7\"", nil])
        #expect(server.connectionCount == 1)
    }

    @Test func `reads the receipt of a registry one version newer as far as it knows it`() throws {
        let receipt =
            #"{"type":"reports","schema":"fieldfare.receipt/2","accepted":[4,5],"held":[7],"#
            + #""refused":[{"sequence":6,"code":"a-code-of-tomorrow","hint":{"after_s":9}}]}"#
        let server = LoopbackServer { _ in ServerAction.ok(Array(receipt.utf8)) }
        let answer = try Self.client(of: server).post(["reports": []], until: Interrupt())
        #expect(
            answer
                == ReportReceipt(
                    accepted: [4, 5], refused: [.init(sequence: 6, code: "a-code-of-tomorrow")]))
    }

    @Test(arguments: ["404 Not Found", "410 Gone"])
    func `knows that there is no such metadata`(status: String) throws {
        let server = LoopbackServer { _ in ServerAction.answer(status) }
        let client = Self.client(of: server)
        #expect(try client.metadata("2.root.json", limit: 4_096, until: Interrupt()) == nil)
    }
}
