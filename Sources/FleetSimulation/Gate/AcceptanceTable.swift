import Glibc

/// One row of the acceptance table: what is wrong with the release, and in which fleets it is tried.
package struct AcceptanceRow: Sendable {
    package let name: String
    package var effect = CandidateEffect()
    package var model = FleetModel()
    /// By fleet size.
    package let cells: [Int: AcceptanceCell]

    /// Nothing is wrong: what is asked is how seldom it is stopped.
    package var isHealthy: Bool { effect == CandidateEffect() || effect.novelty > 1 }
}

/// What a gate written to the same formulas did in one cell, in percent of its runs.
package struct AcceptanceCell: Sendable, Hashable {
    package let rolledBack: Double
    package let pausedOrRolledBack: Double
    package let runs: Int
    /// The stage, from 0, with the median number of exposed devices, and the median hours, at the rollback.
    package let stage: Int?
    package let hours: Double?

    package init(
        _ rolledBack: Double, _ pausedOrRolledBack: Double, runs: Int, stage: Int? = nil,
        hours: Double? = nil
    ) {
        self.rolledBack = rolledBack
        self.pausedOrRolledBack = pausedOrRolledBack
        self.runs = runs
        self.stage = stage
        self.hours = hours
    }
}

/// What our own runs of a cell showed.
package struct AcceptanceResult: Sendable {
    package let runs: Int
    /// Rollouts rolled back by the end of each stage.
    package private(set) var rolledBackBy = [0, 0, 0]
    package private(set) var pausedOrRolledBack = 0
    private var stages: [Int] = []
    private var exposed: [Int] = []
    private var hours: [Int] = []

    package init(_ outcomes: [GateReplay.Outcome]) {
        runs = outcomes.count
        for outcome in outcomes {
            if outcome.isPaused || outcome.stage != nil { pausedOrRolledBack += 1 }
            guard let stage = outcome.stage else { continue }
            for end in stage..<3 { rolledBackBy[end] += 1 }
            stages.append(stage)
            exposed.append(outcome.exposed)
            hours.append(outcome.hours)
        }
    }

    package var rolledBack: Int { rolledBackBy[2] }
    package var medianExposed: Double? { Self.median(exposed) }
    package var medianHours: Double? { Self.median(hours) }

    package func percent(_ count: Int) -> Double { 100 * Double(count) / Double(max(1, runs)) }

    private static func median(_ values: [Int]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1
            ? Double(sorted[middle]) : Double(sorted[middle - 1] + sorted[middle]) / 2
    }

    /// What differs from the table by more than chance allows; empty where nothing does.
    ///
    /// Percentages: three binomial standard errors of both runs, at least 2 points. Medians, where both have
    /// twenty rollbacks or more: the same stage and six hours, but for as much sampling error again; a median of an
    /// outcome that comes in either of two stages jumps from one to the other. A healthy release: at most 1% rolled back and 3% paused.
    package func differences(from cell: AcceptanceCell, isHealthy: Bool) -> [String] {
        if isHealthy {
            return [
                percent(rolledBack) > 1 ? "rolls back more than 1%" : nil,
                percent(pausedOrRolledBack) > 3 ? "pauses more than 3%" : nil,
            ].compactMap { $0 }
        }
        var found: [String] = []
        if !agrees(rolledBack, cell.rolledBack, runs: cell.runs) {
            found.append("rolled back")
        }
        if !agrees(pausedOrRolledBack, cell.pausedOrRolledBack, runs: cell.runs) {
            found.append("paused")
        }
        let reference = cell.rolledBack * Double(cell.runs) / 100
        guard rolledBack >= 20, reference >= 20 else { return found }
        // A median lies where half of the rollbacks are before it: within three standard errors of both runs.
        let error = 1.5 * sqrt(1 / Double(rolledBack) + 1 / reference)
        func isMedian(before: Int, upTo: Int) -> Bool {
            let all = Double(rolledBack)
            return Double(before) / all <= 0.5 + error && Double(upTo) / all >= 0.5 - error
        }
        if let stage = cell.stage,
            !isMedian(before: stages.count { $0 < stage }, upTo: stages.count { $0 <= stage })
        {
            found.append("stage")
        }
        if let median = cell.hours,
            !isMedian(
                before: hours.count { Double($0) < median - 6 },
                upTo: hours.count { Double($0) <= median + 6 })
        {
            found.append("hours")
        }
        return found
    }

    /// Whether two runs may well be of one gate: `own` of our runs, and `table` percent of the table's.
    private func agrees(_ own: Int, _ table: Double, runs tableRuns: Int) -> Bool {
        let all = Double(runs + tableRuns)
        let share = (Double(own) + table / 100 * Double(tableRuns)) / all
        let error = sqrt(share * (1 - share) * (1 / Double(runs) + 1 / Double(tableRuns)))
        return abs(percent(own) - table) <= max(2, 300 * error)
    }
}
