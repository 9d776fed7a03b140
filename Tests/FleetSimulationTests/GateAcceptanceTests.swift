import FleetSimulation
import Health
import Testing

/// A part of the acceptance table (docs/gate-simulation.md) that takes seconds; `make bench-gate` runs the whole.
struct GateAcceptanceTests {
    private static func row(_ name: String) throws -> AcceptanceRow {
        try #require(AcceptanceRow.all.first { $0.name == name })
    }

    private static func result(
        _ name: String, _ devices: Int, runs: Int,
        _ change: (inout GateParameters) -> Void = { _ in }
    ) throws -> (AcceptanceResult, [String]) {
        let row = try row(name)
        var replay = GateReplay(devices: devices)
        replay.effect = row.effect
        replay.model = row.model
        change(&replay.parameters)
        let outcomes = (0..<runs).map { replay.run(seed: 77 + UInt64($0)) }
        let result = AcceptanceResult(outcomes)
        let cell = try #require(row.cells[devices])
        return (result, result.differences(from: cell, isHealthy: row.isHealthy))
    }

    @Test func `stages have the sizes of the table`() {
        let sizes = AcceptanceRow.fleets.map { GateReplay(devices: $0).stageSizes }
        #expect(
            sizes == [
                [10, 20, 37], [10, 20, 150], [20, 200, 1_900], [200, 2_000, 19_000],
                [2_000, 20_000, 190_000],
            ])
    }

    @Test func `one seed gives one rollout`() {
        var replay = GateReplay(devices: 50)
        replay.effect.latency = 1.3
        let outcomes = (0..<6 as Range<UInt64>).map { replay.run(seed: $0) }
        #expect(outcomes == (0..<6 as Range<UInt64>).map { replay.run(seed: $0) })
        #expect(Set(outcomes).count > 2)
        #expect(outcomes.allSatisfy { $0.turns > 1_000 })
    }

    @Test(arguments: [
        ("p95 x1.15", 50, 60), ("p95 x1.30", 50, 60), ("p95 x1.60", 50, 40), ("p95 x2", 200, 20),
        ("errors 1 to 5 %", 200, 30), ("false positives x1.30", 200, 20),
        ("20 % bricked", 50, 60), ("20 % bricked", 200, 20), ("all bricked", 50, 40),
        ("15 % of devices x3", 200, 30),
    ])
    func `does with a bad release what the table says`(
        name: String, devices: Int, runs: Int
    ) throws {
        let (result, differences) = try Self.result(name, devices, runs: runs)
        #expect(differences == [], "\(result.rolledBackBy) of \(result.runs)")
    }

    @Test(arguments: [
        ("nothing wrong", 50, 150), ("nothing wrong", 200, 50),
        ("nothing wrong, rates with ICC 0.20", 50, 60),
        ("nothing wrong, first 3 h x1.6 on new devices", 200, 30),
    ])
    func `leaves a sound release alone`(name: String, devices: Int, runs: Int) throws {
        let (result, _) = try Self.result(name, devices, runs: runs)
        #expect(result.rolledBack <= 2)
        #expect(result.pausedOrRolledBack <= 2 + runs * 3 / 100)
    }

    @Test func `tells a gate that cries wolf, and one that sleeps`() throws {
        let nervous = try Self.result("nothing wrong", 50, runs: 60) { $0.alpha = 5 }
        #expect(nervous.1.contains("rolls back more than 1%"))
        let asleep = try Self.result("p95 x1.60", 50, runs: 40) { parameters in
            parameters.rules.removeAll { [.latencyP95, .jumped].contains($0.metric) }
        }
        #expect(asleep.1.contains("rolled back"))
    }
}

/// What counts as the same as the table.
struct AcceptanceResultTests {
    private static func result(
        _ rolledBack: [(stage: Int, hours: Int)], paused: Int = 0, of runs: Int
    ) -> AcceptanceResult {
        var outcomes = rolledBack.map { stage, hours in
            var outcome = GateReplay.Outcome()
            outcome.stage = stage
            outcome.exposed = [10, 20, 150][stage]
            outcome.hours = hours
            return outcome
        }
        for index in outcomes.count..<runs {
            var outcome = GateReplay.Outcome()
            outcome.isPaused = index - rolledBack.count < paused
            outcomes.append(outcome)
        }
        return AcceptanceResult(outcomes)
    }

    private static let cell = AcceptanceCell(50, 60, runs: 200, stage: 1, hours: 42)

    @Test func `counts by the end of each stage`() {
        let result = Self.result([(0, 9), (1, 30), (1, 42), (2, 60)], paused: 2, of: 10)
        #expect(result.rolledBackBy == [1, 3, 4])
        #expect(result.pausedOrRolledBack == 6)
        #expect(result.medianHours == 36)
        #expect(result.medianExposed == 20)
        #expect(result.percent(result.rolledBack) == 40)
    }

    @Test func `takes percentages within three standard errors of both runs`() {
        func differences(_ rolledBack: Int) -> [String] {
            Self.result(Array(repeating: (1, 42), count: rolledBack), paused: 20, of: 200)
                .differences(from: Self.cell, isHealthy: false)
        }
        #expect(differences(100) == [])
        // 35.5% differs from 50% by 14.5 points, of which three standard errors are 14.9; 34.5% by 15.5.
        #expect(differences(71) == [])
        #expect(differences(69).contains("rolled back"))
        #expect(differences(131).contains("rolled back"))
        #expect(differences(131).contains("paused"))
    }

    @Test func `takes the same stage and six hours, but for sampling error`() {
        func differences(_ early: Int, _ late: Int, hours: Int) -> [String] {
            Self.result(
                Array(repeating: (0, 12), count: early)
                    + Array(repeating: (1, hours), count: late), paused: 20, of: 200
            ).differences(from: Self.cell, isHealthy: false)
        }
        #expect(differences(0, 100, hours: 48) == [])
        #expect(differences(0, 100, hours: 49) == ["hours"])
        // Half of them in the stage before is chance; three quarters are another gate.
        #expect(differences(55, 45, hours: 42) == [])
        #expect(differences(75, 25, hours: 42) == ["stage", "hours"])
    }

    @Test func `asks of a sound release only how seldom it is stopped`() {
        func differences(_ rolledBack: Int, paused: Int) -> [String] {
            Self.result(Array(repeating: (1, 42), count: rolledBack), paused: paused, of: 1_000)
                .differences(from: AcceptanceCell(0, 0.3, runs: 1_300), isHealthy: true)
        }
        #expect(differences(10, paused: 20) == [])
        #expect(differences(11, paused: 0) == ["rolls back more than 1%"])
        #expect(differences(0, paused: 31) == ["pauses more than 3%"])
    }
}
