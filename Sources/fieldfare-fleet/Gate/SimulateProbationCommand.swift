import ArgumentParser
import Console
import FleetSimulation

/// The command `fieldfare-fleet simulate-probation`.
struct SimulateProbationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate-probation",
        abstract: "Runs simulated devices against the watch that goes back by itself.",
        discussion: """
            Each row is so many devices, used and watched for 240 turns after they swapped to a candidate of which we \
            know what is wrong. Prints the table as Markdown; what it means is in docs/gate-simulation.md.

            Exit code 1: a demand is not met.
            """)

    @Option(help: "The seed of all random numbers.")
    var seed: UInt64 = 1

    func run() throws {
        Output.line("| candidate | devices | went back, % | at turn, median (nine tenths) |")
        Output.line("|---|---|---|---|")
        var isAccepted = true
        for row in ProbationRow.all {
            let base = Seed.of("\(seed) \(row.name)")
            let replay = row.replay
            let result = ProbationResult(
                Parallel.map(row.devices) { replay.run(seed: base &+ UInt64($0)) })
            let isMet = row.demand.map(result.meets) ?? true
            isAccepted = isAccepted && isMet
            Output.line(
                "| \(row.name) | \(result.devices) | **\(Self.percent(result))** | "
                    + "\(Self.turns(result))\(isMet ? "" : " ≠") |")
        }
        guard isAccepted else { throw ExitCode(1) }
    }

    private static func percent(_ result: ProbationResult) -> String {
        let hundredths = Int((result.percent * 100).rounded())
        let (whole, part) = hundredths.quotientAndRemainder(dividingBy: 100)
        return part == 0 ? "\(whole)" : "\(whole)." + (part < 10 ? "0\(part)" : "\(part)")
    }

    private static func turns(_ result: ProbationResult) -> String {
        guard let median = result.turn(0.5), let most = result.turn(0.9) else { return "–" }
        return "\(median) (\(most))"
    }
}
