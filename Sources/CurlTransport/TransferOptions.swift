import CCurl
import CCurlShims

/// The options of one transfer, set on a handle; it owns what libcurl keeps pointers to, so it must outlive `perform`.
@safe final class TransferOptions {
    private let handle: UnsafeMutableRawPointer
    private var list: UnsafeMutablePointer<curl_slist>?
    private let message: UnsafeMutablePointer<CChar>
    private let url: String

    /// - Throws: `.invalidRequest`, `.insecure`, or `.local` where libcurl refuses an option.
    init(
        _ request: HTTPRequest, settings: HTTPClientSettings, transfer: Transfer,
        on handle: UnsafeMutableRawPointer
    ) throws(TransportError) {
        unsafe self.handle = unsafe handle
        url = request.url
        unsafe message = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe message.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        try Self.check(request, settings)
        try setTrust(settings)
        try setLimits(request, settings)
        try setCallbacks(transfer)
        try setMethod(request)
        try setHeaders(request)
        try set(CURLOPT_URL, request.url)
    }

    deinit {
        unsafe curl_slist_free_all(list)
        // The handle lives on, and must not write into freed memory.
        unsafe ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, nil)
        unsafe message.deallocate()
    }

    /// What libcurl says about the last error, where it says something.
    var detail: String { unsafe String(cString: message) }

    private static func check(
        _ request: HTTPRequest, _ settings: HTTPClientSettings
    ) throws(TransportError) {
        let url = request.url
        guard url.utf8.count <= 8_192, url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .invalidRequest(
                url: String(url.prefix(200)),
                reason: "expected at most 8192 visible ASCII characters")
        }
        if url.lowercased().hasPrefix("http://") {
            guard settings.allowsPlainHTTP || settings.unixSocket != nil else {
                throw .insecure(url: url)
            }
        } else if !url.lowercased().hasPrefix("https://") {
            throw .invalidRequest(url: url, reason: "expected an https url")
        }
        if let field = request.headers.unsendable {
            throw .invalidRequest(url: url, reason: "header field '\(field.name)' is malformed")
        }
        if let tag = request.entityTag, tag.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw .invalidRequest(url: url, reason: "the entity tag is malformed")
        }
        if case .bytes(let range) = request.range, range.isEmpty {
            throw .invalidRequest(url: url, reason: "an empty range")
        }
    }

    private func setTrust(_ settings: HTTPClientSettings) throws(TransportError) {
        let plain = settings.allowsPlainHTTP || settings.unixSocket != nil
        try check(unsafe ccurl_set_schemes(handle, plain))
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        if let authorities = settings.authorities {
            try set(CURLOPT_CAINFO, authorities)
            // Else the system's folder of authorities would be trusted as well.
            try check(unsafe ccurl_set_string(handle, CURLOPT_CAPATH, nil))
        }
        if let socket = settings.unixSocket { try set(CURLOPT_UNIX_SOCKET_PATH, socket) }
        try set(CURLOPT_PROXY, settings.proxy ?? "")
        try set(CURLOPT_FOLLOWLOCATION, settings.redirects > 0 ? 1 : 0)
        try set(CURLOPT_MAXREDIRS, settings.redirects)
        try set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try set(CURLOPT_HTTP09_ALLOWED, 0)
        try set(CURLOPT_USERAGENT, settings.userAgent)
    }

    private func setLimits(
        _ request: HTTPRequest, _ settings: HTTPClientSettings
    ) throws(TransportError) {
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        try set(CURLOPT_BUFFERSIZE, 512 << 10)
        try set(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(settings.connect))
        if let total = request.total ?? settings.total {
            try set(CURLOPT_TIMEOUT_MS, Self.milliseconds(total))
        }
        try set(CURLOPT_LOW_SPEED_LIMIT, settings.leastSpeed)
        try set(CURLOPT_LOW_SPEED_TIME, max(1, Self.milliseconds(settings.stall) / 1_000))
    }

    /// At least 1: libcurl takes 0 for "no limit".
    private static func milliseconds(_ duration: Duration) -> Int {
        Int(min(max(1, duration.wholeMilliseconds), Int64(Int32.max)))
    }

    private func setCallbacks(_ transfer: Transfer) throws(TransportError) {
        let user = unsafe Unmanaged.passUnretained(transfer).toOpaque()
        try check(unsafe ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, message))
        try check(unsafe ccurl_set_write(handle, CURLOPT_HEADERFUNCTION, headerCallback))
        try check(unsafe ccurl_set_pointer(handle, CURLOPT_HEADERDATA, user))
        try check(unsafe ccurl_set_write(handle, CURLOPT_WRITEFUNCTION, bodyCallback))
        try check(unsafe ccurl_set_pointer(handle, CURLOPT_WRITEDATA, user))
        try check(unsafe ccurl_set_read(handle, CURLOPT_READFUNCTION, readCallback))
        try check(unsafe ccurl_set_pointer(handle, CURLOPT_READDATA, user))
        try check(unsafe ccurl_set_seek(handle, seekCallback))
        try check(unsafe ccurl_set_pointer(handle, CURLOPT_SEEKDATA, user))
        try check(unsafe ccurl_set_progress(handle, progressCallback))
        try check(unsafe ccurl_set_pointer(handle, CURLOPT_XFERINFODATA, user))
        try set(CURLOPT_NOPROGRESS, 0)
    }

    private func setMethod(_ request: HTTPRequest) throws(TransportError) {
        switch request.method {
        case .get: try set(CURLOPT_HTTPGET, 1)
        case .head: try set(CURLOPT_NOBODY, 1)
        case .delete where request.body.length == 0: try set(CURLOPT_CUSTOMREQUEST, "DELETE")
        case .post, .put, .patch, .delete:
            try set(CURLOPT_UPLOAD, 1)
            try set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
            try check(
                unsafe ccurl_set_offset(handle, CURLOPT_INFILESIZE_LARGE, request.body.length))
            try set(CURLOPT_UPLOAD_BUFFERSIZE, 512 << 10)
        }
    }

    private func setHeaders(_ request: HTTPRequest) throws(TransportError) {
        // Without this libcurl waits for a 100 before it sends a body.
        try append("Expect:")
        for field in request.headers.fields {
            // An empty value is spelt with a semicolon; a colon alone would remove the field.
            try append(
                field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        if let range = request.range { try append("range: \(range.fieldValue)") }
        if let tag = request.entityTag { try append("if-none-match: \(tag)") }
        try check(unsafe ccurl_set_list(handle, CURLOPT_HTTPHEADER, list))
    }

    private func append(_ line: String) throws(TransportError) {
        guard let longer = unsafe curl_slist_append(list, line) else {
            throw .local(reason: "out of memory")
        }
        unsafe list = longer
    }

    private func set(_ option: CURLoption, _ value: Int) throws(TransportError) {
        try check(unsafe ccurl_set_long(handle, option, value))
    }

    private func set(_ option: CURLoption, _ value: String) throws(TransportError) {
        try check(unsafe ccurl_set_string(handle, option, value))
    }

    private func check(_ code: CURLcode) throws(TransportError) {
        guard code == CURLE_OK else {
            throw .local(reason: unsafe String(cString: curl_easy_strerror(code)))
        }
    }
}
