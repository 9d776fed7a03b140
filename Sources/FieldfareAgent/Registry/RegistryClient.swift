package import AgentCore
package import CurlTransport
package import Primitives
import Synchronization
import TUF
package import Telemetry

/// The registry over HTTPS: fetches and reports on one connection that is kept alive.
///
/// For one lane of work; `@unchecked Sendable` by `lock`: calls from several threads wait for each other. Each lane has its own, so that a long
/// download holds up no poll, and the lane of slots has as many as it downloads on.
package final class RegistryClient: Fetching, Reporting, @unchecked Sendable {
    /// Bytes of an answer to a report or an enrolment.
    static let answerLimit = 64 << 10

    private let base: String
    private let settings: HTTPClientSettings
    /// The longest that a document may take.
    ///
    /// A server that sends a byte now and then stalls nothing, and would keep the agent
    /// from every other question; of blobs, which are large, each piece that came is kept.
    private let documentLimit: Duration
    /// Held while anybody reads or changes `state`, and so during a whole exchange.
    private let lock = Mutex(())
    private var state = State()

    /// The connection, and the interrupt that it listens to.
    private struct State {
        var client: HTTPClient?
        var stop: Interrupt?
        var trace: TraceID?
        var timestamp: (tag: String, bytes: [UInt8])?
    }

    package init(
        base: String, settings: HTTPClientSettings, documentLimit: Duration = .seconds(600)
    ) {
        self.base = base
        self.settings = settings
        self.documentLimit = documentLimit
    }

    /// The trace id that goes with further requests.
    package func attribute(to trace: TraceID?) { lock.withLock { _ in state.trace = trace } }

    /// What its requests have cost, since its interrupt was last another one.
    package var metrics: TransferMetrics {
        lock.withLock { _ in state.client?.metrics ?? TransferMetrics() }
    }

    /// Closes the connection; the next request opens one.
    package func disconnect() { lock.withLock { _ in state.client?.disconnect() } }

    // MARK: Fetching

    package func metadata(
        _ name: String, limit: Int, until stop: Interrupt
    ) throws(FetchError) -> [UInt8]? {
        let isTimestamp = name == "timestamp.json"
        return try use(until: stop) { (client, state) throws(FetchError) in
            var request = Self.request("\(base)/tuf/\(name)", state.trace)
            request.total = documentLimit
            if isTimestamp { request.entityTag = state.timestamp?.tag }
            let response = try Self.send(request, limit: limit, on: client)
            if response.isNotModified, let held = state.timestamp { return held.bytes }
            if response.status == 404 || response.status == 410 { return nil }
            let body = try Self.success(response).body
            if isTimestamp { state.timestamp = response.entityTag.map { ($0, body) } }
            return body
        }
    }

    package func target(
        _ path: TargetPath, limit: Int, until stop: Interrupt
    ) throws(FetchError) -> [UInt8] {
        try use(until: stop) { (client, state) throws(FetchError) in
            var request = Self.request("\(base)/targets/\(path.urlPath)", state.trace)
            request.total = documentLimit
            return try Self.success(Self.send(request, limit: limit, on: client)).body
        }
    }

    package func blob(
        _ digest: SHA256Digest, range: Range<Int64>, until stop: Interrupt,
        into sink: (RawSpan) -> Bool
    ) throws(FetchError) {
        guard !range.isEmpty else { return }
        try use(until: stop) { (client, state) throws(FetchError) in
            var request = Self.request("\(base)/blobs/sha256/\(digest)", state.trace)
            request.range = .bytes(range)
            var received: Int64 = 0
            do throws(DownloadError<Refused>) {
                try client.download(request, limit: Int64(range.count)) {
                    (piece) throws(Refused) in
                    received += Int64(piece.byteCount)
                    guard !stop.isSet, sink(piece) else { throw Refused() }
                }
            } catch {
                switch error {
                case .sink: throw .interrupted
                case .transport(let reason): throw FetchError(reason)
                }
            }
            guard received == Int64(range.count) else {
                throw .malformed("expected \(range.count) bytes, got \(received)")
            }
        }
    }

    private struct Refused: Error {}

    // MARK: Reporting

    package func post(_ batch: JSON, until stop: Interrupt) throws(FetchError) -> ReportReceipt {
        let answer = try post(batch, to: "/v1/reports", until: stop)
        do { return try ReportReceipt(answer) } catch { throw .malformed("\(error)") }
    }

    package func enrol(_ request: JSON, until stop: Interrupt) throws(FetchError) -> DeviceID {
        let answer = try post(request, to: "/v1/devices", until: stop)
        guard let device = answer["device"]?.string.flatMap({ DeviceID($0) }) else {
            throw .malformed("field 'device': expected \(DeviceID.expected)")
        }
        return device
    }

    private func post(
        _ body: JSON, to path: String, until stop: Interrupt
    ) throws(FetchError) -> JSON {
        try use(until: stop) { (client, state) throws(FetchError) in
            var request = Self.request(base + path, state.trace)
            request.method = .post
            request.headers["Content-Type"] = "application/json"
            request.body = .bytes(body.bytes)
            request.total = .seconds(60)
            let response = try Self.success(
                Self.send(request, limit: Self.answerLimit, on: client))
            do { return try JSON(parsing: response.body, limit: Self.answerLimit) } catch {
                throw .malformed("\(error)")
            }
        }
    }

    // MARK: The connection

    /// Runs one exchange on the connection; a client whose interrupt was set is replaced.
    private func use<Value>(
        until stop: Interrupt,
        _ body: (HTTPClient, inout State) throws(FetchError) -> Value
    ) throws(FetchError) -> Value {
        guard !stop.isSet else { throw .interrupted }
        return try lock.withLock { _ throws(FetchError) in
            let client = connected(until: stop)
            return try body(client, &state)
        }
    }

    private func connected(until stop: Interrupt) -> HTTPClient {
        if let client = state.client, state.stop === stop { return client }
        let flag = CancellationFlag()
        stop.onSet { flag.cancel() }
        let client = HTTPClient(settings, cancellation: flag)
        state.client = client
        state.stop = stop
        return client
    }

    private static func request(_ url: String, _ trace: TraceID?) -> HTTPRequest {
        var request = HTTPRequest(.get, url)
        request.headers["traceparent"] = trace.map { $0.traceparent(span: $0.span) }
        return request
    }

    private static func send(
        _ request: HTTPRequest, limit: Int, on client: HTTPClient
    ) throws(FetchError) -> HTTPResponse {
        do { return try client.send(request, limit: limit) } catch { throw FetchError(error) }
    }

    private static func success(_ response: HTTPResponse) throws(FetchError) -> HTTPResponse {
        do { return try response.requireSuccess() } catch { throw FetchError(error) }
    }
}

