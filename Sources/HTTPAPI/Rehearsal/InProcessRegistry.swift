import HTTPTypes
import Hummingbird
import Logging
import NIOCore
package import Primitives
package import RegistryCore
import Synchronization

/// A registry without sockets, by a clock that its caller sets: the router, the use cases and the controller of the
/// running one, on another store.
package final class InProcessRegistry: RehearsalGround {
    package let store: any RegistryStoring
    package let blobs: any BlobStoring
    package let desk: RolloutDesk
    private let clock: Clock
    private let controller: Controller
    private let responder: RouterResponder<APIContext>
    private let logger = Logger(label: "fieldfare-rehearsal") { _ in SwiftLogNoOpLogHandler() }

    private final class Clock: Sendable {
        let now = Mutex(UTCTime.epoch)
    }

    package init(
        store: any RegistryStoring, blobs: any BlobStoring, keys: OnlineKeys
    ) throws(RegistryError) {
        let live = try LiveTimestamp(store)
        let clock = Clock()
        let services = Services(
            store: live, blobs: blobs, keys: keys, now: { clock.now.withLock { $0 } })
        self.store = live
        self.blobs = blobs
        self.clock = clock
        desk = services.rollouts
        controller = Controller(store: live, blobs: blobs, keys: keys)
        responder = RegistryRouter(
            services: services, metrics: RequestMetrics(),
            fleet: FleetMetrics(services: services) { nil },
            isDashboardOpen: false
        ).router().buildResponder()
    }

    package func post(
        _ path: String, _ body: [UInt8], at now: UTCTime
    ) async throws -> (status: Int, body: [UInt8]) {
        clock.now.withLock { $0 = now }
        let head = HTTPRequest(
            method: .post, scheme: nil, authority: nil, path: path,
            headerFields: [.contentType: "application/json"])
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(bytes: body)))
        let response = try await responder.respond(
            to: request, context: APIContext(logger: logger))
        let answer = AnswerBytes()
        try await response.body.write(answer)
        return (response.status.code, answer.bytes.withLock { $0 })
    }

    package func tick(at now: UTCTime) async throws {
        let report = try await blocking { [controller] in try controller.tick(at: now) }
        if let failure = report.failures.first { throw failure.error }
    }

    package func blocking<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await HTTPAPI.blocking(work)
    }
}

/// Collects an answer's bytes.
private final class AnswerBytes: ResponseBodyWriter {
    let bytes = Mutex<[UInt8]>([])

    func write(_ buffer: ByteBuffer) async throws {
        bytes.withLock { $0 += buffer.readableBytesView }
    }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
