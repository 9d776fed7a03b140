/// The e-value of local probation: how much better "worse" explains some bad turns than "as before" does.
package enum LocalEvidence {
    /// The shares of bad turns that "worse" may mean.
    static let alternatives = [0.10, 0.25, 0.50, 0.75, 0.95]

    /// ln E for `bad` of `turns` against `q0`, a share above what no change explains (docs/gate.md).
    ///
    /// E is the mean over those alternatives above 1.4 times `q0`; where there are none, 1 (ln E = 0).
    package static func logE(bad: Int, turns: Int, q0: Double) -> Double {
        let kept = alternatives.filter { $0 > 1.4 * q0 }
        return MixtureEvidence.logMean(
            bad: Double(bad), of: Double(turns), q0: q0, alternatives: kept)
    }

    /// The allowed share of failed turns: `least`, or by the reference's own `2 (errors + 1) / (turns + 20)`.
    package static func errorShare(errors: Int, turns: Int, least: Double) -> Double {
        max(least, 2 * Double(errors + 1) / Double(turns + 20))
    }
}
