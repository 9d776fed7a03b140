import FleetSimulation
import Primitives
import RegistryCore
import RegistryDatabase
import RegistryTestSupport
import TestSupport
import Testing

/// A few hundred devices through a whole rollout, against the store on disk, the controller and the gate.
struct WholeFleetTests {
    private let folder = ScratchFolder("whole-fleet", isInMemory: true)

    private func run(
        devices: Int = 240, hours: Int = 240, isSigned: Bool = false,
        _ change: (inout CandidateEffect) -> Void = { _ in }
    ) throws -> WholeFleet.Standing {
        var effect = CandidateEffect()
        change(&effect)
        let fleet = SimulatedFleet(devices: devices, regions: 1, classes: 2)
        var settings = WholeFleet.Settings(fleet.with(effect))
        settings.hours = hours
        settings.isSigned = isSigned
        let store = try SQLiteStore(path: folder.path("registry.sqlite"))
        return try WholeFleet(settings, store: store, blobs: MemoryBlobs()) { count, work in
            for index in 0..<count { work(index) }
        }.run { _ in }
    }

    @Test func `a sound candidate reaches nearly all devices`() throws {
        let end = try run()
        #expect(end.state == .completed)
        #expect(end.excluded == [])
        #expect(end.exposed > 170 && end.exposed < 240)
        #expect(end.hours >= 72)
        #expect(end.turns > 240 * 40 * 2)
        #expect(end.reports > 240 * end.ticks * 3 / 4)
    }

    @Test func `a slow one is rolled back in its first stage`() throws {
        let end = try run { $0.latency = 3 }
        #expect(end.state == .rolledBack)
        #expect(end.exposed > 5 && end.exposed < 60)
        #expect(end.decisions.last?.evidence.contains("p95 latency") == true)
    }

    @Test func `devices that never speak again stop it`() throws {
        let end = try run(hours: 24) { $0.bricked = 1 }
        #expect(end.state == .rolledBack)
        #expect(end.exposed < 60)
    }

    @Test func `signed reports come to the same as those without a signature`() throws {
        let plain = try run(devices: 120, hours: 12)
        let other = WholeFleetTests()
        let signed = try other.run(devices: 120, hours: 12, isSigned: true)
        #expect(signed.turns == plain.turns)
        #expect(signed.reports == plain.reports)
        #expect(signed.exposed == plain.exposed)
    }
}