extension TraceID {
    /// The span of the agent's own side, made of the trace itself: it has one span an attempt.
    fileprivate var span: UInt64 {
        let word = bytes.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return word == 0 ? 1 : word
    }
}

extension FetchError {
    init(_ error: TransportError) {
        switch error {
        case .cancelled: self = .interrupted
        case .status(let response): self = FetchError(response)
        case .bodyTooLarge(_, let limit, _): self = .tooLong(limit: limit)
        case .headersTooLarge, .malformed, .redirectRefused, .rangeIgnored, .rangeMismatch:
            self = .malformed(error.description)
        case .invalidRequest, .insecure, .unresolved, .unreachable, .certificateRefused,
            .tlsFailed, .stalled, .timedOut, .interrupted, .bodyUnreadable, .local:
            self = .unreachable(error.description)
        }
    }

    private init(_ response: HTTPResponse) {
        let status = response.status
        switch status {
        case 404, 410: self = .notFound
        case 408, 425, 429, 500...599:
            let seconds = response.retryAfter.map { $0.components.seconds }
            self = .busy(status: status, retryAfter: seconds)
        default: self = .refused(status: status, code: Self.code(response.body))
        }
    }

    /// The problem's code of RFC 9457, where the body has one of ours.
    private static func code(_ body: [UInt8]) -> String? {
        let prefix = "urn:fieldfare:problem:"
        guard let json = try? JSON(parsing: body, limit: RegistryClient.answerLimit),
            let type = json["type"]?.string, type.hasPrefix(prefix)
        else { return nil }
        return String(type.dropFirst(prefix.count).prefix(64))
    }
}

extension ReportReceipt {
    /// Reads `{"type":"reports","accepted":[...],"refused":[{"sequence","code"}...]}`.
    init(_ json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        self.init(accepted: [])
        for (json, path) in try fields.array("accepted", limit: 1_024) {
            guard let sequence = json.integer else {
                throw FieldError(path: path, expected: "a sequence", found: json.kind)
            }
            accepted.append(sequence)
        }
        for (json, path) in try fields.array("refused", limit: 1_024) {
            var inner = try Fields(json, at: path)
            refused.append(
                Refusal(
                    sequence: try inner.integer("sequence"),
                    code: try inner.string("code", limit: 64)))
        }
    }
}
