import ArgumentParser
import BlobFiles
import Console
import FleetSimulation
import Glibc
import PosixFiles
import Primitives
import RegistryCore
import RegistryDatabase
import Rollouts

/// The command `fieldfare-fleet simulate-fleet`.
struct SimulateFleetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate-fleet",
        abstract:
            "Rolls a release out to up to a million simulated devices, in this one process.",
        discussion: """
            The store, the controller, the gate and the signed plans are the registry's own; the devices decide, count \
            their turns and report by the agent's code. Made up are the turns, and there is no network: devices and \
            reports go straight into the store. docs/gate-simulation.md says what is drawn. A policy of three stages of \
            24 hours is played until the release is complete or rolled back; nobody resumes what is paused.

            EXAMPLE
              fieldfare-fleet simulate-fleet --devices 10000
              fieldfare-fleet simulate-fleet --devices 1000000 --worse latency=1.3
            """)

    @Option(help: "Devices, 100 to 1000000.")
    var devices = 10_000

    @Option(
        help: "Regions; times the classes they are the cohorts, the largest 50 times the smallest.")
    var regions = 4

    @Option(help: "Device classes.")
    var classes = 3

    @Option(help: "Simulated hours that the rollout may take.")
    var hours = 240

    @Option(help: "The seed of all random numbers.")
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp(
            "What the candidate does, such as latency=1.3 or errors=5 (factors), bricked=0.05, failed_attempts=0.1 or local_rollbacks=0.1 (shares of devices). May be given several times; otherwise it is sound.",
            valueName: "what=how much"))
    var worse: [String] = []

    @Flag(help: "Devices sign their reports, and the registry checks that; for some thousands.")
    var signed = false

    @Option(
        help: "An empty folder for the registry's files; by default one that is removed in the end."
    )
    var folder: String?

    @Flag(name: .customLong("json"), help: "Print JSON, one object a line.")
    var isJSON = false

    func validate() throws {
        guard (100...1_000_000).contains(devices) else {
            throw ValidationError("expected --devices of 100 to 1000000, got \(devices)")
        }
        guard (1...30).contains(regions), (1...30).contains(classes) else {
            throw ValidationError(
                "expected --regions and --classes of 1 to 30, got \(regions) and \(classes)")
        }
        guard (3...2_000).contains(hours) else {
            throw ValidationError("expected --hours of 3 to 2000, got \(hours)")
        }
    }

    func run() throws {
        var effect = CandidateEffect()
        for text in worse where !effect.apply(text) {
            throw Failure(.usage, "--worse: expected \(CandidateEffect.expected), got '\(text)'")
        }
        let fleet = SimulatedFleet(devices: devices, regions: regions, classes: classes)
        var settings = WholeFleet.Settings(fleet.with(effect))
        settings.hours = hours
        settings.seed = seed
        settings.isSigned = signed
        let ground = try RegistryFolder(folder)
        defer { ground.remove() }
        let clock = ContinuousClock()
        let began = clock.now
        let end = try Failure.catching("simulation") {
            let store = try SQLiteStore(path: ground.path + "/registry.sqlite")
            let blobs = try BlobFolder(Directory(opening: ground.path))
            let whole = WholeFleet(settings, store: store, blobs: blobs, spread: Parallel.each)
            return try whole.run { Output.note(FleetReport.line($0)) }
        }
        let report = FleetReport(
            devices: fleet.devices, cohorts: fleet.cohorts.count, end: end,
            wall: began.duration(to: clock.now), usage: ProcessUsage())
        if isJSON { Output.json(report.json) } else { report.lines.forEach(Output.line) }
    }
}
