import CCurl
import PosixFiles

/// The state of one transfer, which libcurl's callbacks read and change; lives on one thread, for one `perform`.
///
/// Each callback answers whether to go on; where it does not, `failure` says why.
final class Transfer {
    private let request: HTTPRequest
    private let settings: HTTPClientSettings
    private let limit: Int64
    private let cancellation: CancellationFlag?
    /// Takes a piece of a successful body; false ends the transfer.
    private let consume: (RawSpan) -> Bool

    private(set) var failure: TransportError?
    /// The sink refused a piece; the caller knows its error.
    private(set) var isStoppedBySink = false
    private(set) var status = 0
    private(set) var headers = HTTPHeaders()
    /// The body of an answer that is no success, cut at its limit.
    private(set) var failureBody: [UInt8] = []
    private(set) var isFailureBodyCut = false
    /// Body bytes received.
    private(set) var received: Int64 = 0
    private var headerBytes = 0
    private var isHeadComplete = false
    private var sentOffset: Int64 = 0
    private var lastMoved: (bytes: Int64, at: Int64)

    init(
        _ request: HTTPRequest, settings: HTTPClientSettings, limit: Int64,
        cancellation: CancellationFlag?, consume: @escaping (RawSpan) -> Bool
    ) {
        self.request = request
        self.settings = settings
        self.limit = limit
        self.cancellation = cancellation
        self.consume = consume
        lastMoved = (0, SystemClock.monotonicNanoseconds())
    }

    // MARK: Header fields

    /// One line of the head or of the trailers, its line end included.
    func takeHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        headerBytes += line.count
        guard headerBytes <= settings.headerLimit else {
            return fail(.headersTooLarge(url: request.url, limit: settings.headerLimit))
        }
        let text = unsafe String(decoding: line, as: UTF8.self)
        let content = text.drop { $0.isNewline }.prefix { !$0.isNewline }
        if content.hasPrefix("HTTP/"), received == 0 { return startHead(content) }
        if isHeadComplete { return true }
        if content.isEmpty { return finishHead() }
        guard let colon = content.firstIndex(of: ":") else { return failMalformed() }
        let name = content[..<colon]
        guard !name.isEmpty, !name.contains(where: \.isWhitespace) else { return failMalformed() }
        headers.add(String(name), Self.trim(content[content.index(after: colon)...]))
        return true
    }

    private func startHead(_ line: Substring) -> Bool {
        let parts = line.split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, let code = Int(parts[1]), (100..<600).contains(code) else {
            return failMalformed()
        }
        status = code
        headers = HTTPHeaders()
        isHeadComplete = false
        return true
    }

    /// Judges the head before any byte of the body is handed on.
    private func finishHead() -> Bool {
        isHeadComplete = true
        // RFC 9112 section 6.3: lengths that disagree are an error, of which libcurl takes one.
        let lengths = Set(headers.fields.filter { $0.name == "content-length" }.map(\.value))
        guard lengths.count <= 1 else { return failMalformed() }
        guard isSuccess else { return true }
        if let range = request.range, request.method == .get {
            guard status == 206 else { return fail(.rangeIgnored(url: request.url)) }
            guard range.isAnswered(by: headers["content-range"]) else {
                return fail(
                    .rangeMismatch(
                        url: request.url, asked: range.fieldValue,
                        answered: headers["content-range"] ?? "nothing"))
            }
        }
        if request.method != .head, let length = lengths.first.flatMap({ Int64($0) }),
            length > limit
        {
            return fail(.bodyTooLarge(url: request.url, limit: limit, declared: length))
        }
        return true
    }

    private static func trim(_ text: Substring) -> String {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
        let start = text.drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(start[...last])
    }

    // MARK: Bodies

    private var isSuccess: Bool { (200..<300).contains(status) }

    /// One piece of the body.
    func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        received += Int64(bytes.count)
        guard isSuccess else { return unsafe keepFailureBody(bytes) }
        guard received <= limit else {
            return fail(.bodyTooLarge(url: request.url, limit: limit, declared: nil))
        }
        isStoppedBySink = unsafe !consume(bytes.bytes)
        lastMoved.at = SystemClock.monotonicNanoseconds()
        return !isStoppedBySink
    }

    private func keepFailureBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let room = settings.failureBodyLimit - failureBody.count
        unsafe failureBody.append(contentsOf: bytes.prefix(room))
        isFailureBodyCut = bytes.count > room
        return !isFailureBodyCut
    }

    /// Fills the buffer with the next bytes to send; nil where they cannot be had.
    func giveBody(_ buffer: UnsafeMutableRawBufferPointer) -> Int? {
        let count = Int(min(Int64(buffer.count), request.body.length - sentOffset))
        guard count > 0 else { return 0 }
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        switch request.body {
        case .none: return 0
        case .bytes(let bytes):
            let start = Int(sentOffset)
            unsafe part.copyBytes(from: bytes[start..<start + count])
        case .file(let file, let range):
            guard unsafe fill(part, from: file, at: range.lowerBound + sentOffset) else {
                return nil
            }
        }
        sentOffset += Int64(count)
        return count
    }

    private func fill(
        _ part: UnsafeMutableRawBufferPointer, from file: OpenFile, at offset: Int64
    ) -> Bool {
        do {
            let count = try unsafe file.read(into: part, at: offset)
            if count == part.count { return true }
            return fail(
                .bodyUnreadable(
                    .short(
                        path: file.path, expected: request.body.length,
                        found: sentOffset + Int64(count))))
        } catch {
            return fail(.bodyUnreadable(error))
        }
    }

    /// Goes back to an offset of the body, because libcurl sends it again on a fresh connection.
    func seekBody(to offset: Int64) -> Bool {
        guard (0...request.body.length).contains(offset) else { return false }
        sentOffset = offset
        return true
    }

    // MARK: Progress

    /// Called about once a second and after each piece; `bytes` is what has moved in both directions.
    func progress(bytes: Int64) -> Bool {
        if cancellation?.isCancelled == true { return fail(.cancelled) }
        let now = SystemClock.monotonicNanoseconds()
        if bytes != lastMoved.bytes {
            lastMoved = (bytes, now)
        } else if now - lastMoved.at > settings.stall.wholeMilliseconds * 1_000_000 {
            return fail(.stalled(url: request.url, received: received))
        }
        return true
    }

    private func failMalformed() -> Bool {
        fail(
            .malformed(url: request.url, code: Int32(bitPattern: CURLE_WEIRD_SERVER_REPLY.rawValue))
        )
    }

    private func fail(_ error: TransportError) -> Bool {
        failure = failure ?? error
        return false
    }
}
