import FleetSimulation
import Health
import Primitives
import RegistryCore
import RegistryTestSupport
import TestSupport
import Testing

/// The daily trial of the gate on cohorts in which nothing changes, and what it does to rollbacks.
struct PlacebosTests {
    private let scene: ControllerTests.Scene

    init() throws { scene = try ControllerTests.Scene(devices: 60, regions: ["eu", "us"]) }

    private func run(seed: UInt64 = 1) throws -> [PlaceboRecord] {
        var random = SeededGenerator(seed: seed)
        return try Placebos(store: scene.registry.store, runs: 30).run(
            at: scene.now, using: &random)
    }

    private func held() throws -> [PlaceboRecord] {
        try scene.registry.store.read { (records) throws(RegistryError) in
            try records.placebos(scene.registry.model, .main)
        }
    }

    private func distrust(_ cohorts: [Cohort]) throws {
        try scene.registry.store.write { (records) throws(RegistryError) in
            for cohort in cohorts {
                try records.setPlacebo(
                    PlaceboRecord(
                        model: scene.registry.model, channel: .main, cohort: cohort,
                        at: scene.now, devices: 30, runs: 300, fired: 9))
            }
        }
    }

    @Test func `each cohort is tried once a day, on the devices of one version`() throws {
        try scene.run(hours: 2)
        let first = try run()
        #expect(first.map(\.cohort.description) == ["eu/hub", "us/hub"])
        #expect(first.allSatisfy { $0.devices == 30 && $0.runs == 30 && $0.isTrusted })
        #expect(try held() == first)
        #expect(try run() == [])
        scene.now = scene.now + Placebos.interval
        #expect(try run(seed: 2).count == 2)
        #expect(try !scene.registry.events().contains("placebo.judged"))
    }

    @Test func `a change of trust goes to the audit log, once`() throws {
        try scene.run(hours: 2)
        try distrust([try #require(Cohort("eu/hub"))])
        scene.now = scene.now + Placebos.interval
        _ = try run()
        scene.now = scene.now + Placebos.interval
        _ = try run()
        let events = try scene.registry.events().filter { $0 == "placebo.judged" }
        #expect(events.count == 1)
        #expect(try held().allSatisfy(\.isTrusted))
    }

    @Test
    func
        `a cohort that has become too small is trusted again, and no channel is tried twice a day`()
        throws
    {
        let scene = try ControllerTests.Scene(devices: 4, regions: ["eu"])
        try scene.run(hours: 2)
        let hub = try #require(Cohort("eu/hub"))
        let old = PlaceboRecord(
            model: scene.registry.model, channel: .main, cohort: hub,
            at: scene.now + -Placebos.interval, devices: 30, runs: 300, fired: 9)
        try scene.registry.store.write { (records) throws(RegistryError) in
            try records.setPlacebo(old)
        }
        #expect(!old.isTrusted)
        var random = SeededGenerator(seed: 1)
        let placebos = Placebos(store: scene.registry.store, runs: 30)
        let trials = try placebos.run(at: scene.now, using: &random)
        #expect(trials.map(\.runs) == [0])
        #expect(trials.map(\.devices) == [4])
        #expect(trials.map(\.isTrusted) == [true])
        let events = try scene.registry.events().filter { $0 == "placebo.judged" }
        #expect(events.count == 1)
        let again = try placebos.run(at: scene.now + 3_600, using: &random)
        #expect(again == [])
    }

    @Test func `where the placebo fires too often a bad release is paused, not rolled back`()
        throws
    {
        var slow = VersionBehaviour()
        slow.effect.latency = 1.8
        scene.fleet.behaviours[scene.new] = slow
        try distrust(["eu/hub", "us/hub"].compactMap { Cohort($0) })
        try scene.startNew()
        try scene.run(hours: 5)
        #expect(try scene.decisions().last == "paused")
        #expect(try !scene.decisions().contains("rolled_back"))
        let status = try scene.status().json
        #expect(
            status["look"]?["reason"]?.string?.contains("the placebo fires too often") == true)
        #expect(status["placebo"]?.array?.count == 2)
        #expect(status["placebo"]?.array?.allSatisfy { $0["trusted"]?.bool == false } == true)
        try scene.order(.rollback)
        #expect(try scene.decisions().last == "rolled_back")
    }

    @Test func `one untrusted cohort does not keep a release that is bad everywhere`() throws {
        var slow = VersionBehaviour()
        slow.effect.latency = 1.8
        scene.fleet.behaviours[scene.new] = slow
        try distrust([try #require(Cohort("eu/hub"))])
        try scene.startNew()
        try scene.run(hours: 5)
        #expect(try scene.decisions().last == "rolled_back")
    }
}
