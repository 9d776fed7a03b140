/// One row of the table of the watch: what is wrong with the candidate, and what has to come of it.
package struct ProbationRow: Sendable {
    /// What has to come of it, in percent of the devices that have a reference.
    package enum Demand: Sendable, Hashable {
        case backAtMost(Double)
        /// Back at least so often, half of those by a turn of the range.
        case backAtLeast(Double, medianTurn: ClosedRange<Int>)
    }

    package let name: String
    package let replay: ProbationReplay
    package let devices: Int
    /// Nil where the row is there to be read only.
    package let demand: Demand?

    package static let all: [ProbationRow] = [
        row("nothing wrong", devices: 10_000, .backAtMost(0.1)) { _ in },
        row("nothing wrong, drift since the reference 0.15") { $0.model.slowDrift = 0.15 },
        row("nothing wrong, a reference of one day") { $0.model.referenceTicks = 8 },
        row("latency x1.15") { $0.latency = 1.15 },
        row("latency x1.30") { $0.latency = 1.30 },
        row("latency x1.60") { $0.latency = 1.60 },
        row("latency x2", .backAtLeast(98, medianTurn: 35...45)) { $0.latency = 2 },
        row("latency x3", .backAtLeast(99, medianTurn: 15...30)) { $0.latency = 3 },
        row("25% of turns x4") { $0.slowTurns = 0.25 },
        row("10% of turns x4") { $0.slowTurns = 0.10 },
        row("errors 1 to 5%") { $0.moreErrors = 0.04 },
        row("errors 1 to 15%") { $0.moreErrors = 0.14 },
        row("errors 1 to 50%", .backAtLeast(99, medianTurn: 5...12)) { $0.moreErrors = 0.49 },
        row("every turn fails", .backAtLeast(100, medianTurn: 3...3)) { $0.moreErrors = 1 },
    ]

    private static func row(
        _ name: String, devices: Int = 2_000, _ demand: Demand? = nil,
        _ change: (inout ProbationReplay) -> Void
    ) -> ProbationRow {
        var replay = ProbationReplay()
        change(&replay)
        return ProbationRow(name: name, replay: replay, devices: devices, demand: demand)
    }
}

/// What the devices of one row did.
package struct ProbationResult: Sendable {
    /// Devices with a reference.
    package let devices: Int
    /// The turns at which devices went back, in order.
    package let turns: [Int]

    package init(_ outcomes: [ProbationReplay.Outcome]) {
        devices = outcomes.count { $0 != .noReference }
        turns = outcomes.compactMap {
            guard case .rolledBack(let turn) = $0 else { return nil }
            return turn
        }.sorted()
    }

    /// Devices that went back, in percent.
    package var percent: Double { 100 * Double(turns.count) / Double(max(1, devices)) }

    /// The turn by which a part of those that went back had done so; nil where none did.
    package func turn(_ part: Double) -> Int? {
        turns.isEmpty ? nil : turns[min(turns.count - 1, Int(part * Double(turns.count)))]
    }

    package func meets(_ demand: ProbationRow.Demand) -> Bool {
        switch demand {
        case .backAtMost(let most): devices > 0 && percent <= most
        case .backAtLeast(let least, let range):
            percent >= least && turn(0.5).map(range.contains) ?? false
        }
    }
}
