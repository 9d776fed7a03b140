import FleetSimulation
import Testing

/// The distributions that simulations draw from, by their moments.
struct SimulationRandomTests {
    private static let count = 20_000

    /// Mean and variance of many values.
    private static func moments(
        _ draw: (inout SimulationRandom) -> Double
    ) -> (mean: Double, variance: Double) {
        var random = SimulationRandom(seed: 11)
        let values = (0..<count).map { _ in draw(&random) }
        let mean = values.reduce(0, +) / Double(count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
        return (mean, variance)
    }

    @Test func `gives the same numbers for the same seed, and others for another part`() {
        var one = SimulationRandom(seed: 5)
        var same = SimulationRandom(seed: 5)
        var part = SimulationRandom(seed: 5, part: 1)
        let first = (0..<8).map { _ in one.next() }
        #expect(first == (0..<8).map { _ in same.next() })
        #expect(first != (0..<8).map { _ in part.next() })
        // xoshiro256** seeded with SplitMix64(0): from the authors' reference code.
        var reference = SimulationRandom(seed: 0)
        #expect(reference.next() == 0x99EC_5F36_CB75_F2B4)
    }

    @Test func `draws normal values`() {
        let (mean, variance) = Self.moments { $0.normal(3, sd: 2) }
        #expect(abs(mean - 3) < 0.06)
        #expect(abs(variance - 4) < 0.2)
    }

    @Test(arguments: [0.3, 5, 30, 80])
    func `draws counts of a rate`(rate: Double) {
        let (mean, variance) = Self.moments { Double($0.poisson(rate)) }
        #expect(abs(mean / rate - 1) < 0.05)
        #expect(abs(variance / rate - 1) < 0.08)
    }

    @Test(arguments: [(10, 0.1), (5_000, 0.01), (3, 1), (3, 0)])
    func `draws successes among trials`(trials: Int, probability: Double) {
        let expected = Double(trials) * probability
        let spread = expected * (1 - probability)
        let (mean, variance) = Self.moments { Double($0.binomial(trials, probability)) }
        #expect(abs(mean - expected) <= 0.05 * expected)
        #expect(abs(variance - spread) <= 0.08 * spread)
    }

    @Test(arguments: [(0.01, 0.02), (0.10, 0.06), (0.05, 0.20)])
    func `draws devices' chances with their mean and correlation`(
        mean: Double, correlation: Double
    ) {
        let found = Self.moments { $0.beta(mean: mean, correlation: correlation) }
        #expect(abs(found.mean / mean - 1) < 0.1)
        #expect(abs(found.variance / (mean * (1 - mean) * correlation) - 1) < 0.15)
    }
}
