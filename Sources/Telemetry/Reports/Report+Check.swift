package import Primitives

extension Report {
    /// How far a device's clock may run ahead of the registry's, in seconds.
    package static let clockTolerance: Int64 = 300

    /// Refuses what cannot be: a future, more errors than turns, a smoke report without a smoke test.
    ///
    /// - Parameter now: the registry's time.
    /// - Throws: `TelemetryError` with `impossibleCount`, `futureTime` or `kindMismatch`.
    package func check(at now: UTCTime) throws(TelemetryError) {
        try checkTimes(at: now)
        try checkCounts()
        try checkKind()
    }

    private func checkTimes(at now: UTCTime) throws(TelemetryError) {
        let latest = now + Self.clockTolerance
        let moments = [
            ("made_at", madeAt, latest), ("epoch", UTCTime(clamping: epoch), latest),
            ("exposed_at", exposedAt, madeAt),
            ("counting_since", countingSince, madeAt), ("rollout.window", place?.window, latest),
        ]
        for (field, moment, limit) in moments {
            guard let moment, moment > limit else { continue }
            throw .futureTime(field: field, limit: limit, found: moment)
        }
    }

    private func checkCounts() throws(TelemetryError) {
        for (prefix, counters) in [("", tally.counters), ("reference.", reference?.counters)] {
            guard let counters, let wrong = counters.impossible else { continue }
            throw .impossibleCount(
                field: "\(prefix)counters.\(wrong.name)", limit: counters.turns, found: wrong.count)
        }
        let turns = tally.counters.turns
        for clock in TurnClock.allCases {
            let count = Int64(clamping: tally.histogram(clock).count)
            guard count > turns else { continue }
            throw .impossibleCount(field: clock.rawValue, limit: turns, found: count)
        }
        if let seen = wordErrors?.turns, seen > turns {
            throw .impossibleCount(field: "wer_proxy.turns", limit: turns, found: seen)
        }
        if let probation, probation.bad > probation.turns {
            throw .impossibleCount(
                field: "probation.bad", limit: probation.turns, found: probation.bad)
        }
    }

    private func checkKind() throws(TelemetryError) {
        let missing: String? =
            switch kind {
            case .periodic, .transition: nil
            case .attempt: candidate == nil ? "candidate" : attempt == nil ? "attempt" : nil
            case .smoke:
                candidate == nil
                    ? "candidate" : attempt == nil ? "attempt" : smoke == nil ? "smoke" : nil
            case .swapBeacon: candidate == nil ? "candidate" : nil
            case .localRollback:
                candidate == nil ? "candidate" : reasons.isEmpty ? "reasons" : nil
            }
        guard let missing else { return }
        throw .kindMismatch(kind: kind, field: missing)
    }
}
