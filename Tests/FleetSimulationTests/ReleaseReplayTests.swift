import FleetSimulation
import Health
import Primitives
import Testing

/// Whole releases over fleets of several cohorts, and the table that is made of them.
@Suite struct ReleaseReplayTests {
    private let fleet = SimulatedFleet("two", regions: 2, classes: 1, largest: 120, smallest: 80)

    private func row(_ name: String) throws -> ReleaseRow {
        try #require(ReleaseRow.all.first { $0.name == name })
    }

    @Test(arguments: 0..<3 as Range<UInt64>)
    func `a sound release is left alone`(seed: UInt64) throws {
        let outcome = try row("nothing wrong").replay(on: fleet).run(seed: seed)
        #expect(!outcome.isTakenBack)
        #expect(outcome.exposed == 0 && outcome.hours == 0)
        #expect(outcome.turns > 10_000)
    }

    @Test(arguments: 0..<3 as Range<UInt64>)
    func `a bad one is rolled back while few have it`(seed: UInt64) throws {
        var row = try row("p95 x1.30")
        row.effect.latency = 2
        let outcome = row.replay(on: fleet).run(seed: seed)
        #expect(outcome.isRolledBack)
        #expect(outcome.hours <= 24)
        #expect(outcome.exposed == fleet.cohorts.reduce(0) { $0 + Self.firstStage(of: $1.devices) })
    }

    private static func firstStage(of devices: Int) -> Int {
        ReleaseReplay.stageSizes(of: devices)[0]
    }

    @Test func `one that is bad in a region loses that region, and is seldom rolled back`() throws {
        let row = try row("p95 x2 in one region")
        let fleet = SimulatedFleet.uneven[0]
        let region = try #require(row.segment(of: fleet))
        let outcomes = (0..<4).map { row.replay(on: fleet).run(seed: $0) }
        #expect(outcomes.count { !$0.isRolledBack && $0.excluded.contains(region) } >= 3)
    }

    @Test func `the same seed plays the same release`() throws {
        let replay = try row("errors 1 to 5 %").replay(on: fleet)
        #expect(replay.run(seed: 9) == replay.run(seed: 9))
    }

    @Test func `what is accepted is accepted`() throws {
        let accepting = try row("all x1.10 dearer, accepted").replay(on: fleet).parameters
        let accepted = accepting.rules.filter { $0.accepted == 1.10 }.map(\.metric)
        #expect(Set(accepted) == [.latencyP95, .cpuPerTurn])
        let plain = try row("nothing wrong").replay(on: fleet).parameters
        #expect(plain.rules.allSatisfy { $0.accepted == 1 })
    }

    // MARK: The table

    private func outcomes(
        _ count: Int, _ change: (inout ReleaseReplay.Outcome) -> Void
    ) -> [ReleaseReplay.Outcome] {
        (0..<count).map { place in
            var outcome = ReleaseReplay.Outcome()
            outcome.exposed = place
            outcome.hours = 3 * place
            change(&outcome)
            return outcome
        }
    }

    @Test func `where one class is most of the fleet, a rollback is as good as its exclusion`()
        throws
    {
        let row = try row("p95 x2 in one device class")
        guard case .takenBackAtLeast(80) = row.demand(on: SimulatedFleet.uneven[0]) else {
            Issue.record("of 1,195 devices 1,058 are of the class")
            return
        }
        guard case .excludedAtLeast(80, 20) = row.demand(on: SimulatedFleet.uneven[1]) else {
            Issue.record("of 1,976 devices 1,521 are of the class")
            return
        }
        #expect(row.demand(on: SimulatedFleet.uneven[2]) == row.demand)
        let locale = try self.row("p95 x2 in one locale")
        #expect(locale.demand(on: SimulatedFleet.uneven[0]) == locale.demand)
    }

    @Test func `a demand is met or not by the shares of the runs`() {
        let sound = outcomes(99) { _ in }
        let lost = outcomes(1) { $0.isRolledBack = true }
        #expect(ReleaseResult(sound + lost).meets(.soundAtMost(1)))
        #expect(!ReleaseResult(sound + lost + lost).meets(.soundAtMost(1)))
        let parted = outcomes(2) {
            $0.excluded = [.region(SimulatedFleet.uneven[0].cohorts[0].cohort.region)]
        }
        #expect(!ReleaseResult(sound + parted).meets(.soundAtMost(1)))
        #expect(ReleaseResult(parted + lost).meets(.takenBackAtLeast(99)))
        #expect(!ReleaseResult(sound + lost).meets(.takenBackAtLeast(2)))
        #expect(ReleaseResult(parted).meets(.excludedAtLeast(90, rolledBackAtMost: 10)))
        #expect(!ReleaseResult(parted + lost).meets(.excludedAtLeast(90, rolledBackAtMost: 10)))
    }

    @Test func `medians are of those that were taken back`() {
        let lost = outcomes(5) { $0.isRolledBack = true }
        let result = ReleaseResult(lost + outcomes(50) { _ in })
        #expect(result.medianExposed == 2)
        #expect(result.medianHours == 6)
        #expect(result.runs == 55 && result.takenBack == 5)
        #expect(ReleaseResult(outcomes(3) { _ in }).medianExposed == nil)
    }
}
