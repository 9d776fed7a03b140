import HTTPTypes
import HummingbirdTesting
import Primitives
import RegistryCore
import RegistryTestSupport
import Testing

@testable import HTTPAPI

/// What those ask who keep the registry running.
struct OperationTests {
    @Test func `a process that lives says so`() async throws {
        let answer = try await TestAPI().ask(.get, "/healthz")
        #expect(answer.status == .ok)
        #expect(try answer.json == ["type": "health", "state": "alive"])
    }

    @Test func `a registry is ready once it has a repository, and until that expires`()
        async throws
    {
        let api = try TestAPI()
        let empty = try await api.ask(.get, "/readyz")
        #expect(empty.status == .serviceUnavailable)
        #expect(try empty.json["state"]?.string == "not_ready")
        #expect(try empty.json["problems"]?.array?.count == 1)
        try api.registry.found(at: api.now)
        let ready = try await api.ask(.get, "/readyz")
        #expect(ready.status == .ok)
        #expect(try ready.json["state"]?.string == "ready")
        #expect(try ready.json["problems"]?.array == [])
        api.now = api.now + 400 * TestRegistry.day
        let late = try await api.ask(.get, "/readyz")
        #expect(late.status == .serviceUnavailable)
        let problems = try late.json["problems"]?.array?.compactMap(\.string) ?? []
        for role in ["root", "targets", "snapshot", "timestamp"] {
            #expect(problems.contains { $0.contains("'\(role)'") }, "\(role)")
        }
    }

    @Test func `metrics are Prometheus text, and no label names a device`() async throws {
        let api = try TestAPI()
        let scene = try FleetScene(api, devices: 24)
        try scene.pass(ticks: 4)
        try await api.ask(.get, "/tuf/timestamp.json")
        try await api.ask(.get, "/v1/models/unknown-model", token: try api.token("admin"))
        try await api.ask(.get, "/no/such/place")
        let answer = try await api.ask(.get, "/metrics")
        #expect(answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
        let lines = answer.text.split(separator: "\n").map(String.init)
        let sample = try Regex(#"^([a-z_]+)(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+$"#)
        var families: Set<String> = []
        for line in lines {
            if line.hasPrefix("# TYPE ") {
                families.insert(String(line.split(separator: " ")[2]))
                continue
            }
            if line.hasPrefix("# HELP ") { continue }
            let match = try #require(try sample.wholeMatch(in: line), "\(line)")
            #expect(families.contains(String(match.output[1].substring ?? "")), "\(line)")
        }
        #expect(
            families == [
                "fieldfare_http_requests_total", "fieldfare_reports_total",
                "fieldfare_metadata_expiry_timestamp_seconds", "fieldfare_proposals_held",
                "fieldfare_rollouts", "fieldfare_gate_estimate_ratio",
                "fieldfare_gate_limit_ratio", "fieldfare_devices", "fieldfare_devices_silent",
                "fieldfare_controller_last_tick_timestamp_seconds", "fieldfare_build_info",
                "fieldfare_storage_free_bytes",
            ])
        for device in scene.fleet.devices {
            #expect(!answer.text.contains(device.id.description.prefix(8)))
        }
        #expect(lines.contains("fieldfare_rollouts{state=\"running\"} 1"))
        #expect(lines.contains("fieldfare_devices{state=\"committed\"} 24"))
        #expect(!answer.text.contains("unknown-model"))
        #expect(!answer.text.contains("no/such/place"))
        #expect(
            lines.contains(
                #"fieldfare_http_requests_total{route="/tuf/{name}",method="GET",status="200"} 1"#))
        #expect(
            lines.contains(
                #"fieldfare_http_requests_total{route="NotFound",method="GET",status="404"} 1"#))
        let expiry = "fieldfare_metadata_expiry_timestamp_seconds{role=\"root\"} "
        #expect(lines.contains { $0.hasPrefix(expiry) })
    }

    @Test func `what a label holds is escaped`() {
        var family = MetricFamily("a_metric", .gauge, "Help.")
        family.add(1.5, [("name", "a\"b\\c\nd")])
        #expect(
            family.text
                == "# HELP a_metric Help.\n# TYPE a_metric gauge\na_metric{name=\"a\\\"b\\\\c\\nd\"} 1.5\n"
        )
    }
}
