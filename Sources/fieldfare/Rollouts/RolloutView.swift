import Console
import Primitives
import Rollouts

/// A rollout's status for people: stages, cohorts, tests against limits, the last reason.
struct RolloutView {
    let json: JSON

    init(_ json: JSON) { self.json = json }

    var isOver: Bool { ["completed", "rolled_back"].contains(json["state"]?.string ?? "") }

    /// One line for a list.
    var line: String {
        let stage = json["stage_name"]?.string.map { " (\($0))" } ?? ""
        let inForce = json["in_force"].map {
            "; in force \(Self.candidate($0)) \($0["state"]?.string ?? "?")"
        }
        return
            "\(text("model"))/\(text("channel"))  \(Self.candidate(json))"
            + "  \(text("state"))\(stage)\(inForce ?? "")"
    }

    /// Says which version a rollback has withdrawn, and which it dropped because that had not started.
    func tellWithdrawal() {
        Output.line("withdrawn: \(Self.candidate(json))")
        let last = json["timeline"]?.array?.suffix(2).first
        guard let last, last["event"]?.string == "rollout.dropped" else { return }
        Output.line("dropped, as it had not started: \(Self.candidate(last["facts"] ?? .null))")
    }

    private static func candidate(_ json: JSON) -> String {
        json["candidate"]?["version"]?.string ?? "?"
    }

    func tell(_ output: OutputOptions) {
        guard !output.isJSON else { return Output.json(json) }
        Output.line(line)
        Output.line(
            "baseline \(json["baseline"]?["version"]?.string ?? "none"), policy \(text("policy"))")
        if json["rehearsed"]?.bool == true {
            Output.line("brake rehearsal: braked")
        } else if json["rehearsal_required"]?.bool == true, text("state") == "created" {
            Output.line("brake rehearsal: needed before the start, 'fieldfare rollout rehearse'")
        }
        for stage in json["stages"]?.array ?? [] { Output.line(Self.stage(stage)) }
        for warning in json["acknowledged"]?.array?.compactMap(\.string) ?? [] {
            Output.line("acknowledged: \(warning.visible)")
        }
        segments("excluded")
        segments("paused_segments")
        for json in json["freeze_windows"]?.array ?? [] {
            let window = try? FreezeWindow(reading: json, at: "freeze_windows")
            Output.line("freeze window: \(window.map { "\($0)" } ?? "?")")
        }
        for trial in json["placebo"]?.array ?? [] where trial["trusted"]?.bool == false {
            Output.line(
                "automatic rollback is off in \(trial["region"]?.string ?? "?")/\(trial["device_class"]?.string ?? "?"): with nothing changed the gate fired in "
                    + "\(trial["fired"]?.integer ?? 0) of \(trial["runs"]?.integer ?? 0) runs")
        }
        cohorts()
        arms()
        tests()
        blindSpots()
        if let reason = json["look"]?["reason"]?.string { Output.line("last look: \(reason)") }
        if let next = json["next_look"]?.integer, !isOver {
            Output.line("next look: \(UTCTime(clamping: next))")
        }
    }

    private func segments(_ key: String) {
        for segment in json[key]?.array ?? [] {
            let parts = (segment.object ?? [:]).sorted { $0.key < $1.key }.map {
                "\($0.key) \($0.value.string ?? "?")"
            }
            let word = key == "excluded" ? "excluded" : "paused"
            Output.line("\(word): \(parts.joined(separator: ", "))")
        }
    }

    /// The arms of the last look, and how many of those exposed were heard.
    private func arms() {
        var table = Table(["arm", "devices", "reporting", "of", "went back", "turns"])
        for arm in ["treated", "control"] {
            guard let figures = json["look"]?["arms"]?[arm] else { continue }
            let prefix = arm == "treated" ? "" : "control_"
            let coverage = json["look"]?["coverage"]
            table.add([
                arm, Self.count(figures["devices"]), Self.count(coverage?["\(prefix)reporting"]),
                Self.count(coverage?["\(prefix)exposed"]), Self.count(figures["went_back"]),
                Self.count(figures["turns"]),
            ])
        }
        tell(table)
    }

