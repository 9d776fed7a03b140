import ArgumentParser
import Console
import Dispatch
import FleetSimulation
import Synchronization

/// The command `fieldfare-fleet simulate-gate`.
struct SimulateGateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate-gate",
        abstract:
            "Runs simulated rollouts against the gate, and compares with the acceptance table.",
        discussion: """
            Each cell of the table is so many whole rollouts of one scenario in a fleet of one size, with the real tests \
            of the gate at every look. A cell that differs from the table by more than chance allows is run again with \
            five times the runs. Prints the table as Markdown; what it means is in docs/gate-simulation.md.

            Exit code 1: more than two cells differ, or one still differs with five times the runs.
            """)

    @Option(help: "The seed of all random numbers.")
    var seed: UInt64 = 1

    @Option(help: "Only fleets of these sizes, separated by commas: 50,200,2000,20000,200000.")
    var fleets: String?

    @Option(help: "Only scenarios whose name contains this.")
    var scenario: String?

    @Option(help: "Runs in percent of those behind the table.")
    var runs = 100

    private var sizes: [Int] {
        fleets.map { $0.split(separator: ",").compactMap { Int($0) } } ?? AcceptanceRow.fleets
    }

    func validate() throws {
        guard (1...10_000).contains(runs) else {
            throw ValidationError("expected --runs of 1 to 10000 percent, got \(runs)")
        }
        guard !sizes.isEmpty, sizes.allSatisfy(AcceptanceRow.fleets.contains) else {
            throw ValidationError(
                "expected --fleets among \(AcceptanceRow.fleets), got '\(fleets ?? "")'")
        }
    }

    func run() throws {
        let started = DispatchTime.now()
        let rows = AcceptanceRow.all.filter { row in scenario.map(row.name.contains) ?? true }
        var table = AcceptanceReport(fleets: sizes)
        for row in rows {
            for size in sizes {
                guard let cell = row.cells[size] else { continue }
                table.add(judge(row, size, cell))
            }
        }
        let seconds =
            (DispatchTime.now().uptimeNanoseconds - started.uptimeNanoseconds) / 1_000_000_000
        Output.line(table.markdown)
        Output.line(
            "\(table.turns) turns simulated, \(table.rollouts) rollouts, \(seconds) s; seed \(seed), "
                + "\(runs)% of the table's runs.")
        guard table.isAccepted else { throw ExitCode(1) }
    }

    private func judge(
        _ row: AcceptanceRow, _ size: Int, _ cell: AcceptanceCell
    ) -> AcceptanceReport.Entry {
        let first = outcomes(row, size, count: max(1, cell.runs * runs / 100), salt: 0)
        var entry = AcceptanceReport.Entry(
            row: row, size: size, cell: cell, first: AcceptanceResult(first),
            turns: first.reduce(0) { $0 + $1.turns })
        if !entry.first.differences(from: cell, isHealthy: row.isHealthy).isEmpty {
            let again = outcomes(row, size, count: cell.runs * 5, salt: 1)
            entry.again = AcceptanceResult(again)
            entry.turns += again.reduce(0) { $0 + $1.turns }
        }
        Output.note("\(row.name), \(size) devices: \(entry.text)")
        return entry
    }

    private func outcomes(
        _ row: AcceptanceRow, _ size: Int, count: Int, salt: UInt64
    ) -> [GateReplay.Outcome] {
        var replay = GateReplay(devices: size)
        replay.effect = row.effect
        replay.model = row.model
        let base = Seed.of("\(seed) \(salt) \(size) \(row.name)")
        return Parallel.map(count) { [replay] in replay.run(seed: base &+ UInt64($0)) }
    }
}
