private import Glibc

/// The mean of likelihood ratios of a yes/no count, worked in logarithms.
enum MixtureEvidence {
    /// ln of the mean over `alternatives` of `(q1/q0)^bad ((1-q1)/(1-q0))^(n-bad)`; 0 where there are none.
    static func logMean(bad: Double, of n: Double, q0: Double, alternatives: [Double]) -> Double {
        guard !alternatives.isEmpty else { return 0 }
        let logs = alternatives.map { q1 in
            bad * log(q1 / q0) + (n - bad) * log((1 - q1) / (1 - q0))
        }
        let most = logs.max() ?? 0
        let sum = logs.reduce(0) { $0 + exp($1 - most) }
        return most + log(sum / Double(alternatives.count))
    }
}