    /// What the stage cannot see yet, against what it must.
    private func blindSpots() {
        var table = Table(["blind spot", "sees", "must see", ""])
        for spot in json["look"]?["blind_spots"]?.array ?? [] {
            let metric = spot["metric"]?.string ?? "?"
            // Of rates it is a share of turns.
            let isRate = Metric(rawValue: metric)?.test == .rate
            func shown(_ value: JSON?) -> String {
                value?.integer == nil
                    ? "nothing" : isRate ? Self.percent(value) : Self.ratio(value)
            }
            table.add([
                metric, shown(spot["seen"]), shown(spot["required"]),
                spot["small_enough"]?.bool == true ? "enough" : "not yet",
            ])
        }
        tell(table)
    }

    private static func count(_ json: JSON?) -> String { "\(json?.integer ?? 0)" }

    private func tell(_ table: Table) {
        guard !table.isEmpty else { return }
        for line in table.lines { Output.line(line) }
    }

    private func text(_ key: String) -> String { json[key]?.string ?? "?" }

    private static func stage(_ stage: JSON) -> String {
        let share = BasisPoints(stage["share"]?.integer ?? 0) ?? .none
        let began = stage["began"]?.integer.map { "began \(UTCTime(clamping: $0))" } ?? "not begun"
        let mark = stage["began"] == nil ? " " : "*"
        let unproven = stage["unproven"]?.bool == true ? ", unproven" : ""
        return "\(mark) \(stage["name"]?.string ?? "?") \(share): \(began)\(unproven)"
    }

    private func cohorts() {
        var table = Table(["cohort", "devices", "exposed"])
        for (name, cohort) in (json["exposure"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            table.add([
                name, "\(cohort["devices"]?.integer ?? 0)", "\(cohort["exposed"]?.integer ?? 0)",
            ])
        }
        tell(table)
    }

    private func tests() {
        var table = Table(["test", "treated", "control", "ratio", "range", "limit"])
        for test in json["look"]?["tests"]?.array ?? [] {
            if test["state"]?.string == "count" {
                // Bad devices among those that count, and the share that is excused.
                table.add([
                    test["metric"]?.string ?? "?", Self.count(test["devices"]),
                    test["control_devices"].map { Self.count($0) } ?? "-",
                    "\(Self.count(test["bad"])) bad", "", Self.percent(test["excused"]),
                ])
                continue
            }
            guard test["state"]?.string == "estimate" else {
                table.add([
                    test["metric"]?.string ?? "?", "-", "-",
                    test["shortage"]?.string ?? "no data", "", "",
                ])
                continue
            }
            let range = test["range"]
            let rates = test["worse_rate"].map {
                ", \(Self.percent($0)) against \(Self.percent(test["better_rate"]))"
            }
            table.add([
                test["metric"]?.string ?? "?", Self.count(test["treated_devices"]),
                Self.count(test["control_devices"]), Self.ratio(test["ratio"]) + (rates ?? ""),
                "\(Self.ratio(range?["low"])) to \(Self.ratio(range?["high"]))",
                Self.ratio(test["limit"]),
            ])
        }
        tell(table)
    }

    /// A share in thousandths.
    private static func percent(_ share: JSON?) -> String {
        guard let thousandths = share?.integer else { return "unknown" }
        return "\(thousandths / 10).\(thousandths % 10)%"
    }

    /// A ratio in thousandths; what is beyond all meaning is not spelt out, and what is not there has no end.
    private static func ratio(_ ratio: JSON?) -> String {
        guard let thousandths = ratio?.integer else { return "unbounded" }
        guard thousandths <= 1_000_000 else { return "over x1,000" }
        let digits = String(thousandths % 1_000)
        return "x\(thousandths / 1_000)." + String(repeating: "0", count: 3 - digits.count) + digits
    }
}
