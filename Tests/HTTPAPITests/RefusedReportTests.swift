import Cryptography
import HTTPTypes
import HummingbirdTesting
import Primitives
import RegistryCore
import RegistryTestSupport
import Telemetry
import Testing

/// Reports that cannot be: refused with a code, counted by it, and no part of what the gate looks at.
struct RefusedReportTests {
    @Test func `each refusal is counted by its code, and nothing of it is kept`() async throws {
        let api = try TestAPI()
        try api.registry.found(at: api.now)
        var device = TestDevice("one", model: api.registry.model)
        var other = TestDevice("two", model: api.registry.model)
        try api.registry.enrol(device, at: api.now)
        try api.registry.enrol(other, at: api.now)
        let impossible = device.report(at: api.now) { $0.tally.counters.errors = 1 }
        let future = device.report(at: api.now + 3_600)
        let foreign = other.report(at: api.now)
        let forged = device.report(at: api.now)
        let unknown = device.report(at: api.now)
        var newer = device.signed(unknown).object ?? [:]
        var fields = newer["signed"]?.object ?? [:]
        fields["schema"] = "fieldfare.report/9"
        newer["signed"] = .object(fields)
        let batch = device.batch([
            device.signed(impossible), device.signed(future), other.signed(foreign),
            forged.signed(with: other.key.sign(forged.signedBytes)), .object(newer),
        ])
        let answer = try await api.ask(.post, "/v1/reports", json: batch)
        #expect(answer.status == .ok)
        let codes = try answer.json["refused"]?.array?.compactMap { $0["code"]?.string }
        #expect(
            codes == [
                "impossible-count", "future-time", "foreign-device", "wrong-signature",
                "unknown-schema",
            ])
        let metrics = try await api.ask(.get, "/metrics").text.split(separator: "\n")
        for code in codes ?? [] {
            let line = "fieldfare_reports_total{result=\"refused\",code=\"\(code)\"} 1"
            #expect(metrics.contains { $0 == line }, "\(code)")
        }
        #expect(!metrics.contains { $0.hasPrefix("fieldfare_reports_total{result=\"accepted\"") })
        // Batches that are refused whole are counted too.
        let stranger = TestDevice("stranger", model: api.registry.model)
        let unknownDevice = try await api.ask(
            .post, "/v1/reports", json: stranger.batch([JSON]()))
        #expect(unknownDevice.status == .notFound)
        let broken = try await api.ask(.post, "/v1/reports", json: ["schema": "none"])
        #expect(broken.status == .badRequest)
        let counted = try await api.ask(.get, "/metrics").text.split(separator: "\n")
        for code in ["unknown-device", "malformed-batch"] {
            let line = "fieldfare_reports_total{result=\"refused\",code=\"\(code)\"} 1"
            #expect(counted.contains { $0 == line }, "\(code)")
        }
        for id in [device.id, other.id] {
            let (figures, heard) = try api.registry.store.read {
                (records) throws(RegistryError) in
                (try records.figures(of: id), try records.hearing(id))
            }
            #expect(figures.isEmpty && heard == nil)
        }
    }
}
