import CCurl
import CCurlShims

/// How one transfer ended, and what that means.
struct TransferOutcome {
    let request: HTTPRequest
    let settings: HTTPClientSettings
    let transfer: Transfer
    let code: CURLcode
    let nanoseconds: Int64
    let detail: String
    private let hasConnected: Bool
    private let curlStatus: Int

    init(
        request: HTTPRequest, settings: HTTPClientSettings, transfer: Transfer, code: CURLcode,
        handle: UnsafeMutableRawPointer, nanoseconds: Int64, detail: String
    ) {
        self.request = request
        self.settings = settings
        self.transfer = transfer
        self.code = code
        self.nanoseconds = nanoseconds
        self.detail = detail
        var moment: Int64 = 0
        unsafe ccurl_get_offset(handle, CURLINFO_PRETRANSFER_TIME_T, &moment)
        hasConnected = moment > 0
        var status = 0
        unsafe ccurl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
        curlStatus = status
    }

    /// The answer, without a successful body; nil where the sink ended it.
    func response() throws(TransportError) -> HTTPResponse? {
        if let failure = transfer.failure { throw failure }
        if transfer.isStoppedBySink { return nil }
        if code != CURLE_OK, !transfer.isFailureBodyCut { throw error() }
        // A trailer that looks like a status line must not pass for one.
        guard transfer.status >= 200, transfer.isFailureBodyCut || transfer.status == curlStatus
        else { throw .malformed(url: request.url, code: Int32(bitPattern: code.rawValue)) }
        if settings.redirects == 0, [301, 302, 303, 307, 308].contains(transfer.status) {
            throw redirect()
        }
        return HTTPResponse(
            status: transfer.status, headers: transfer.headers, body: transfer.failureBody)
    }

    private func error() -> TransportError {
        let url = request.url
        let number = Int32(bitPattern: code.rawValue)
        return switch code {
        case CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED:
            .invalidRequest(url: url, reason: reason)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unresolved(url: url)
        case CURLE_COULDNT_CONNECT: .unreachable(url: url, code: number)
        case CURLE_OPERATION_TIMEDOUT: timeout()
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR:
            .certificateRefused(url: url, reason: reason)
        case CURLE_SSL_CONNECT_ERROR: .tlsFailed(url: url, reason: reason)
        case CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING,
            CURLE_SEND_FAIL_REWIND, CURLE_READ_ERROR, CURLE_ABORTED_BY_CALLBACK:
            .interrupted(url: url, received: transfer.received, code: number)
        case CURLE_TOO_MANY_REDIRECTS: redirect()
        // A redirect to another scheme than ours; without a redirect it is HTTP/0.9.
        case CURLE_UNSUPPORTED_PROTOCOL where (300..<400).contains(transfer.status): redirect()
        // BAD_FUNCTION_ARGUMENT is what libcurl says of malformed trailers.
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING, CURLE_WRITE_ERROR,
            CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT:
            .malformed(url: url, code: number)
        default: .local(reason: "\(reason) (\(number))")
        }
    }

    private func redirect() -> TransportError {
        .redirectRefused(
            url: request.url, status: transfer.status,
            location: transfer.headers["location"] ?? "nowhere")
    }

    /// Which of the three limits was it? libcurl has one code for all.
    private func timeout() -> TransportError {
        if !hasConnected {
            return .unreachable(url: request.url, code: Int32(bitPattern: code.rawValue))
        }
        // libcurl counts in milliseconds that it rounds: it may stop within one of the end.
        if let total = request.total ?? settings.total,
            nanoseconds / 1_000_000 + 1 >= total.wholeMilliseconds
        {
            return .timedOut(url: request.url, received: transfer.received)
        }
        return .stalled(url: request.url, received: transfer.received)
    }

    private var reason: String {
        detail.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : detail
    }
}
