import Glibc
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
