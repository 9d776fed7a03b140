import HTTPTypes
import NIOCore
import Primitives
import RegistryCore
import Synchronization

/// The answer to a poll, `GET /tuf/timestamp.json`: made once for each second and file, and then only looked up.
///
/// Header for header what `StaticRoutes` answers to the same request.
package final class PollAnswers: Sendable {
    static let path = "/tuf/timestamp.json"

    /// One answer; the body is empty where the client has the file already.
    struct Answer: Sendable {
        let head: HTTPResponse
        let body: ByteBuffer
    }

    private struct Made {
        let second: UTCTime
        let file: PublishedFile
        let tag: String
        let whole: Answer
        let unchanged: Answer
    }

    private let services: Services
    private let metrics: RequestMetrics
    private let made = Mutex<Made?>(nil)

    package init(services: Services, metrics: RequestMetrics) {
        self.services = services
        self.metrics = metrics
    }

    /// Nil for any other request, for one that has a body or wants its connection closed, and where there is
    /// no timestamp yet: those are the router's.
    func answer(to request: HTTPRequest) -> Answer? {
        let fields = request.headerFields
        guard request.method == .get, request.path == Self.path, fields[.connection] == nil,
            fields[.contentLength] == nil, fields[.transferEncoding] == nil, fields[.expect] == nil,
            let file = services.published.timestamp
        else { return nil }
        let made = current(file)
        let isHeld = EntityTag.isHeld(made.tag, by: fields[.ifNoneMatch])
        let answer = isHeld ? made.unchanged : made.whole
        metrics.count(
            route: StaticRoutes.metadataPath, method: request.method.rawValue,
            status: answer.head.status.code)
        return answer
    }

    private func current(_ file: PublishedFile) -> Made {
        let now = services.now()
        return made.withLock { made in
            if let made, made.second == now, made.file.sha256 == file.sha256 { return made }
            let new = Self.make(file, at: now)
            made = new
            return new
        }
    }

    private static func make(_ file: PublishedFile, at now: UTCTime) -> Made {
        func head(_ status: HTTPResponse.Status) -> HTTPResponse {
            var fields = StaticRoutes.metadataHeaders(of: file, isNewest: true, status: status)
            fields[.date] = now.httpDate
            if status == .ok { fields[.contentLength] = "\(file.bytes.count)" }
            return HTTPResponse(status: status, headerFields: fields)
        }
        return Made(
            second: now, file: file, tag: StaticRoutes.tag(of: file),
            whole: Answer(head: head(.ok), body: ByteBuffer(bytes: file.bytes)),
            unchanged: Answer(head: head(.notModified), body: ByteBuffer()))
    }
}
