/// One HTTP response; interim (1xx) ones and trailers are dropped.
package struct HTTPResponse: Sendable, Hashable {
    /// 200 to 599.
    package let status: Int
    package let headers: HTTPHeaders
    /// The body that was kept in memory; that of a failure is cut at `HTTPClientSettings.failureBodyLimit`.
    package let body: [UInt8]

    package init(status: Int, headers: HTTPHeaders, body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package var isSuccess: Bool { (200..<300).contains(status) }
    package var isNotModified: Bool { status == 304 }
    package var entityTag: String? { headers["etag"] }

    /// How long the server asks to wait; only the form in seconds of RFC 9110 section 10.2.3, at most a day.
    package var retryAfter: Duration? {
        guard let text = headers["retry-after"], let seconds = Int64(text), seconds >= 0 else {
            return nil
        }
        return .seconds(min(seconds, 86_400))
    }

    /// Itself, if the server did what it was asked.
    ///
    /// - Throws: `.status` otherwise.
    @discardableResult
    package func requireSuccess() throws(TransportError) -> HTTPResponse {
        guard isSuccess else { throw .status(self) }
        return self
    }
}
