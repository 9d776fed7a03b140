import ArgumentParser
import Console
import Primitives
import RegistryAccess

/// What each stage can prove: `fieldfare rollout plan`.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Says what each stage can prove with the fleet that there is.",
        discussion: """
            For each stage and metric: the smallest worsening that the gate would stop after the stage's least and most \
            soak, and after how many hours it would see one as large as the limit. Foreseen from the devices that follow \
            the channel, and from how much they are used: as they have reported, or 40 turns a day where too few have. \
            docs/gate.md has the method.

            EXAMPLE
              fieldfare rollout plan commands-en
              fieldfare rollout plan commands-en --turns-per-day 12
            """)

    @Argument(help: "The model.")
    var model: String

    @Option(help: "The channel.")
    var channel = "main"

    @OptionGroup var turns: TurnsOption

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let line = "\(try Word.model(model))/\(try Word.channel(channel))"
        let query = try turns.checked().map { "?turns_per_day=\($0)" } ?? ""
        let answer = try server.api().get("/v1/rollouts/\(line)/forecast\(query)")
        guard !output.isJSON else { return Output.json(answer) }
        Output.line(
            "\(answer["turns_per_day"]?.integer ?? 0) turns of a device a day "
                + "(\(answer["turns_per_day_from"]?.string ?? "?"))")
        for stage in answer["stages"]?.array ?? [] { tell(stage) }
        for warning in answer["warnings"]?.array?.compactMap(\.string) ?? [] {
            Output.note("warning: \(warning.visible)")
        }
    }

    private func tell(_ stage: JSON) {
        let least = stage["least_soak_s"]?.integer ?? 0
        let most = stage["most_soak_s"]?.integer ?? 0
        Output.line(
            "\(stage["name"]?.string ?? "?"): \(stage["treated"]?.integer ?? 0) devices against "
                + "\(stage["control"]?.integer ?? 0)")
        var table = Table([
            "metric", "sees after \(Self.span(least))", "after \(Self.span(most))", "limit",
            "hours to see the limit",
        ])
        for metric in stage["metrics"]?.array ?? [] {
            let name = metric["metric"]?.string ?? "?"
            if metric["limit"] == nil {
                let bad = metric["bad_devices"]?.integer.map { "\($0) bad devices" } ?? "nothing"
                table.add([name, bad])
                continue
            }
            table.add([
                name, Self.ratio(metric["after_least_soak"]), Self.ratio(metric["after_most_soak"]),
                Self.ratio(metric["limit"]),
                metric["hours_to_limit"]?.integer.map { "\($0)" } ?? "never",
            ])
        }
        for line in table.lines { Output.line("  \(line)") }
    }

    /// Seconds in the largest unit that says them exactly: `36 h`, `90 min`, `30 s`.
    private static func span(_ seconds: Int64) -> String {
        if seconds % 3_600 == 0 { return "\(seconds / 3_600) h" }
        return seconds % 60 == 0 ? "\(seconds / 60) min" : "\(seconds) s"
    }

    private static func ratio(_ json: JSON?) -> String {
        guard let thousandths = json?.integer else { return "nothing" }
        let hundredths = (thousandths + 5) / 10
        let rest = hundredths % 100
        return "x\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

/// How much devices are used, where it is foreseen what stages can show.
struct TurnsOption: ParsableArguments {
    @Option(help: "Turns of a device in a day; without it as devices have reported, or 40.")
    var turnsPerDay: Int64?

    /// - Throws: `Failure` `usage` for a number that the registry does not take.
    func checked() throws(Failure) -> Int64? {
        guard let turnsPerDay else { return nil }
        guard (1...100_000).contains(turnsPerDay) else {
            throw Failure(.usage, "--turns-per-day: expected 1 to 100000, got \(turnsPerDay)")
        }
        return turnsPerDay
    }
}
