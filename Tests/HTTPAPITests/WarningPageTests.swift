import HTTPTypes
import HummingbirdTesting
import Primitives
import RegistryCore
import RegistryTestSupport
import Testing

/// What people are told on the page before the figures: where automatic rollback is off, and which warnings were let stand.
struct WarningPageTests {
    @Test func `the page shows what the creator of a rollout acknowledged`() async throws {
        let api = try TestAPI(isDashboardOpen: true)
        _ = try FleetScene(api)
        let model = api.registry.model
        func page(with warnings: [String]) async throws -> String {
            try api.registry.store.write { (records) throws(RegistryError) in
                guard var rollout = try records.rollout(model, .main) else { return }
                rollout.acknowledged = warnings
                try records.setRollout(rollout)
            }
            return try await api.ask(.get, "/").text
        }
        #expect(try await !page(with: []).contains("Acknowledged at creation"))
        let page = try await page(with: ["stage 'beta': expected 3, got <2>"])
        #expect(page.contains("<strong>Acknowledged at creation</strong>"))
        #expect(page.contains("stage &#39;beta&#39;: expected 3, got &lt;2&gt;"))
    }

    @Test func `the page says what is in force while the next rollout is only prepared`()
        async throws
    {
        let api = try TestAPI(isDashboardOpen: true)
        let scene = try FleetScene(api, starts: false)
        #expect(try await api.ask(.get, "/").text.contains("In force is 1.0.0 "))
        try scene.order(.freeze, reason: "holidays")
        let page = try await api.ask(.get, "/").text
        #expect(page.contains("◌</span> created"))
        let inForce = try #require(page.split(separator: "In force is 1.0.0 ").last)
        #expect(inForce.prefix(120).contains("◌</span> frozen"))
        try scene.order(.unfreeze, reason: "over")
        try scene.order(.start, reason: "go")
        #expect(try await !api.ask(.get, "/").text.contains("In force is"))
    }

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
