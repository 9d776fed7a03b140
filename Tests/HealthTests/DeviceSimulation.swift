import Glibc
import Health
import Primitives
import Telemetry
import TestSupport

extension SeededGenerator {
    /// A normal value (Box and Muller).
    mutating func normal(_ mean: Double = 0, sd: Double = 1) -> Double {
        let one = Double.random(in: Double.leastNonzeroMagnitude..<1, using: &self)
        let other = Double.random(in: 0..<1, using: &self)
        return mean + sd * sqrt(-2 * log(one)) * cos(2 * .pi * other)
    }

    mutating func poisson(_ mean: Double) -> Int {
        guard mean < 50 else { return max(0, Int(normal(mean, sd: sqrt(mean)).rounded())) }
        var product = Double.random(in: 0..<1, using: &self)
        var count = 0
        while product > exp(-mean) {
            product *= Double.random(in: 0..<1, using: &self)
            count += 1
        }
        return count
    }
}

/// One simulated device before and after a swap, turn by turn.
struct DeviceSimulation {
    /// What the candidate does to a turn.
    struct Effect {
        var ratio = 1.0
        var errorShare = 0.01
    }

    static let tick: Int64 = 10_800
    private var generator: SeededGenerator
    private let level: Double
    private let usage: Double
    private var episodeEnds = -1

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed &* 0x9E37_79B9 &+ 5)
        usage = exp(generator.normal(log(5) - 0.32, sd: 0.8))
        level = log(400) + generator.normal(sd: 0.35)
    }

    /// The reference of 56 ticks on the old release; nil with too few turns.
    mutating func reference() -> Reference? {
        var tally = TurnTally()
        for tick in 0..<56 {
            let drift = generator.normal(sd: 0.10) + heat(tick)
            for _ in 0..<generator.poisson(usage) { tally.record(turn(Effect(), drift)) }
        }
        episodeEnds = -1
        return SemanticVersion("1.4.0").flatMap {
            Reference(version: $0, tally: tally, leastTurns: 30)
        }
    }

    /// The turn after the swap at which the watch rolls back; nil where it commits.
    mutating func rollback(_ effect: Effect, _ watch: ProbationWatch) -> Int? {
        var watch = watch
        let slow = generator.normal(sd: 0.08)
        var turns = 0
        for tick in 0..<2_000 {
            let drift = slow + generator.normal(sd: 0.10) + heat(tick)
            for _ in 0..<generator.poisson(usage) {
                turns += 1
                let cold = turns <= 5 ? log(2.0) : 0
                let now = watch.startedAt + Int64(tick) * Self.tick
                switch watch.record(turn(effect, drift + cold), at: now) {
                case .watching: continue
                case .commit: return nil
                case .rollBack: return turns
                }
            }
        }
        return nil
    }

    /// Thermal episodes: 2% of ticks start six hours of +35%.
    private mutating func heat(_ tick: Int) -> Double {
        if Double.random(in: 0..<1, using: &generator) < 0.02 { episodeEnds = tick + 2 }
        return tick < episodeEnds ? log(1.35) : 0
    }

    private mutating func turn(_ effect: Effect, _ drift: Double) -> TurnRecord {
        let milliseconds = effect.ratio * exp(level + drift + generator.normal(sd: 0.45))
        var turn = TurnRecord(latencyMicroseconds: Int64(milliseconds * 1_000))
        turn.error = Double.random(in: 0..<1, using: &generator) < effect.errorShare
        return turn
    }
}
