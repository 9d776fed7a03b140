import FleetSimulation
import Glibc

/// The acceptance table as our own gate makes it, beside what it must reproduce.
struct AcceptanceReport {
    struct Entry {
        let row: AcceptanceRow
        let size: Int
        let cell: AcceptanceCell
        let first: AcceptanceResult
        /// With five times the runs, where the first differed.
        var again: AcceptanceResult?
        var turns: Int

        var differs: Bool { isDifferent(first) }
        var stillDiffers: Bool { again.map(isDifferent) ?? false }

        private func isDifferent(_ result: AcceptanceResult) -> Bool {
            !result.differences(from: cell, isHealthy: row.isHealthy).isEmpty
        }

        var text: String {
            guard let again else { return AcceptanceReport.text(first, cell, row) }
            return AcceptanceReport.text(first, cell, row) + "; again: "
                + AcceptanceReport.text(again, cell, row)
        }
    }

    let fleets: [Int]
    private var entries: [Entry] = []

    init(fleets: [Int]) { self.fleets = fleets }

    mutating func add(_ entry: Entry) { entries.append(entry) }

    var turns: Int { entries.reduce(0) { $0 + $1.turns } }
    var rollouts: Int { entries.reduce(0) { $0 + $1.first.runs + ($1.again?.runs ?? 0) } }

    /// At most two cells differ, and none with five times the runs.
    var isAccepted: Bool {
        entries.count { $0.differs } <= 2 && !entries.contains { $0.stillDiffers }
    }

    var markdown: String {
        var lines = ["| scenario | " + fleets.map(String.init).joined(separator: " | ") + " |"]
        lines.append("|---|" + fleets.map { _ in "---|" }.joined())
        var names: [String] = []
        for entry in entries where !names.contains(entry.row.name) { names.append(entry.row.name) }
        for name in names {
            let cells = fleets.map { size in
                entries.first { $0.row.name == name && $0.size == size }?.text ?? "–"
            }
            lines.append("| \(name) | " + cells.joined(separator: " | ") + " |")
        }
        lines.append("")
        let differing = entries.count { $0.differs }
        let still = entries.count { $0.stillDiffers }
        lines.append(
            "\(entries.count) cells, \(differing) outside of their tolerance (at most 2 may be), "
                + "\(still) still outside with five times the runs (none may be).")
        return lines.joined(separator: "\n")
    }

    static func text(
        _ result: AcceptanceResult, _ cell: AcceptanceCell, _ row: AcceptanceRow
    )
        -> String
    {
        let by = result.rolledBackBy.map { "\(Int(result.percent($0).rounded()))" }
        var text = "**\(number(result.percent(result.rolledBack)))**"
        if result.rolledBack > 0 {
            text += " (\(by.joined(separator: "/")))"
            if let exposed = result.medianExposed, let hours = result.medianHours {
                text += " · \(number(exposed)) · \(number(hours)) h"
            }
        }
        text += " [\(number(result.percent(result.pausedOrRolledBack)))] (n=\(result.runs))"
        let different = result.differences(from: cell, isHealthy: row.isHealthy)
        return different.isEmpty ? text : text + " ≠ " + different.joined(separator: ", ")
    }

    private static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 || value >= 10
            ? "\(Int(value.rounded()))" : "\(tenths / 10).\(tenths % 10)"
    }
}
