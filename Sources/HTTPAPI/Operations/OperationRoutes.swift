import Hummingbird
import NIOCore
import Primitives
import RegistryCore

/// `/healthz`, `/readyz` and `/metrics`: for those who keep the registry running.
struct OperationRoutes: Sendable {
    let services: Services
    let metrics: RequestMetrics
    let fleet: FleetMetrics

    func add(to table: inout RouteTable) {
        table.add(
            Route(.get, "/healthz", "Whether the process lives", .open, [.json("health")]),
            use: { _, _ in Response(["type": "health", "state": "alive"]) })
        table.add(
            Route(
                .get, "/readyz", "Whether the registry can do its work", .open,
                [.json("readiness"), .json("readiness", .serviceUnavailable)]), use: ready)
        table.add(
            Route(
                .get, "/metrics", "Prometheus text", .open, [.file("text/plain")]), use: exposition)
    }

    @Sendable private func ready(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let problems = try await blocking { services.readiness.problems(at: services.now()) }
        return Response(
            [
                "type": "readiness", "state": problems.isEmpty ? "ready" : "not_ready",
                "problems": .array(problems.map { .string($0) }),
            ],
            status: problems.isEmpty ? .ok : .serviceUnavailable)
    }

    @Sendable private func exposition(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let gauges = try await blocking { try fleet.families(at: services.now()) }
        let text = (metrics.exposition + gauges).map(\.text).joined()
        return Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
