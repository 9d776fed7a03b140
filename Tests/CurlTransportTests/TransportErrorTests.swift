import CurlTransport
import PosixFiles
import Testing

struct TransportErrorTests {
    private static let table: [(TransportError, isRetryable: Bool, String)] = [
        (
            .invalidRequest(url: "x", reason: "expected an https url"), false,
            "cannot request x: expected an https url"
        ),
        (
            .insecure(url: "http://r"), false,
            "cannot request http://r: expected https, got plain http"
        ),
        (
            .unresolved(url: "https://r"), true,
            "cannot reach https://r: the host's name has no address"
        ),
        (
            .unreachable(url: "https://r", code: 7), true,
            "cannot reach https://r: no connection (7)"
        ),
        (
            .certificateRefused(url: "https://r", reason: "self-signed"), false,
            "cannot trust https://r: its certificate is refused: self-signed"
        ),
        (
            .tlsFailed(url: "https://r", reason: "no common version"), true,
            "cannot reach https://r: tls failed: no common version"
        ),
        (
            .stalled(url: "https://r", received: 5), true,
            "lost https://r: stalled after 5 bytes"
        ),
        (
            .timedOut(url: "https://r", received: 5), true,
            "lost https://r: out of time after 5 bytes"
        ),
        (
            .interrupted(url: "https://r", received: 5, code: 18), true,
            "lost https://r: connection ended after 5 bytes (18)"
        ),
        (
            .bodyTooLarge(url: "https://r", limit: 5, declared: 6), false,
            "cannot take https://r: expected at most 5 bytes, got 6"
        ),
        (
            .bodyTooLarge(url: "https://r", limit: 5, declared: nil), false,
            "cannot take https://r: expected at most 5 bytes, got more"
        ),
        (
            .headersTooLarge(url: "https://r", limit: 5), false,
            "cannot take https://r: expected at most 5 bytes of header fields, got more"
        ),
        (
            .malformed(url: "https://r", code: 8), false,
            "cannot read the answer of https://r: no http (8)"
        ),
        (
            .redirectRefused(url: "https://r", status: 302, location: "/x"), false,
            "cannot take https://r: redirected (302) to '/x'"
        ),
        (
            .rangeIgnored(url: "https://r"), false,
            "cannot resume https://r: expected a part, got the whole"
        ),
        (
            .rangeMismatch(url: "https://r", asked: "bytes=5-", answered: "bytes 6-9/10"), false,
            "cannot resume https://r: expected bytes=5-, got bytes 6-9/10"
        ),
        (
            .status(HTTPResponse(status: 500, headers: [:], body: [])), true,
            "refused by the server: status 500"
        ),
        (.cancelled, false, "cancelled"),
        (
            .bodyUnreadable(.notFound(.open, path: "f")), false,
            "cannot send: cannot open 'f': no such file or folder"
        ),
        (.local(reason: "out of memory"), false, "cannot send: out of memory"),
    ]

    @Test func `says thing, expected and found in every case, and what may be tried again`() {
        for (error, isRetryable, text) in Self.table {
            #expect(error.description == text)
            #expect(error.isRetryable == isRetryable, "\(error)")
        }
    }

    @Test func `header fields are found in any case, replaced and removed`() {
        var headers: HTTPHeaders = ["Accept": "a", "X": "1"]
        headers.add("x", "2")
        #expect(headers["ACCEPT"] == "a")
        #expect(headers["x"] == "1")
        headers["X"] = "3"
        #expect(headers.fields.map(\.value) == ["a", "3"])
        headers["accept"] = nil
        #expect(headers.fields.map(\.name) == ["x"])
    }
}
