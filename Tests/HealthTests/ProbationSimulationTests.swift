import Health
import Primitives
import Telemetry
import TestSupport
import Testing

/// A seeded subset of the watch's rows in docs/gate.md.
@Suite struct ProbationSimulationTests {
    /// Turns at which devices rolled back, and how many devices there were.
    static func run(
        _ effect: DeviceSimulation.Effect, devices: Range<UInt64>
    ) -> (turns: [Int], devices: Int) {
        var turns: [Int] = []
        var count = 0
        for seed in devices {
            var device = DeviceSimulation(seed: seed)
            guard let reference = device.reference() else { continue }
            count += 1
            // The table's devices are watched for 240 turns, however long these take.
            var policy = ProbationPolicy()
            policy.seconds = policy.mostSeconds
            policy.mostSeconds = 1_000 * 86_400
            policy.leastTurns = policy.turns
            let watch = ProbationWatch(
                policy: policy, reference: reference, startedAt: GateFixtures.began)
            if let turn = device.rollback(effect, watch) { turns.append(turn) }
        }
        return (turns.sorted(), count)
    }

    @Test func `lets a sound release pass on all but a device in a thousand`() {
        let run = Self.run(DeviceSimulation.Effect(), devices: 0..<1_500)
        // 0.1% of 1,450 devices, and three binomial standard errors above it.
        #expect(run.devices > 1_400)
        #expect(run.turns.count <= 5)
    }

    @Test func `goes back from twice the latency within some forty turns`() {
        let run = Self.run(DeviceSimulation.Effect(ratio: 2), devices: 10_000..<10_300)
        #expect(Double(run.turns.count) >= 0.98 * Double(run.devices))
        #expect((33...47).contains(run.turns[run.turns.count / 2]))
    }

    @Test func `leaves a third more to the fleet's gate on most devices`() {
        let run = Self.run(DeviceSimulation.Effect(ratio: 1.3), devices: 20_000..<20_200)
        #expect(Double(run.turns.count) <= 0.15 * Double(run.devices))
    }

    @Test func `goes back when every turn fails, after three`() {
        let effect = DeviceSimulation.Effect(ratio: 1, errorShare: 1)
        let run = Self.run(effect, devices: 30_000..<30_050)
        #expect(run.turns.count == run.devices)
        #expect(run.turns.allSatisfy { $0 == 3 })
    }

    @Test func `goes back when every second turn fails, within a few`() {
        let effect = DeviceSimulation.Effect(ratio: 1, errorShare: 0.5)
        let run = Self.run(effect, devices: 40_000..<40_200)
        #expect(run.turns.count == run.devices)
        #expect((5...12).contains(run.turns[run.turns.count / 2]))
    }
}
