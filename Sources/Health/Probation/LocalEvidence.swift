private import Glibc

/// The e-value of local probation: how much better "worse" explains some bad turns than "as before" does.
package enum LocalEvidence {
    /// The shares of bad turns that "worse" may mean.
    static let alternatives = [0.10, 0.25, 0.50, 0.75, 0.95]

    /// ln E for `bad` of `turns` against `q0`, a share above what no change explains (GATE section 6).
    ///
    /// E is the mean over those alternatives above 1.4 times `q0`; where there are none, 1 (ln E = 0).
    package static func logE(bad: Int, turns: Int, q0: Double) -> Double {
        let kept = alternatives.filter { $0 > 1.4 * q0 }
        return MixtureEvidence.logMean(bad: bad, of: turns, q0: q0, alternatives: kept)
    }

    /// The allowed share of failed turns, from the reference's own: `max(0.03, 2 (errors + 1) / (turns + 20))`.
    package static func errorShare(errors: Int, turns: Int) -> Double {
        max(0.03, 2 * Double(errors + 1) / Double(turns + 20))
    }
}

/// The mean of likelihood ratios of a yes/no count, worked in logarithms.
enum MixtureEvidence {
    /// ln of the mean over `alternatives` of `(q1/q0)^bad ((1-q1)/(1-q0))^(n-bad)`; 0 where there are none.
    static func logMean(bad: Int, of n: Int, q0: Double, alternatives: [Double]) -> Double {
        guard !alternatives.isEmpty else { return 0 }
        let logs = alternatives.map { q1 in
            Double(bad) * log(q1 / q0) + Double(n - bad) * log((1 - q1) / (1 - q0))
        }
        let most = logs.max() ?? 0
        let sum = logs.reduce(0) { $0 + exp($1 - most) }
        return most + log(sum / Double(alternatives.count))
    }
}
