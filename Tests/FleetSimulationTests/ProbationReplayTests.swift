import FleetSimulation
import Testing

/// A seeded part of the watch's table in docs/gate-simulation.md.
@Suite struct ProbationReplayTests {
    private func row(_ name: String) throws -> ProbationRow {
        try #require(ProbationRow.all.first { $0.name == name })
    }

    private func result(_ name: String, _ seeds: Range<UInt64>) throws -> ProbationResult {
        let replay = try row(name).replay
        return ProbationResult(seeds.map { replay.run(seed: $0) })
    }

    @Test func `lets a sound release pass on all but a device in a thousand`() throws {
        let result = try result("nothing wrong", 0..<1_500)
        // 0.1% of 1,450 devices, and three binomial standard errors above it.
        #expect(result.devices > 1_400)
        #expect(result.turns.count <= 5)
    }

    @Test func `goes back from twice the latency within some forty turns`() throws {
        let result = try result("latency x2", 10_000..<10_300)
        #expect(result.percent >= 98)
        let median = try #require(result.turn(0.5))
        #expect((33...47).contains(median))
    }

    @Test func `leaves a third more to the fleet's gate on most devices`() throws {
        let result = try result("latency x1.30", 20_000..<20_200)
        #expect(result.devices > 180)
        #expect(result.percent <= 15)
    }

    @Test func `goes back when every turn fails, after three`() throws {
        let result = try result("every turn fails", 30_000..<30_050)
        #expect(result.devices > 40)
        #expect(result.turns.count == result.devices)
        #expect(result.turns.allSatisfy { $0 == 3 })
    }

    @Test func `goes back when every second turn fails, within a few`() throws {
        let result = try result("errors 1 to 50%", 40_000..<40_200)
        #expect(result.turns.count == result.devices)
        let median = try #require(result.turn(0.5))
        #expect((5...12).contains(median))
    }

    @Test func `a demand is met or not by those that went back`() {
        func result(_ turns: [Int?]) -> ProbationResult {
            ProbationResult(turns.map { $0.map { .rolledBack(turn: $0) } ?? .committed })
        }
        let unused = ProbationResult([.noReference, .noReference])
        #expect(unused.devices == 0 && unused.turn(0.5) == nil)
        #expect(!unused.meets(.backAtMost(50)))
        let half = result([40, nil, 42, nil])
        #expect(half.percent == 50 && half.turn(0.5) == 42 && half.turn(0.9) == 42)
        #expect(half.meets(.backAtMost(50)))
        #expect(!half.meets(.backAtMost(49)))
        #expect(half.meets(.backAtLeast(50, medianTurn: 42...42)))
        #expect(!half.meets(.backAtLeast(50, medianTurn: 43...50)))
        #expect(!half.meets(.backAtLeast(51, medianTurn: 42...42)))
    }
}
