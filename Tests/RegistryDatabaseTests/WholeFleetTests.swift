import FleetSimulation
import Primitives
import RegistryCore
import RegistryDatabase
import RegistryTestSupport
import Rollouts
import TestSupport
import Testing

/// A few hundred devices through a whole rollout, against the store on disk, the controller and the gate.
struct WholeFleetTests {
    private let folder = ScratchFolder("whole-fleet", isInMemory: true)

    /// Two stages of half a day, which see what they can.
    private static let policy: JSON = [
        "stages": [
            stage("canary", share: 1_000, least: 20), stage("stable", share: 10_000, least: 0),
        ],
        "on_insufficient_evidence": "promote_unproven",
    ]

    private static func stage(_ name: String, share: Int64, least: Int64) -> JSON {
        [
            "name": .string(name), "share": .integer(share), "least_devices": .integer(least),
            "least_soak_s": 43_200, "most_soak_s": 86_400,
            "required_blind_spot": ["latency_p95": 2_000],
        ]
    }

    private func run(
        devices: Int = 240, hours: Int = 240, isSigned: Bool = false,
        _ change: (inout CandidateEffect) -> Void = { _ in }
    ) throws -> WholeFleet.Standing {
        var effect = CandidateEffect()
        change(&effect)
        let fleet = SimulatedFleet(devices: devices, regions: 1, classes: 2)
        var settings = WholeFleet.Settings(fleet.with(effect))
        settings.hours = hours
        settings.policy = Self.policy
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
        #expect(end.hours >= 24)
        #expect(end.turns > 240 * 40)
        #expect(end.reports > 240 * end.ticks * 3 / 4)
    }

    @Test func `a slow one is rolled back in its first stage`() throws {
        let end = try run { $0.latency = 3 }
        #expect(end.state == .rolledBack)
        #expect(end.exposed > 5 && end.exposed < 60)
        #expect(end.decisions.last?.kind == "rolled_back")
    }

    @Test func `devices that never speak again stop it`() throws {
        let end = try run(hours: 24) { $0.bricked = 1 }
        #expect(end.state == .rolledBack)
        #expect(end.exposed < 60)
    }

    @Test func `devices may sign, and the registry then checks it`() throws {
        let end = try run(devices: 120, hours: 12, isSigned: true)
        #expect(end.state == .running)
        #expect(end.exposed >= 10)
        #expect(end.reports > 120 * 4 * 3 / 4)
    }
}
