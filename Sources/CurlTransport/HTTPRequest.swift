package import PosixFiles

/// What a request asks to be done.
package enum HTTPMethod: String, Sendable, Hashable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
}

/// The bytes that a request carries.
package enum HTTPBody: Sendable {
    case none
    case bytes([UInt8])
    /// A part of a file, read while it is sent; the file must not shrink meanwhile.
    case file(OpenFile, Range<Int64>)

    /// Its length in bytes.
    package var length: Int64 {
        switch self {
        case .none: 0
        case .bytes(let bytes): Int64(bytes.count)
        case .file(_, let range): Int64(range.count)
        }
    }
}

/// The part of a resource that a request asks for (RFC 9110 section 14.1).
package enum HTTPRange: Sendable, Hashable {
    /// From an offset to the end.
    case from(Int64)
    /// A part that is not empty.
    case bytes(Range<Int64>)

    /// The offset of the first byte.
    package var start: Int64 {
        switch self {
        case .from(let offset): offset
        case .bytes(let range): range.lowerBound
        }
    }

    var fieldValue: String {
        switch self {
        case .from(let offset): "bytes=\(offset)-"
        case .bytes(let range): "bytes=\(range.lowerBound)-\(range.upperBound - 1)"
        }
    }

    /// Whether the `Content-Range` of a 206 answers this: the asked start, and no more than was asked.
    func isAnswered(by contentRange: String?) -> Bool {
        guard let contentRange, contentRange.hasPrefix("bytes ") else { return false }
        let parts = contentRange.dropFirst(6).split(
            separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return false }
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Int64(ends[0]), let last = Int64(ends[1]),
            first == start, last >= first
        else { return false }
        return switch self {
        case .from: true
        case .bytes(let range): last < range.upperBound
        }
    }
}

/// One HTTP request.
package struct HTTPRequest: Sendable {
    package var method: HTTPMethod
    /// An absolute URL; `https` unless the client's settings allow plain HTTP.
    package var url: String
    package var headers: HTTPHeaders
    package var body: HTTPBody
    /// Only a part of the resource; a whole answer (200) is then refused as `.rangeIgnored`.
    package var range: HTTPRange?
    /// The entity tag of the copy at hand (`If-None-Match`): a 304 says that it is still good.
    package var entityTag: String?
    /// The longest that all of it may take; nil for the client's own limit.
    package var total: Duration?

    package init(
        _ method: HTTPMethod = .get, _ url: String, headers: HTTPHeaders = [:],
        body: HTTPBody = .none, range: HTTPRange? = nil, entityTag: String? = nil,
        total: Duration? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.range = range
        self.entityTag = entityTag
        self.total = total
    }
}
