package import Health
package import Primitives
import Rollouts
package import Telemetry

/// What the device has seen of its own turns: the figures of the present stage window, the watch over a new
/// version, and the days from which a reference is taken.
///
/// Values only: the driver feeds it turns and moves, and journals it now and then. Losing the last minute of
/// counts is harmless, since all verdicts are recomputed from what is there.
package struct Observation: Sendable, Hashable {
    /// When the journal was made: reports of a later epoch replace those of an earlier one.
    package let epoch: UTCTime
    /// The last sequence that a report has used.
    package internal(set) var sequence: Int64 = 0
    /// The version in force.
    package internal(set) var version: SemanticVersion?
    /// When the device switched to it.
    package internal(set) var exposedAt: UTCTime?
    package internal(set) var place: RolloutPlace?
    /// The candidate of the rollout that `reference` was taken for.
    package internal(set) var rollout: SemanticVersion?
    /// Figures of the version in force in the present stage window, burn-in left out.
    package internal(set) var tally = TurnTally()
    package internal(set) var countingSince: UTCTime?
    /// Before this moment turns are burn-in.
    package internal(set) var countFrom = UTCTime.epoch
    /// Turns of the new version still to be left out.
    package internal(set) var burnInTurns = 0
    /// At most two: of the version in force, and of the one before it.
    package internal(set) var windows: [ReferenceWindow] = []
    package internal(set) var reference: Reference?
    package internal(set) var watch: ProbationWatch?
    package internal(set) var watchTerms: ProbationTerms?
    /// The version that the application says it serves.
    package internal(set) var serving: SemanticVersion?

    /// Turns that a reference needs to be reported (docs/gate.md).
    package static let leastReferenceTurns: Int64 = 20

    package init(epoch: UTCTime) {
        self.epoch = epoch
    }

    /// Counts one turn, and says what follows for a version on probation.
    package mutating func record(
        _ turn: TurnRecord, of version: SemanticVersion, at now: UTCTime
    ) -> ProbationVerdict? {
        if let index = windows.firstIndex(where: { $0.version == version }) {
            windows[index].record(turn, at: now)
        }
        guard version == self.version else { return nil }
        if burnInTurns > 0 {
            burnInTurns -= 1
        } else if now >= countFrom {
            countingSince = countingSince ?? now
            tally.record(turn)
        }
        return watch?.record(turn, at: now)
    }

    /// Another version is in force from now on.
    ///
    /// `terms` say how it is watched; nil for a version that needs no probation.
    package mutating func switched(
        to version: SemanticVersion?, at now: UTCTime, watching terms: ProbationTerms?,
        burnInTurns: Int
    ) {
        if let terms, let previous = self.version, previous != version {
            let days = Int64(terms.probation.referenceSeconds) / 86_400
            reference = window(of: previous)?.limited(to: days, at: now).flatMap {
                Reference(
                    version: previous, tally: $0, leastTurns: Self.leastReferenceTurns)
            }
            rollout = version
        }
        watch = terms.map {
            ProbationWatch(policy: $0.policy, reference: reference, startedAt: now)
        }
        watchTerms = terms
        guard version != self.version else { return }
        self.version = version
        exposedAt = version == nil ? nil : now
        self.burnInTurns = terms == nil ? 0 : burnInTurns
        restartCounting(at: now)
        if let version { openWindow(of: version) }
    }

    /// The watch is over.
    package mutating func stopWatching() {
        watch = nil
        watchTerms = nil
    }

    /// The newest plan places the device here; figures start anew with each stage window.
    ///
    /// A device that does not run the candidate takes its reference when a rollout first concerns it.
    package mutating func placed(
        _ place: RolloutPlace?, candidate: SemanticVersion?, burnInSeconds: Int64, at now: UTCTime
    ) {
        let previous = self.place
        self.place = place
        guard let place else { return }
        if let candidate, candidate != rollout, candidate != version, let version {
            reference = window(of: version)?.reference(
                at: now, leastTurns: Self.leastReferenceTurns)
            rollout = candidate
        }
        guard place.window != previous?.window || place.arm != previous?.arm else { return }
        countFrom = place.window + burnInSeconds
        restartCounting(at: now)
    }

    /// The application says that it serves a version now.
    package mutating func acknowledged(_ version: SemanticVersion) { serving = version }

    /// The application's process died and came up again.
    package mutating func restarted(at now: UTCTime) -> ProbationVerdict? {
        tally.counters.crashes += 1
        if let index = windows.firstIndex(where: { $0.version == version }) {
            windows[index].countCrash(at: now)
        }
        return watch?.restarted(at: now)
    }

    /// The clock was set: nothing has happened in the future, and the watch goes on as it was.
    mutating func clockStepped(by seconds: Int64, to now: UTCTime) {
        exposedAt = exposedAt.map { min($0, now) }
        countingSince = countingSince.map { min($0, now) }
        watch?.clockStepped(by: seconds)
    }

    package mutating func nextSequence() -> Int64 {
        sequence += 1
        return sequence
    }

    private mutating func restartCounting(at now: UTCTime) {
        tally = TurnTally()
        countingSince = burnInTurns == 0 && now >= countFrom ? now : nil
    }

    private func window(of version: SemanticVersion) -> ReferenceWindow? {
        windows.first { $0.version == version }
    }

    /// Keeps the windows of this version, as the newest, and of the one before it.
    private mutating func openWindow(of version: SemanticVersion) {
        let window = window(of: version) ?? ReferenceWindow(version: version)
        windows.removeAll { $0.version == version }
        windows.append(window)
        windows.removeFirst(max(0, windows.count - 2))
    }
}

extension ReferenceWindow {
    /// The turns of the last `days` days, at least of today.
    func limited(to days: Int64, at now: UTCTime) -> TurnTally? {
        let today = now.seconds / 86_400
        var sum = TurnTally()
        for (day, tally) in tallies where day > today - max(1, days) { sum.merge(tally) }
        return sum
    }
}
