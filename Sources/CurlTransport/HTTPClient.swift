import CCurl
import CCurlShims
import PosixFiles

/// A synchronous HTTP/1.1 client on one libcurl handle, which keeps its connections alive between requests.
///
/// It blocks its thread, and is for one thread at a time: not `Sendable`. HTTPS with TLS 1.2 or newer only, no
/// redirects, no cookies, no proxy from the environment, no decompression, unless the settings say otherwise. It
/// does not retry (but libcurl does, once, where a kept connection had died before the answer began).
@safe package final class HTTPClient {
    package let settings: HTTPClientSettings
    /// The sums over all requests of this client.
    package private(set) var metrics = TransferMetrics()
    private let cancellation: CancellationFlag?
    private var handle: UnsafeMutableRawPointer?

    /// - Parameters:
    ///   - settings: trust, limits and times.
    ///   - cancellation: ends the request under way within about a second, and every later one at once.
    package init(_ settings: HTTPClientSettings = .init(), cancellation: CancellationFlag? = nil) {
        self.settings = settings
        self.cancellation = cancellation
    }

    deinit {
        disconnect()
    }

    /// Closes the connections kept alive; the next request opens one.
    package func disconnect() {
        guard let open = unsafe handle else { return }
        unsafe curl_easy_cleanup(open)
        unsafe handle = nil
    }

    /// Makes a request and keeps the answer's body in memory.
    ///
    /// - Parameters:
    ///   - request: what to ask.
    ///   - limit: the most bytes of a successful body.
    /// - Returns: the answer, of whatever status: `requireSuccess()` tells a good one.
    /// - Throws: where there is none, or its body is over the limit.
    package func send(
        _ request: HTTPRequest, limit: Int
    ) throws(TransportError) -> HTTPResponse {
        var body: [UInt8] = []
        let response = try perform(request, limit: Int64(limit)) { piece in
            unsafe piece.withUnsafeBytes { unsafe body.append(contentsOf: $0) }
            return true
        }
        guard let response else { throw .local(reason: "the answer was not taken") }
        guard response.isSuccess else { return response }
        return HTTPResponse(status: response.status, headers: response.headers, body: body)
    }

    /// Makes a request and hands the answer's body on, piece by piece, as it comes.
    ///
    /// The sink sees bytes of a good answer only: 200, or 206 with the very range that was asked for.
    ///
    /// - Parameters:
    ///   - request: what to ask.
    ///   - limit: the most bytes of the body.
    ///   - sink: takes each piece, in order; what it throws ends the transfer.
    /// - Returns: the answer without its body; a 304 without any call of the sink.
    /// - Throws: `.sink` what the sink threw, `.transport` all else, an answer of another status included.
    @discardableResult
    package func download<SinkError: Error>(
        _ request: HTTPRequest, limit: Int64, into sink: (RawSpan) throws(SinkError) -> Void
    ) throws(DownloadError<SinkError>) -> HTTPResponse {
        var refusal: SinkError?
        let response: HTTPResponse?
        do {
            response = try perform(request, limit: limit) { piece in
                do throws(SinkError) {
                    try sink(piece)
                    return true
                } catch {
                    refusal = error
                    return false
                }
            }
        } catch {
            throw .transport(error)
        }
        if let refusal { throw .sink(refusal) }
        guard let response else { throw .transport(.local(reason: "the answer was not taken")) }
        guard response.isSuccess || response.isNotModified else {
            throw .transport(.status(response))
        }
        return response
    }

    /// Runs one transfer; nil where `consume` ended it.
    private func perform(
        _ request: HTTPRequest, limit: Int64, _ consume: (RawSpan) -> Bool
    ) throws(TransportError) -> HTTPResponse? {
        if cancellation?.isCancelled == true { throw .cancelled }
        let handle = try unsafe openHandle()
        var code = CURLE_OK
        // After some failures libcurl 7.88 keeps a receive buffer and refuses to be set up again; the connection is
        // lost anyway.
        defer { if code != CURLE_OK { disconnect() } }
        return try withoutActuallyEscaping(consume) {
            (consume) throws(TransportError) -> HTTPResponse? in
            let transfer = Transfer(
                request, settings: settings, limit: limit, cancellation: cancellation,
                consume: consume)
            let options = try unsafe TransferOptions(
                request, settings: settings, transfer: transfer, on: handle)
            let start = SystemClock.monotonicNanoseconds()
            code = unsafe ccurl_perform(handle)
            withExtendedLifetime((transfer, options)) {}
            unsafe measure(handle)
            let outcome = unsafe TransferOutcome(
                request: request, settings: settings, transfer: transfer, code: code,
                handle: handle, nanoseconds: SystemClock.monotonicNanoseconds() - start,
                detail: options.detail)
            return try outcome.response()
        }
    }

    private func openHandle() throws(TransportError) -> UnsafeMutableRawPointer {
        if let handle = unsafe handle {
            unsafe curl_easy_reset(handle)
            return unsafe handle
        }
        guard Self.isLibraryReady, let new = unsafe curl_easy_init() else {
            throw .local(reason: "libcurl could not start")
        }
        unsafe handle = new
        return unsafe new
    }

    /// Prepares libcurl for the process; once, before the first handle.
    private static let isLibraryReady =
        curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private func measure(_ handle: UnsafeMutableRawPointer) {
        var transfer = TransferMetrics()
        transfer.requests = 1
        transfer.connections = unsafe Self.number(CURLINFO_NUM_CONNECTS, handle)
        transfer.notModified = unsafe Self.number(CURLINFO_RESPONSE_CODE, handle) == 304 ? 1 : 0
        transfer.bodyBytesReceived = unsafe Self.offset(CURLINFO_SIZE_DOWNLOAD_T, handle)
        transfer.bytesReceived =
            unsafe transfer.bodyBytesReceived + Self.number(CURLINFO_HEADER_SIZE, handle)
        transfer.bytesSent =
            unsafe Self.offset(CURLINFO_SIZE_UPLOAD_T, handle)
            + Self.number(CURLINFO_REQUEST_SIZE, handle)
        transfer.microseconds = unsafe Self.offset(CURLINFO_TOTAL_TIME_T, handle)
        metrics = metrics + transfer
    }

    private static func number(_ info: CURLINFO, _ handle: UnsafeMutableRawPointer) -> Int64 {
        var value = 0
        unsafe ccurl_get_long(handle, info, &value)
        return Int64(value)
    }

    private static func offset(_ info: CURLINFO, _ handle: UnsafeMutableRawPointer) -> Int64 {
        var value: Int64 = 0
        unsafe ccurl_get_offset(handle, info, &value)
        return value
    }
}
