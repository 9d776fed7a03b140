package import PosixFiles

/// Why a request has no good answer.
package enum TransportError: Error, Sendable, Hashable {
    /// The URL or a header field cannot be sent.
    case invalidRequest(url: String, reason: String)
    /// The URL asks for plain HTTP, and nobody allowed it.
    case insecure(url: String)
    /// The name of the host has no address, at least now.
    case unresolved(url: String)
    /// No connection came about: refused, unreachable, or not in time.
    case unreachable(url: String, code: Int32)
    /// The server's certificate is not one that we trust, or of another name, or out of date.
    case certificateRefused(url: String, reason: String)
    /// The TLS handshake failed for another reason.
    case tlsFailed(url: String, reason: String)
    /// Nothing, or too little, moved for the time allowed.
    case stalled(url: String, received: Int64)
    /// All of it took longer than allowed.
    case timedOut(url: String, received: Int64)
    /// The connection ended before the answer did.
    case interrupted(url: String, received: Int64, code: Int32)
    /// The body is longer than the reader allows; `declared` where the server said so before sending it.
    case bodyTooLarge(url: String, limit: Int64, declared: Int64?)
    /// The header fields are longer than `limit` bytes in all.
    case headersTooLarge(url: String, limit: Int)
    /// The answer is not HTTP/1.1 as we read it.
    case malformed(url: String, code: Int32)
    /// The server sends us elsewhere, and we do not go.
    case redirectRefused(url: String, status: Int, location: String)
    /// A part was asked for, and the whole came.
    case rangeIgnored(url: String)
    /// Another part came than the one asked for.
    case rangeMismatch(url: String, asked: String, answered: String)
    /// The server answered that it did not do it.
    case status(HTTPResponse)
    /// The cancellation flag was raised.
    case cancelled
    /// The file that was to be sent could not be read.
    case bodyUnreadable(FileError)
    /// Something on this side: memory, the file of trusted certificates, a libcurl without what we need.
    case local(reason: String)

    /// Whether the same request may do better later.
    ///
    /// Network trouble and 5xx may; 4xx is final, but for 408, 425 and 429.
    package var isRetryable: Bool {
        switch self {
        case .unresolved, .unreachable, .tlsFailed, .stalled, .timedOut, .interrupted: true
        case .status(let response):
            [408, 425, 429].contains(response.status) || (500..<600).contains(response.status)
        case .invalidRequest, .insecure, .certificateRefused, .bodyTooLarge, .headersTooLarge,
            .malformed, .redirectRefused, .rangeIgnored, .rangeMismatch, .cancelled,
            .bodyUnreadable, .local:
            false
        }
    }

    /// How long the server asks to wait before the next try.
    package var retryAfter: Duration? {
        guard case .status(let response) = self else { return nil }
        return response.retryAfter
    }
}

extension TransportError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidRequest(let url, let reason): "cannot request \(url): \(reason)"
        case .insecure(let url): "cannot request \(url): expected https, got plain http"
        case .unresolved(let url): "cannot reach \(url): the host's name has no address"
        case .unreachable(let url, let code): "cannot reach \(url): no connection (\(code))"
        case .certificateRefused(let url, let reason):
            "cannot trust \(url): its certificate is refused: \(reason)"
        case .tlsFailed(let url, let reason): "cannot reach \(url): tls failed: \(reason)"
        case .stalled(let url, let received): "lost \(url): stalled after \(received) bytes"
        case .timedOut(let url, let received): "lost \(url): out of time after \(received) bytes"
        case .interrupted(let url, let received, let code):
            "lost \(url): connection ended after \(received) bytes (\(code))"
        case .bodyTooLarge(let url, let limit, let declared):
            "cannot take \(url): expected at most \(limit) bytes, got "
                + (declared.map { "\($0)" } ?? "more")
        case .headersTooLarge(let url, let limit):
            "cannot take \(url): expected at most \(limit) bytes of header fields, got more"
        case .malformed(let url, let code): "cannot read the answer of \(url): no http (\(code))"
        case .redirectRefused(let url, let status, let location):
            "cannot take \(url): redirected (\(status)) to '\(location)'"
        case .rangeIgnored(let url): "cannot resume \(url): expected a part, got the whole"
        case .rangeMismatch(let url, let asked, let answered):
            "cannot resume \(url): expected \(asked), got \(answered)"
        case .status(let response): "refused by the server: status \(response.status)"
        case .cancelled: "cancelled"
        case .bodyUnreadable(let error): "cannot send: \(error)"
        case .local(let reason): "cannot send: \(reason)"
        }
    }
}

/// Why a download ended early: the network, or whoever took the bytes.
///
/// Take it apart with `switch`: Swift 6.3.1 crashes on a `catch` with nested patterns of it.
package enum DownloadError<SinkError: Error>: Error {
    case transport(TransportError)
    case sink(SinkError)
}

extension DownloadError: Equatable where SinkError: Equatable {}
