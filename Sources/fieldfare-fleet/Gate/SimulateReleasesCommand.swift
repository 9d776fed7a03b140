import ArgumentParser
import Console
import Dispatch
import FleetSimulation
import Health

/// The command `fieldfare-fleet simulate-releases`.
struct SimulateReleasesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate-releases",
        abstract:
            "Runs simulated releases over fleets of many uneven cohorts against the whole gate.",
        discussion: """
            Where simulate-gate tries the tests alone, this tries all of the decision: the fleet's estimate over cohorts, \
            alpha shared with segments, what is accepted, attempts, local rollbacks, coverage, exclusion. Prints a table \
            as Markdown; what it means is in docs/gate-simulation.md.

            Exit code 1: a demand is not met.
            """)

    @Option(help: "The seed of all random numbers.")
    var seed: UInt64 = 1

    @Option(help: "Runs of a sound release on each fleet; of others a tenth.")
    var runs = 1_000

    @Option(help: "Only releases whose name contains this.")
    var scenario: String?

    @Option(
        help: "One fleet of so many devices in 12 cohorts, in the place of the three of the table.")
    var devices: Int?

    func validate() throws {
        guard devices.map({ (100...1_000_000).contains($0) }) ?? true else {
            throw ValidationError("expected --devices of 100 to 1000000, got \(devices ?? 0)")
        }
        guard (10...1_000_000).contains(runs) else {
            throw ValidationError("expected --runs of 10 to 1000000, got \(runs)")
        }
    }

    func run() throws {
        let started = DispatchTime.now()
        let fleets =
            devices.map { [SimulatedFleet(devices: $0, regions: 4, classes: 3)] }
            ?? SimulatedFleet.uneven
        Output.line(
            "| release | "
                + fleets.map { "\($0.name), \($0.devices) devices" }
                .joined(separator: " | ") + " |")
        Output.line("|---|" + fleets.map { _ in "---|" }.joined())
        var isAccepted = true
        var turns = 0
        for row in ReleaseRow.all where scenario.map(row.name.contains) ?? true {
            var cells: [String] = []
            for fleet in fleets {
                let result = ReleaseResult(outcomes(row, fleet))
                turns += result.turns
                let isMet = result.meets(row.demand(on: fleet))
                isAccepted = isAccepted && isMet
                if case .soundAtMost = row.demand, !result.causes.isEmpty {
                    Output.note("\(row.name), \(fleet.name): \(Self.causes(result))")
                }
                cells.append(Self.text(result) + (isMet ? "" : " ≠"))
            }
            Output.line("| \(row.name) | " + cells.joined(separator: " | ") + " |")
        }
        let seconds =
            (DispatchTime.now().uptimeNanoseconds - started.uptimeNanoseconds) / 1_000_000_000
        Output.line("")
        Output.line("\(turns) turns simulated, \(seconds) s; seed \(seed), \(runs) runs.")
        guard isAccepted else { throw ExitCode(1) }
    }

    private func outcomes(_ row: ReleaseRow, _ fleet: SimulatedFleet) -> [ReleaseReplay.Outcome] {
        let replay = row.replay(on: fleet)
        let count =
            if case .soundAtMost = row.demand { runs } else { runs / 10 }
        let base = Seed.of("\(seed) \(row.name) \(fleet.name)")
        return Parallel.map(count) { replay.run(seed: base &+ UInt64($0)) }
    }

    /// The metrics that took something from sound releases.
    private static func causes(_ result: ReleaseResult) -> String {
        result.causes.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "\($0.key.rawValue) \($0.value)" }.joined(separator: ", ")
    }

    private static func text(_ result: ReleaseResult) -> String {
        func percent(_ count: Int) -> String {
            let tenths = Int((result.percent(count) * 10).rounded())
            return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
        }
        var text = "**\(percent(result.rolledBack))** / \(percent(result.excluded))"
        if let exposed = result.medianExposed, let hours = result.medianHours {
            text += " · \(exposed) · \(hours) h"
        }
        return text + " [\(percent(result.paused))] (n=\(result.runs))"
    }
}

/// Seeds from words, so that one cell of a table has the same runs whichever others are run.
enum Seed {
    static func of(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
