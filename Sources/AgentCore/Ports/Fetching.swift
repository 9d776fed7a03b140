package import Primitives

/// Why bytes could not be had, in the terms in which the agent decides what to do next.
package enum FetchError: Error, Sendable, Hashable {
    /// No answer: name, connection, TLS, stall or reset. The detail is the transport's own word.
    case unreachable(String)
    /// 408, 425, 429 or 5xx: the same request may succeed later; after so many seconds, where it said so.
    case busy(status: Int, retryAfter: Int64?)
    /// Any other status of 400 and more: the same request will fail again. `code` is the problem's, if any.
    case refused(status: Int, code: String?)
    case notFound
    /// More bytes than asked for or allowed.
    case tooLong(limit: Int64)
    /// An answer that is not what the protocol says.
    case malformed(String)
    case interrupted

    /// Whether trying again, later, makes sense (4xx is final, but for 408, 425 and 429).
    package var isRetryable: Bool {
        switch self {
        case .unreachable, .busy, .interrupted: true
        case .refused, .notFound, .tooLong, .malformed: false
        }
    }

    /// How long the registry asks to wait, in seconds.
    package var retryAfter: Int64? {
        guard case .busy(_, let seconds) = self else { return nil }
        return seconds
    }
}

extension FetchError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreachable(let detail): detail
        case .busy(let status, nil): "the registry is busy (status \(status))"
        case .busy(let status, let seconds?):
            "the registry is busy (status \(status)), and asks to wait \(seconds) s"
        case .refused(let status, let code):
            "the registry refused (status \(status)\(code.map { ", \($0)" } ?? ""))"
        case .notFound: "the registry has nothing of that name"
        case .tooLong(let limit): "expected at most \(limit) bytes, got more"
        case .malformed(let detail): "cannot understand the registry: \(detail)"
        case .interrupted: "interrupted"
        }
    }
}

extension FetchError {
    /// What came in the place of what was asked for, to stand behind "expected ..., got".
    package var found: String {
        switch self {
        case .unreachable(let detail): "no whole answer (\(detail))"
        case .busy(let status, nil): "a busy registry (status \(status))"
        case .busy(let status, let seconds?):
            "a busy registry (status \(status)) that asks to wait \(seconds) s"
        case .refused(let status, let code):
            "a refusal (status \(status)\(code.map { ", \($0)" } ?? ""))"
        case .notFound: "nothing of that name"
        case .tooLong(let limit): "more than \(limit) bytes"
        case .malformed(let detail): "an answer that cannot be understood (\(detail))"
        case .interrupted: "an interruption"
        }
    }
}

/// What the agent reads from a registry, a mirror or any static host.
///
/// Nothing it returns is trusted: callers verify. Calls block, and give up within a second of `stop` being set.
package protocol Fetching: Sendable {
    /// A metadata file below `/tuf/` by its name there, such as `timestamp.json`; nil where there is none.
    ///
    /// - Throws: `.tooLong` as soon as more than `limit` bytes have come.
    func metadata(_ name: String, limit: Int, until stop: Interrupt) throws(FetchError) -> [UInt8]?

    /// A target file below `/targets/` by its consistent-snapshot path there.
    func target(
        _ path: TargetPath, limit: Int, until stop: Interrupt
    ) throws(FetchError) -> [UInt8]

    /// A range of the blob `/blobs/sha256/<hex>`, handed to `sink` in order as it arrives.
    ///
    /// Returns only when exactly the range has been delivered. After an error, `sink` has had a prefix;
    /// a sink that returns false stops it, which throws `.interrupted`.
    func blob(
        _ digest: SHA256Digest, range: Range<Int64>, until stop: Interrupt,
        into sink: (RawSpan) -> Bool
    ) throws(FetchError)
}
