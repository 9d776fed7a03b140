import HTTPTypes
import HummingbirdTesting
import Primitives
import RegistryCore
import RegistryTestSupport
import Testing

/// Where automatic rollback is off, people are told.
struct PlaceboPageTests {
    @Test func `the page and the status name cohorts whose placebo fires too often`() async throws {
        let api = try TestAPI(isDashboardOpen: true)
        let scene = try FleetScene(api)
        try scene.pass(ticks: 1)
        #expect(try await !api.ask(.get, "/").text.contains("Automatic rollback is off"))
        let model = api.registry.model
        let now = api.now
        let cohorts = ["eu/hub", "us/hub"].compactMap { Cohort($0) }
        try api.registry.store.write { (records) throws(RegistryError) in
            for (cohort, fired) in zip(cohorts, [3, 4]) {
                try records.setPlacebo(
                    PlaceboRecord(
                        model: model, channel: .main, cohort: cohort, at: now, devices: 20,
                        runs: 300, fired: fired))
            }
        }
        let page = try await api.ask(.get, "/").text
        #expect(page.contains("<strong>Automatic rollback is off</strong> in us/hub (4 of 300)"))
        let status = try await api.ask(
            .get, "/v1/rollouts/commands-en/main", token: try api.token("read"))
        #expect(
            try status.json["placebo"]?.array?.map { $0["trusted"]?.bool } == [true, false])
    }
}
