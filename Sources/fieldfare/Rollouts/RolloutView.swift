import Console
import Primitives

/// A rollout's status for people: stages, cohorts, tests against limits, the last reason.
struct RolloutView {
    let json: JSON

    init(_ json: JSON) { self.json = json }

    var isOver: Bool { ["completed", "rolled_back"].contains(json["state"]?.string ?? "") }

    /// One line for a list.
    var line: String {
        let stage = json["stage_name"]?.string.map { " (\($0))" } ?? ""
        return
            "\(text("model"))/\(text("channel"))  \(json["candidate"]?["version"]?.string ?? "?")"
            + "  \(text("state"))\(stage)"
    }

    func tell(_ output: OutputOptions) {
        guard !output.isJSON else { return Output.json(json) }
        Output.line(line)
        Output.line(
            "baseline \(json["baseline"]?["version"]?.string ?? "none"), policy \(text("policy"))")
        for stage in json["stages"]?.array ?? [] { Output.line(Self.stage(stage)) }
        cohorts()
        tests()
        if let reason = json["look"]?["reason"]?.string { Output.line("last look: \(reason)") }
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
        guard !table.isEmpty else { return }
        for line in table.lines { Output.line(line) }
    }

    private func tests() {
        var table = Table(["test", "treated", "control", "ratio", "range", "limit"])
        for test in json["look"]?["tests"]?.array ?? [] {
            guard let ratio = test["ratio"]?.integer else {
                table.add([
                    test["metric"]?.string ?? "?", "-", "-", test["state"]?.string ?? "", "", "",
                ])
                continue
            }
            let low = test["range"]?["low"]?.integer ?? 0
            let high = test["range"]?["high"]?.integer ?? 0
            table.add([
                test["metric"]?.string ?? "?", "\(test["treated_devices"]?.integer ?? 0)",
                "\(test["control_devices"]?.integer ?? 0)", Self.ratio(ratio),
                "\(Self.ratio(low)) to \(Self.ratio(high))",
                Self.ratio(test["limit"]?.integer ?? 0),
            ])
        }
        guard !table.isEmpty else { return }
        for line in table.lines { Output.line(line) }
    }

    private static func ratio(_ thousandths: Int64) -> String {
        let digits = String(thousandths % 1_000)
        return "x\(thousandths / 1_000)." + String(repeating: "0", count: 3 - digits.count) + digits
    }
}
