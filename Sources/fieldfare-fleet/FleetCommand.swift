import ArgumentParser
import Console
import Glibc

/// Fleets on one machine: what stands in for the applications of their devices, devices that speak to a registry, and
/// devices in memory only.
@main
struct FleetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fieldfare-fleet",
        abstract:
            "Fleets on one machine: real applications, driven devices, or a simulation of many.",
        version: "0.1.0",
        subcommands: [
            VoiceCommand.self, DriveCommand.self, SimulateFleetCommand.self,
            SimulateGateCommand.self, SimulateReleasesCommand.self, SimulateProbationCommand.self,
        ])

    /// Runs the command; wrong usage exits with 2, and a `Failure` with its own code.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as Failure {
            Output.note("fieldfare-fleet: \(failure)")
            Glibc.exit(failure.kind.rawValue)
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            Output.note(fullMessage(for: error))
            Glibc.exit(Failure.Kind.usage.rawValue)
        }
    }
}
