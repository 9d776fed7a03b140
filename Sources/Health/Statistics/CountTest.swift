private import Glibc
import Primitives

/// How many device-windows of a cohort, with the release unchanged, were silent: of the last 14 days.
package struct SilenceHistory: Sendable, Hashable {
    package static let windowLimit = 5_000

    package let silent: Int
    package let windows: Int

    package init(silent: Int, windows: Int) {
        self.silent = silent
        self.windows = windows
    }
}

/// Test C: one yes or no a device, as an e-value that can act on three devices (docs/gate.md).
package enum CountTest {
    /// The shares of additional bad devices that "worse" may mean.
    static let alternatives = [0.02, 0.06, 0.15, 0.35, 0.65, 0.95]

    /// q0: the most that a control of `bad` among `devices` can excuse.
    package static func excusedShare(bad: Double, of devices: Double) -> Double {
        let share = (bad + 0.5) / (devices + 1)
        let root = sqrt(share) + 1.65 / sqrt(devices)
        return min(0.6, root * root + 0.005)
    }

    /// ln E for `bad` of `devices` against `q0`.
    package static func logE(bad: Double, of devices: Double, q0: Double) -> Double {
        MixtureEvidence.logMean(
            bad: bad, of: devices, q0: q0, alternatives: alternatives.map { q0 + (1 - q0) * $0 })
    }
}

/// Control devices of one cohort, those that were bad among them.
struct CountControl {
    var bad = 0.0
    var devices = 0.0
}

/// Test C over several cohorts: counts of the treated add up, and control is weighted to their mix.
struct StratifiedCountTest {
    let panel: Panel
    let answers: [Panel.Answer]
    /// A share that holds where control cannot speak; nil to ask control.
    let fixedShare: Double?
    /// Silent windows from before, by cohort.
    let history: [Cohort: SilenceHistory]

    func evaluate(_ rows: [Int]) -> Measurement {
        var treated = [CountControl](repeating: CountControl(), count: panel.cohorts.count)
        var control = treated
        for row in rows where answers[row] != .notCounted {
            let stratum = panel.stratum[row]
            let bad: Double = answers[row] == .bad ? 1 : 0
            if panel.isTreated[row] {
                treated[stratum].devices += 1
                treated[stratum].bad += bad
            } else {
                control[stratum].devices += 1
                control[stratum].bad += bad
            }
        }
        let devices = treated.reduce(0) { $0 + $1.devices }
        let bad = treated.reduce(0) { $0 + $1.bad }
        guard devices > 0 else { return .noData(.devices(treated: 0, control: 0)) }
        let share: Double
        var behind: Int?
        if let fixedShare {
            share = fixedShare
        } else {
            let mix = Self.mix(withHistory(control, treated), to: treated)
            guard mix.devices > 0 else { return .noData(.control) }
            share = CountTest.excusedShare(bad: mix.bad, of: mix.devices)
            behind = Int(mix.devices.rounded())
        }
        return .count(
            CountEvidence(
                bad: Int(bad), devices: Int(devices), excusedShare: share, controlDevices: behind,
                logE: CountTest.logE(bad: bad, of: devices, q0: share)))
    }

    /// Control with its history, or without where the two contradict each other (an outage, a holiday).
    private func withHistory(
        _ control: [CountControl], _ treated: [CountControl]
    ) -> [CountControl] {
        let past = panel.cohorts.map { cohort in
            history[cohort].map {
                CountControl(bad: Double($0.silent), devices: Double($0.windows))
            } ?? CountControl()
        }
        let before = Self.mix(past, to: treated)
        guard before.devices > 0 else { return control }
        let now = Self.mix(control, to: treated)
        let q0 = CountTest.excusedShare(bad: before.bad, of: before.devices)
        guard CountTest.logE(bad: now.bad, of: now.devices, q0: q0) < log(20) else {
            return control
        }
        return zip(control, past).map { one, other in
            CountControl(bad: one.bad + other.bad, devices: one.devices + other.devices)
        }
    }

    /// Control as it would be with the cohorts of the treated; with one cohort, the counts as they are.
    ///
    /// The weighted rate, and as many devices as would know it equally well in a single cohort.
    private static func mix(_ control: [CountControl], to treated: [CountControl]) -> CountControl {
        var share = 0.0
        var spread = 0.0
        var weights = 0.0
        for (one, other) in zip(control, treated) where one.devices > 0 && other.devices > 0 {
            weights += other.devices
            share += other.devices * one.bad / one.devices
            spread += other.devices * other.devices / one.devices
        }
        guard weights > 0 else { return CountControl() }
        let devices = weights * weights / spread
        return CountControl(bad: share / weights * devices, devices: devices)
    }
}
