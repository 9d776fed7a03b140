import Primitives
import RegistryCore

/// One rollout: where it stands, whom it has reached, what the gate saw, what was decided.
struct RolloutSection {
    /// Decisions shown at once; older ones are in the audit log.
    private static let timelineLimit = 20

    /// As `GET /v1/rollouts/{model}/{channel}` shows it.
    private let json: JSON
    private let now: UTCTime

    init(_ status: RolloutStatus) {
        json = status.json
        now = status.now
    }

    var html: HTML {
        let model = text("model")
        let channel = text("channel")
        let gate: HTML =
            if let look = json["look"], look["verdict"] != nil {
                GateSection(look: look, now: now).html
            } else { "<h4>The gate</h4><p class=\"empty\">It has not looked yet.</p>" }
        return """
            <article id="rollout-\(model)-\(channel)">
            <h3>\(model) <span class="dim">in channel</span> \(channel) \(Badge.state(text("state")).html)</h3>
            <p>\(what)</p>
            \(placebo)
            \(acknowledged)
            \(stages)
            \(cohorts)
            \(gate)
            <h4>Timeline</h4>
            \(timeline)
            </article>

            """
    }

    private func text(_ key: String) -> String { json[key]?.string ?? "" }

    private var what: HTML {
        let candidate = json["candidate"]?["version"]?.string ?? "?"
        let before: HTML =
            json["baseline"]?["version"]?.string
            .map { "replaces \($0)" } ?? "is the first release"
        let stage: HTML = json["stage_name"]?.string.map { ", stage <strong>\($0)</strong>" } ?? ""
        let ready: HTML =
            json["ready"]?.bool == true ? " The gate promotes; something else is waited for." : ""
        let next = json["next_look"]?.integer.map { $0 - now.seconds } ?? 0
        let look: HTML = next > 0 ? " Next look in \(Figures.span(next))." : ""
        let left = (excluded("excluded") + excluded("paused_segments")).joined(separator: ", ")
        let without: HTML = left.isEmpty ? "" : " Left out: \(left)."
        return """
            Version <strong>\(candidate)</strong> \(before)\(stage).\(inForce)\(ready)\(look)\(without) \
            <span class="dim">Policy \(text("policy")).</span>
            """
    }

    /// What devices follow while this one is only prepared.
    private var inForce: HTML {
        guard let rollout = json["in_force"] else { return "" }
        let state = Badge.state(rollout["state"]?.string ?? "").html
        return " In force is \(rollout["candidate"]?["version"]?.string ?? "?") \(state)."
    }

    /// Where rollbacks are left to people, because the gate has been seen to cry wolf.
    private var placebo: HTML {
        let off = (json["placebo"]?.array ?? []).filter { $0["trusted"]?.bool == false }
        guard !off.isEmpty else { return "" }
        let cohorts = off.map { trial in
            "\(trial["region"]?.string ?? "?")/\(trial["device_class"]?.string ?? "?") "
                + "(\(trial["fired"]?.integer ?? 0) of \(trial["runs"]?.integer ?? 0))"
        }.joined(separator: ", ")
        return """
            <p class="warning"><strong>Automatic rollback is off</strong> in \(cohorts): with nothing changed there, the \
            gate fired in so many runs of its placebo. It pauses instead.</p>
            """
    }

    /// What its creator was warned of, and let stand.
    private var acknowledged: HTML {
        let warnings = (json["acknowledged"]?.array ?? []).compactMap(\.string)
        guard !warnings.isEmpty else { return "" }
        let lines = warnings.map { warning -> HTML in "<li><bdi>\(warning)</bdi></li>" }
        return """
            <div class="warning"><strong>Acknowledged at creation</strong><ul>\(lines)</ul></div>
            """
    }

    private func excluded(_ key: String) -> [String] {
        (json[key]?.array ?? []).map { segment in
            (segment.object ?? [:]).sorted { $0.key < $1.key }
                .map { "\($0.key) \($0.value.string ?? $0.value.text)" }.joined(separator: " ")
        }
    }

    // MARK: Stages and cohorts

    private var stages: HTML {
        var table = PageTable(
            "Stages",
            ["Stage", .number("Share"), "Began", "Lasts", "Goes on", "State"], empty: "No stages.")
        let current = json["stage"]?.integer ?? -1
        let isOver = ["completed", "rolled_back"].contains(text("state"))
        for (index, stage) in (json["stages"]?.array ?? []).enumerated() {
            let began: HTML =
                stage["began"]?.integer.map { Figures.moment(UTCTime(clamping: $0)) }
                ?? "<span class=\"dim\">not yet</span>"
            let badge: Badge =
                if stage["began"] == nil {
                    .plain("to come")
                } else if Int64(index) < current || text("state") == "completed" {
                    stage["unproven"]?.bool == true ? .wait("passed unproven") : .good("passed")
                } else { isOver ? .bad("ended") : .wait("current") }
            table.rows.append([
                "\(stage["name"]?.string ?? "?")",
                "\(Figures.basisPoints(stage["share"]?.integer ?? 0))", began,
                """
                \(Figures.span(stage["least_soak_s"]?.integer ?? 0)) to \
                \(Figures.span(stage["most_soak_s"]?.integer ?? 0))
                """,
                "\(stage["promote"]?.string ?? "")", badge.html,
            ])
        }
        return table.html
    }

    private var cohorts: HTML {
        var table = PageTable(
            "Exposure by cohort",
            [
                "Cohort", .number("Devices"), .number("Exposed"), .number("Share in force"),
                .number("Held back"),
            ], empty: "No device follows this channel yet.", isCompact: true)
        let begun = (json["stages"]?.array ?? []).last { $0["shares"] != nil }
        let shares = begun?["shares"]?.object ?? [:]
        let standard = begun?["share"]?.integer
        for (name, cohort) in (json["exposure"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            let share = shares[name]?.integer ?? standard
            table.rows.append([
                "\(name)", "\(Figures.count(cohort["devices"]?.integer ?? 0))",
                "\(Figures.count(cohort["exposed"]?.integer ?? 0))",
                "\(share.map(Figures.basisPoints) ?? "none")",
                "\(Figures.basisPoints(cohort["held_back_share"]?.integer ?? 0))",
            ])
        }
        return table.html
    }

    // MARK: Timeline

    private var timeline: HTML {
        let records = json["timeline"]?.array ?? []
        let lines = records.suffix(Self.timelineLimit).reversed().map(Self.line)
        let rest = records.count - lines.count
        let older: HTML =
            rest > 0 ? "<p class=\"dim\">\(rest) older ones are in the audit log.</p>" : ""
        return lines.isEmpty
            ? "<p class=\"empty\">Nothing has been decided yet.</p>"
            : "<ol class=\"timeline\">\(lines)</ol>\(older)"
    }

    private static func line(_ record: JSON) -> HTML {
        let facts = record["facts"] ?? .null
        let event = (record["event"]?.string ?? "").split(separator: ".").last ?? ""
        let actor = record["actor"] ?? .null
        let by = actor["name"]?.string ?? actor["kind"]?.string ?? ""
        let evidence = facts["evidence"]?.string ?? ""
        let reason: HTML = evidence.isEmpty ? "" : "<br><bdi>\(evidence)</bdi>"
        return """
            <li>\(Figures.moment(UTCTime(clamping: record["at"]?.integer ?? 0))) \
            <strong>\(event.split(separator: "_").joined(separator: " "))</strong> \
            by <bdi>\(by)</bdi>\(reason)</li>

            """
    }
}
