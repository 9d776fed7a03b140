import ArgumentParser
import Console
import Cryptography
import FleetSimulation
import Primitives
import RegistryCore
import Rollouts

/// A policy tried on a fleet that exists in memory: `fieldfare rollout simulate`.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Plays a policy over and over: when it halts, whom it exposed, false alarms.",
        discussion: """
            Plays whole rollouts under a rollout.yaml, by the controller's state machine and the real gate; only the \
            devices' turns are made up. Of a sound candidate every halt is a false alarm. The fleet is made up with \
            --synthetic, or recorded: --telemetry reads what 'fieldfare devices list --json' has printed, and takes usage, \
            durations and rates of each device from it. docs/gate-simulation.md says what is drawn.

            EXAMPLE
              fieldfare rollout simulate rollout.yaml --synthetic --devices 2000 --replays 50
              fieldfare rollout simulate rollout.yaml --telemetry fleet.jsonl --worse latency=1.3
            """)

    /// The most bytes of a recorded fleet.
    private static let telemetryLimit = 512 << 20

    @Argument(help: "rollout.yaml")
    var file: String

    @Option(help: "A file with what 'devices list --json' printed.")
    var telemetry: String?

    @Flag(help: "Make a fleet up.")
    var synthetic = false

    @Option(help: "Devices of a fleet that is made up.")
    var devices = 2_000

    @Option(help: "Its cohorts, from the largest to one a fifth as large.")
    var cohorts = 6

    @Option(help: "Rollouts that are played of each candidate.")
    var replays = 100

    @Option(help: "The seed of all random numbers.")
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp(
            "What a bad candidate does, such as latency=1.3 or errors=5 (factors), bricked=0.05, failed_attempts=0.1 or local_rollbacks=0.1 (shares of devices). May be given several times; otherwise some are tried.",
            valueName: "what=how much"))
    var worse: [String] = []

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard synthetic != (telemetry != nil) else {
            throw ValidationError(
                "expected --synthetic or --telemetry, got \(synthetic ? "both" : "neither")")
        }
        guard (1...100_000).contains(replays) else {
            throw ValidationError("expected --replays of 1 to 100000, got \(replays)")
        }
        guard (1...1_000).contains(cohorts), (cohorts...1_000_000).contains(devices) else {
            throw ValidationError(
                "expected --cohorts of 1 to 1000, and as many --devices at least, up to 1000000, got \(cohorts) and \(devices)"
            )
        }
    }

    func run() throws {
        let policy = try PolicyFile(argument: file).draft()
        warnOfShortStages(policy)
        let fleet = try telemetry.map { try recorded($0, model: policy.model) } ?? madeUp(policy)
        let candidates = try candidates(policy)
        var results: [(name: String, outcomes: [PolicyReplay.Outcome])] = []
        for candidate in candidates {
            let cohorts = fleet.map { cohort in
                var cohort = cohort
                cohort.effect = candidate.effect
                return cohort
            }
            let replay = PolicyReplay(policy, cohorts)
            _ = try Failure.catching("policy '\(file)'", .refused) { try replay.run(seed: seed) }
            let outcomes = Parallel.map(replays) { try? replay.run(seed: seed &+ UInt64($0)) }
            results.append((candidate.name, outcomes.compactMap(\.self)))
        }
        tell(results, devices: fleet.reduce(0) { $0 + $1.devices }, cohorts: fleet.count)
    }

    /// Says which stages end within one step of the replay: what happens in them is not played.
    private func warnOfShortStages(_ policy: Policy) {
        for stage in policy.stages where stage.leastSoak < FleetModel.tickSeconds {
            Output.note(
                "warning: stage '\(stage.name)': expected a least soak of \(FleetModel.tickSeconds / 3_600) h at least, the step "
                    + "of the replay, got \(stage.leastSoak) s: devices report, and the gate looks, after whole steps only"
            )
        }
    }

    // MARK: The fleet

    private func recorded(_ path: String, model: ModelName) throws -> [SimulatedCohort] {
        let bytes = try FileBytes.read(path, limit: Self.telemetryLimit)
        var devices: [RecordedDevice] = []
        for (number, line) in bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
            let device = try Failure.catching("'\(path)' line \(number + 1)") {
                let json = try JSON(parsing: Array(line), limit: RecordedDevice.lineLimit)
                return try RecordedDevice(reading: json, model: model)
            }
            if let device { devices.append(device) }
        }
        guard !devices.isEmpty else {
            throw Failure(
                .refused, "'\(path)': expected devices with turns of model '\(model)', got none")
        }
        return SimulatedCohort.recorded(devices)
    }

    /// Cohorts of the regions and classes that the policy names, or of made-up ones, with all labels that it asks for.
    private func madeUp(_ policy: Policy) throws -> [SimulatedCohort] {
        let places = policy.stages.map(\.where)
        let regions = names(places.flatMap(\.regions), "region", count: 3)
        let classes = names(
            places.flatMap(\.deviceClasses), "class",
            count: (cohorts + regions.count - 1) / regions.count)
        let labels = places.flatMap(\.labels)
        let locales = names(places.flatMap(\.locales), "locale", count: 2)
        let weights = (0..<cohorts).map { 1 - 0.8 * Double($0) / Double(max(1, cohorts - 1)) }
        let sum = weights.reduce(0, +)
        return weights.enumerated().map { index, weight in
            let cohort = Cohort(
                region: regions[index % regions.count],
                deviceClass: classes[index / regions.count % classes.count])
            var made = SimulatedCohort(cohort, devices: max(1, Int(Double(devices) * weight / sum)))
            made.labels = Array(Set(labels)).sorted()
            made.locales = locales
            return made
        }
    }

    private func names(_ known: [AttributeName], _ word: String, count: Int) -> [AttributeName] {
        let unique = Array(Set(known)).sorted()
        let more = (1...max(1, count)).compactMap { AttributeName("\(word)-\($0)") }
        return unique + more.prefix(max(0, count - unique.count))
    }

    // MARK: Candidates

    private struct Candidate {
        let name: String
        var effect = CandidateEffect()
    }

    private func candidates(_ policy: Policy) throws(Failure) -> [Candidate] {
        var candidates = [Candidate(name: "sound")]
        guard worse.isEmpty else {
            var bad = Candidate(name: worse.joined(separator: " "))
            for text in worse { try Self.apply(text, to: &bad.effect) }
            return candidates + [bad]
        }
        for text in ["latency=1.3", "errors=5", "bricked=0.05"] {
            var bad = Candidate(name: text)
            try Self.apply(text, to: &bad.effect)
            candidates.append(bad)
        }
        return candidates
    }

    private static func apply(_ text: String, to effect: inout CandidateEffect) throws(Failure) {
        guard effect.apply(text) else {
            throw Failure(.usage, "--worse: expected \(CandidateEffect.expected), got '\(text)'")
        }
    }

    // MARK: Telling

    private func tell(
        _ results: [(name: String, outcomes: [PolicyReplay.Outcome])], devices: Int, cohorts: Int
    ) {
        if output.isJSON {
            return Output.json([
                "type": "simulation", "devices": .integer(Int64(devices)),
                "cohorts": .integer(Int64(cohorts)), "recorded": .bool(telemetry != nil),
                "replays": .integer(Int64(replays)), "seed": .string("\(seed)"),
                "candidates": .array(results.map { Self.json($0.name, $0.outcomes) }),
            ])
        }
        Output.line(
            "\(devices) devices in \(cohorts) cohorts, \(telemetry == nil ? "made up" : "recorded"); \(replays) rollouts of each candidate, seed \(seed)"
        )
        var table = Table([
            "candidate", "completed", "rolled back", "paused", "in part", "expired",
            "devices exposed", "hours",
        ])
        for (name, outcomes) in results {
            table.add(
                [name] + PolicyReplay.Outcome.End.allCases.map { Self.percent($0, outcomes) }
                    + [Self.median(outcomes.map(\.exposed)), Self.median(outcomes.map(\.hours))])
        }
        for line in table.lines { Output.line(line) }
        let sound = results[0].outcomes
        Output.line(
            "false alarms: \(sound.count { $0.hasHalted }) of \(sound.count) sound candidates were halted"
        )
        for (name, outcomes) in results {
            guard let halt = outcomes.first(where: { $0.hasHalted }) else { continue }
            Output.line("\(name): \(halt.evidence)")
        }
    }

    private static func json(_ name: String, _ outcomes: [PolicyReplay.Outcome]) -> JSON {
        var fields: JSONObject = ["name": .string(name)]
        for end in PolicyReplay.Outcome.End.allCases {
            fields[end.rawValue] = .integer(Int64(outcomes.count { $0.end == end }))
        }
        fields["halted"] = .integer(Int64(outcomes.count { $0.hasHalted }))
        fields["exposed_median"] = .integer(Int64(middle(outcomes.map(\.exposed))))
        fields["exposed_most"] = .integer(Int64(outcomes.map(\.exposed).max() ?? 0))
        fields["hours_median"] = .integer(Int64(middle(outcomes.map(\.hours))))
        fields["evidence"] = outcomes.first { $0.hasHalted }.map { .string($0.evidence) } ?? .null
        return .object(fields)
    }

    private static func middle(_ values: [Int]) -> Int {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }

    private static func median(_ values: [Int]) -> String { "\(middle(values))" }

    private static func percent(
        _ end: PolicyReplay.Outcome.End, _ outcomes: [PolicyReplay.Outcome]
    ) -> String {
        let tenths = 1_000 * outcomes.count { $0.end == end } / max(1, outcomes.count)
        return "\(tenths / 10).\(tenths % 10)%"
    }
}
