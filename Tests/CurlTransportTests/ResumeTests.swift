import CurlTransport
import PosixFiles
import Primitives
import TestSupport
import Testing

struct ResumeTests {
    private static let body = pattern(1_000_000)

    /// Answers ranges as it should, but cuts whole answers off after 300,000 bytes.
    private let server = LoopbackServer { request in
        guard let range = request.field("range"),
            let from = Int(range.dropFirst(6).prefix { $0 != "-" })
        else {
            return [
                .text("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"),
                .send(Array(ResumeTests.body[..<300_000])), .close,
            ]
        }
        let last = Int(range.drop { $0 != "-" }.dropFirst()) ?? 999_999
        return ServerAction.answer(
            "206 Partial Content", Array(ResumeTests.body[from...last]),
            ["Content-Range: bytes \(from)-\(last)/1000000"])
    }

    @Test func `goes on where a download was cut, into the same file`() throws {
        let scratch = ScratchFolder()
        let name = try #require(TargetPath("part"))
        let file = try Directory(opening: scratch.path).open(name, .makingNew(.shared))
        var offset: Int64 = 0
        func take(_ piece: RawSpan) throws(FileError) {
            try file.write(piece, at: offset)
            offset += Int64(piece.byteCount)
        }
        let client = HTTPClient(settings())
        let error = #expect(throws: DownloadError<FileError>.self) {
            try client.download(HTTPRequest(.get, server.url), limit: 1_000_000, into: take)
        }
        guard let error, case .transport(let lost) = error,
            case .interrupted(_, 300_000, _) = lost
        else {
            Issue.record("expected an early end, got \(String(describing: error))")
            return
        }
        #expect(offset == 300_000)
        let rest = HTTPRequest(.get, server.url, range: .from(offset))
        let response = try client.download(rest, limit: 700_000, into: take)
        #expect(response.status == 206)
        #expect(try file.read(0..<1_000_000) == Self.body)
    }

    @Test func `fetches a part`() throws {
        let request = HTTPRequest(.get, server.url, range: .bytes(1_000..<1_010))
        let response = try HTTPClient(settings()).send(request, limit: 10)
        #expect(response.body == Array(Self.body[1_000..<1_010]))
        #expect(server.requests.first?.field("range") == "bytes=1000-1009")
    }

    @Test func `refuses the whole where a part was asked for, before a byte of it`() {
        let server = LoopbackServer { _ in ServerAction.ok(pattern(100)) }
        let collector = Collector()
        let request = HTTPRequest(.get, server.url, range: .from(50))
        let error = refusal {
            try HTTPClient(settings()).download(request, limit: 100) { collector.take($0) }
        }
        #expect(error == .rangeIgnored(url: server.url))
        #expect(collector.pieces == 0)
    }

    @Test(arguments: ["bytes 40-99/100", "bytes 51-99/100", "items 50-99/100", nil])
    func `refuses another part than the one asked for`(answered: String?) {
        let server = LoopbackServer { _ in
            ServerAction.answer(
                "206 Partial Content", pattern(50),
                answered.map { ["Content-Range: \($0)"] } ?? [])
        }
        let collector = Collector()
        let request = HTTPRequest(.get, server.url, range: .from(50))
        let error = refusal {
            try HTTPClient(settings()).download(request, limit: 100) { collector.take($0) }
        }
        #expect(
            error
                == .rangeMismatch(
                    url: server.url, asked: "bytes=50-", answered: answered ?? "nothing"))
        #expect(collector.pieces == 0)
    }

    @Test func `says that nothing is left of a resource`() {
        let server = LoopbackServer { _ in ServerAction.answer("416 Range Not Satisfiable") }
        let request = HTTPRequest(.get, server.url, range: .from(50))
        let error = refusal {
            try HTTPClient(settings()).download(request, limit: 100) { _ in }
        }
        guard case .status(let response) = error else {
            Issue.record("got \(String(describing: error))")
            return
        }
        #expect(response.status == 416)
        #expect(error?.isRetryable == false)
    }

    @Test func `refuses an empty range`() {
        let request = HTTPRequest(.get, server.url, range: .bytes(5..<5))
        let error = refusal { try HTTPClient(settings()).send(request, limit: 1) }
        #expect(error == .invalidRequest(url: server.url, reason: "an empty range"))
    }
}
