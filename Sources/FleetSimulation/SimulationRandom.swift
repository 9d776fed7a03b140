import Glibc

/// Random numbers that are the same on every machine for the same seed: xoshiro256** 1.0 (Blackman and Vigna), seeded
/// by SplitMix64.
package struct SimulationRandom: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)
    /// The second value of the last pair of normal ones.
    private var spare: Double?

    package init(seed: UInt64) {
        var seed = seed
        func word() -> UInt64 {
            seed &+= 0x9E37_79B9_7F4A_7C15
            var mixed = seed
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
        state = (word(), word(), word(), word())
    }

    /// Independent random numbers for one part of a simulation.
    package init(seed: UInt64, part: UInt64) {
        self.init(seed: seed &* 0xD134_2543_DE82_EF95 &+ part &* 0x9E37_79B9_7F4A_7C15)
    }

    package mutating func next() -> UInt64 {
        let result = Self.rotated(state.1 &* 5, 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = Self.rotated(state.3, 45)
        return result
    }

    private static func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 {
        word << count | word >> (64 - count)
    }

    /// Uniform in [0, 1), in steps of 2^-53.
    package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    package mutating func chance(_ probability: Double) -> Bool { uniform() < probability }

    /// A normal value (Marsaglia's polar method).
    package mutating func normal(_ mean: Double = 0, sd: Double = 1) -> Double {
        if let value = spare {
            spare = nil
            return mean + sd * value
        }
        while true {
            let one = 2 * uniform() - 1
            let other = 2 * uniform() - 1
            let radius = one * one + other * other
            guard radius > 0, radius < 1 else { continue }
            let factor = sqrt(-2 * log(radius) / radius)
            spare = other * factor
            return mean + sd * one * factor
        }
    }

    /// How many events of a rate of `mean` there are; above 50 by the normal approximation.
    package mutating func poisson(_ mean: Double) -> Int {
        guard mean < 50 else { return max(0, Int(normal(mean, sd: sqrt(mean)).rounded())) }
        let limit = exp(-mean)
        var product = uniform()
        var count = 0
        while product > limit {
            product *= uniform()
            count += 1
        }
        return count
    }

    /// How many of `trials` succeed.
    package mutating func binomial(_ trials: Int, _ probability: Double) -> Int {
        guard probability > 0, trials > 0 else { return 0 }
        guard probability < 1 else { return trials }
        guard trials > 1_000 else {
            return (0..<trials).reduce(0) { sum, _ in sum + (chance(probability) ? 1 : 0) }
        }
        let mean = Double(trials) * probability
        let value = normal(mean, sd: sqrt(mean * (1 - probability))).rounded()
        return min(trials, max(0, Int(value)))
    }

    /// A value of the beta distribution of this mean and correlation between draws from it (1 / (a + b + 1)).
    package mutating func beta(mean: Double, correlation: Double) -> Double {
        guard mean > 0, correlation > 0 else { return mean }
        let total = 1 / correlation - 1
        let one = gamma(shape: mean * total)
        let other = gamma(shape: (1 - mean) * total)
        return one + other > 0 ? one / (one + other) : 0
    }

    /// A value of the gamma distribution with scale 1 (Marsaglia and Tsang, 2000).
    private mutating func gamma(shape: Double) -> Double {
        guard shape >= 1 else {
            return gamma(shape: shape + 1) * pow(max(uniform(), 0x1p-53), 1 / shape)
        }
        let d = shape - 1.0 / 3
        let c = 1 / sqrt(9 * d)
        while true {
            let x = normal()
            let v = (1 + c * x) * (1 + c * x) * (1 + c * x)
            guard v > 0 else { continue }
            if log(max(uniform(), 0x1p-53)) < x * x / 2 + d - d * v + d * log(v) { return d * v }
        }
    }
}
