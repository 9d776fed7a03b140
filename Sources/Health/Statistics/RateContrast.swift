private import Glibc

/// Two rates with their weights and dispersions, compared on the scale of square roots (docs/gate.md).
package struct RateContrast: Sendable, Hashable {
    /// The rate that may be worse (treated, unless lower is worse), and its opposite.
    package let worse: Double
    package let better: Double
    package let worseWeight: Double
    package let betterWeight: Double
    package let worseDispersion: Double
    package let betterDispersion: Double

    package init(
        worse: Double, better: Double, worseWeight: Double, betterWeight: Double,
        worseDispersion: Double, betterDispersion: Double
    ) {
        self.worse = worse
        self.better = better
        self.worseWeight = worseWeight
        self.betterWeight = betterWeight
        self.worseDispersion = worseDispersion
        self.betterDispersion = betterDispersion
    }

    /// How far the worse rate is above `multiple` times the better one.
    package func effect(_ multiple: Double = 1) -> Double { sqrt(worse) - sqrt(multiple * better) }

    package func standardError(_ multiple: Double = 1) -> Double {
        sqrt(
            worseDispersion * (1 - min(worse, 0.9)) / (4 * worseWeight)
                + multiple * betterDispersion * (1 - better) / (4 * betterWeight))
    }

    /// (prior sd / standard error) squared, the prior being a worsening from `accepted` to `limit` times.
    package func x(limit: Double, accepted: Double = 1) -> Double {
        let root = sqrt(accepted * better) * (sqrt(limit / accepted) - 1)
        let ratio = root / standardError(accepted)
        return ratio * ratio
    }

    /// The multiples of the better rate that the worse one may be, `k` standard errors each way.
    package func range(k: Double) -> (lower: Double, upper: Double) {
        let lower = Self.bisect(from: 0, to: ratio) { effect($0) > k * standardError($0) }
        var ceiling = max(2, 2 * ratio)
        while effect(ceiling) > -k * standardError(ceiling), ceiling < 1e9 { ceiling *= 2 }
        let upper = Self.bisect(from: ratio, to: ceiling) { effect($0) > -k * standardError($0) }
        return (lower, upper)
    }

    package var ratio: Double { better > 0 ? worse / better : .infinity }

    /// The largest multiple for which `holds`, which is true at `from` or nowhere; 40 steps.
    private static func bisect(
        from low: Double, to high: Double, while holds: (Double) -> Bool
    ) -> Double {
        var low = low
        var high = high
        for _ in 0..<40 {
            let middle = (low + high) / 2
            if holds(middle) { low = middle } else { high = middle }
        }
        return low
    }
}
