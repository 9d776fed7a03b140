import HTTPTypes
import Hummingbird
import RegistryCore
import Synchronization

/// Counts what the registry has answered since it started, for `/metrics`.
///
/// Labels are routes, methods, statuses and codes: each from a closed set, none names a device.
package final class RequestMetrics: Sendable {
    struct Key: Hashable, Comparable {
        let first: String
        let second: String
        let third: String

        static func < (left: Key, right: Key) -> Bool {
            (left.first, left.second, left.third) < (right.first, right.second, right.third)
        }
    }

    private struct Counts {
        var requests: [Key: Int] = [:]
        var reports: [Key: Int] = [:]
    }

    private let counts = Mutex(Counts())

    package init() {}

    func count(route: String, method: String, status: Int) {
        let key = Key(first: route, second: method, third: "\(status)")
        counts.withLock { $0.requests[key, default: 0] += 1 }
    }

    func count(_ receipt: Reports.Receipt) {
        counts.withLock { counts in
            let ours = receipt.accepted.count - receipt.otherSchemas
            for (count, code) in [(ours, ""), (receipt.otherSchemas, "other-schema")]
            where count > 0 {
                let key = Key(first: "accepted", second: code, third: "")
                counts.reports[key, default: 0] += count
            }
            for refusal in receipt.refused {
                let key = Key(first: "refused", second: refusal.code, third: "")
                counts.reports[key, default: 0] += 1
            }
        }
    }

    /// A batch that was refused whole, whatever it held.
    func countRefusedBatch(_ error: RegistryError) {
        let code: String
        switch error {
        case .malformed, .notJSON, .tooLarge: code = "malformed-batch"
        case .notFound: code = "unknown-device"
        default: return
        }
        let key = Key(first: "refused", second: code, third: "")
        counts.withLock { $0.reports[key, default: 0] += 1 }
    }

    /// Both counters as Prometheus text.
    var exposition: [MetricFamily] {
        let counts = counts.withLock { $0 }
        var requests = MetricFamily(
            "fieldfare_http_requests_total", .counter, "Requests answered since the start.")
        for (key, count) in counts.requests.sorted(by: { $0.key < $1.key }) {
            requests.add(
                Double(count),
                [("route", key.first), ("method", key.second), ("status", key.third)])
        }
        var reports = MetricFamily(
            "fieldfare_reports_total", .counter, "Reports of devices, by what became of them.")
        if counts.reports.isEmpty { reports.add(0, [("result", "accepted"), ("code", "")]) }
        for (key, count) in counts.reports.sorted(by: { $0.key < $1.key }) {
            reports.add(Double(count), [("result", key.first), ("code", key.second)])
        }
        return [requests, reports]
    }
}

/// Counts each answer by the pattern of its route, so that no path from outside becomes a label.
struct MetricsMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let metrics: RequestMetrics

    @concurrent func handle(
        _ request: Request, context: APIContext,
        next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        metrics.count(
            route: context.endpointPath ?? "none", method: request.method.rawValue,
            status: response.status.code)
        return response
    }
}
