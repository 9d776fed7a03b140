import Primitives
import Rollouts

/// What the gate saw at its last look: the verdict with its five facts, the arms, each test against its limit.
struct GateSection {
    /// The `look` of a rollout (`docs/formats/audit.md`).
    let look: JSON
    let now: UTCTime

    var html: HTML {
        let at = look["at"]?.integer.map { UTCTime(clamping: $0) }
        let when: HTML =
            at.map { "Last look \(Figures.moment($0)), \(Figures.span(now - $0)) ago." } ?? ""
        return """
            <h4>The gate</h4>
            <p class="verdict"><strong>\(verdict)</strong> \(sentence)</p>
            <p class="when">\(when) \(waiting)</p>
            \(facts)
            \(tests)
            \(arms)
            \(segments)
            """
    }

    private var verdict: String { look["verdict"]?.string ?? "no verdict" }

    /// The reason without the verdict's word, which stands before it.
    private var sentence: HTML {
        let reason = look["reason"]?.string ?? ""
        let rest = reason.hasPrefix(verdict) ? String(reason.dropFirst(verdict.count)) : reason
        return "<bdi>\(rest)</bdi>"
    }

    private var waiting: HTML {
        guard let devices = look["not_counting_yet"]?.integer, devices > 0 else { return "" }
        return "\(Figures.count(devices)) devices are in their burn-in and do not count yet."
    }

    // MARK: Five facts

    private var facts: HTML {
        let facts = look["facts"] ?? .null
        let test = facts["test"] ?? .null
        let rows: [(String, HTML)] = [
            ("What moved, and how far", moved(test)), ("Against what", against(test)),
            ("By what chance", chance(facts)), ("On which devices most", devices(facts)),
            ("How much is exposed", exposed(facts)),
        ]
        let items = rows.map { name, value -> HTML in "<div><dt>\(name)</dt><dd>\(value)</dd></div>"
        }
        return "<dl class=\"facts\" aria-label=\"Five facts of the verdict\">\(items)</dl>"
    }

    private func moved(_ test: JSON) -> HTML {
        guard let metric = test["metric"]?.string else { return "No test has data yet." }
        let place = test["segment"]?.string.map { " in \($0)" } ?? ""
        return "\(Figures.metric(metric))\(place): \(TestRow(test).figures)"
    }

    private func against(_ test: JSON) -> HTML {
        switch test["state"]?.string {
        case "estimate":
            let paired = test["paired"]?.bool == true ? ", each by its own reference" : ""
            let accepted = test["accepted"]?.integer ?? 1_000
            let cost = accepted > 1_000 ? ", of which \(Figures.ratio(accepted)) is accepted" : ""
            return """
                \(test["control_devices"]?.integer ?? 0) devices on the old release\(paired); \
                allowed \(Figures.ratio(test["limit"]?.integer ?? 0))\(cost)
                """
        case "count":
            let control = test["control_devices"]?.integer
            let than = control.map { "from \($0) control devices and windows" } ?? "a fixed share"
            return "\(Figures.share(test["excused"]?.integer ?? 0)) can be excused, \(than)"
        default: return "No comparison yet."
        }
    }

    private func chance(_ facts: JSON) -> HTML {
        guard let odds = facts["one_in"]?.integer else { return "No chance to tell yet." }
        guard odds > 1 else { return "With no real change, most rollouts would show this." }
        return """
            With no real change, fewer than 1 rollout in \(Figures.count(odds)) would show this at any time.
            """
    }

    private func devices(_ facts: JSON) -> HTML {
        let moved = (facts["moved"]?.array ?? []).map { device -> HTML in
            let id = device["device"]?.string ?? ""
            let ratio = device["ratio"]?.integer.map(Figures.ratio) ?? ""
            return "<li><code title=\"\(id)\">\(String(id.prefix(8)))</code> \(ratio)</li>"
        }
        return moved.isEmpty ? "None stand out." : "<ul class=\"inline\">\(moved)</ul>"
    }

    private func exposed(_ facts: JSON) -> HTML {
        let exposed = facts["exposed"] ?? .null
        return """
            \(Figures.count(exposed["devices"]?.integer ?? 0)) devices, \
            \(Figures.count(exposed["turns"]?.integer ?? 0)) turns
            """
    }

    // MARK: Tables

    private var tests: HTML {
        var table = PageTable(
            "Updated devices against control, by test",
            ["Test", "Estimate and limit", "Drawn", "Smallest worsening it would catch"],
            empty: "No test has looked yet.")
        let spots = look["blind_spots"]?.array ?? []
        for test in look["tests"]?.array ?? [] {
            let metric = test["metric"]?.string
            let row = TestRow(test)
            let spot = spots.first { $0["metric"]?.string == metric }
            table.rows.append([
                "\(Figures.metric(metric ?? "?"))<br>\(row.badge)", row.figures, row.drawing,
                Self.blindSpot(spot),
            ])
        }
        return table.html
    }

    private static func blindSpot(_ spot: JSON?) -> HTML {
        guard let spot, let metric = spot["metric"]?.string else {
            return "<span class=\"dim none\">not required</span>"
        }
        func shown(_ value: Int64) -> String {
            Metric(rawValue: metric)?.test == .rate ? Figures.share(value) : Figures.ratio(value)
        }
        let required = shown(spot["required"]?.integer ?? 0)
        let isEnough = spot["small_enough"]?.bool == true
        let badge: Badge = isEnough ? .good("enough") : .wait("not yet")
        let seen = spot["seen"]?.integer.map(shown) ?? "nothing yet"
        return "\(seen), required \(required) \(badge.html)"
    }

    private var arms: HTML {
        var table = PageTable(
            "The two arms",
            [
                "Arm", .number("Devices"), .number("Exposed"), .number("Went back"),
                .number("Turns"),
            ], empty: "No arms yet.", isCompact: true)
        for (arm, name) in [("treated", "Updated"), ("control", "Control")] {
            let facts = look["arms"]?[arm] ?? .null
            table.rows.append(
                ["\(name)"]
                    + ["devices", "exposed", "went_back", "turns"].map {
                        "\(Figures.count(facts[$0]?.integer ?? 0))"
                    })
        }
        return table.html
    }

    private var segments: HTML {
        let found = (look["segments"]?.array ?? []).map { segment -> HTML in
            """
            <li><strong>\(segment["segment"]?.string ?? "")</strong>: \
            \(segment["action"]?.string ?? "") <bdi>\(segment["reason"]?.string ?? "")</bdi></li>
            """
        }
        return found.isEmpty ? "" : "<h5>Parts of the fleet</h5><ul>\(found)</ul>"
    }
}

/// One test of the gate in words and as a drawing.
struct TestRow {
    private let test: JSON

    init(_ test: JSON) { self.test = test }

    var figures: HTML {
        switch test["state"]?.string {
        case "estimate": return estimate
        case "count":
            return """
                \(test["bad"]?.integer ?? 0) of \(test["devices"]?.integer ?? 0) devices, where \
                \(Figures.share(test["excused"]?.integer ?? 0)) can be excused
                """
        default: return "<span class=\"dim\">\(test["shortage"]?.string ?? "no data")</span>"
        }
    }

    private var estimate: HTML {
        let range = test["range"] ?? .null
        var rates: HTML = ""
        if let worse = test["worse_rate"]?.integer, let better = test["better_rate"]?.integer {
            rates = ", \(Figures.share(worse)) against \(Figures.share(better))"
        }
        return """
            <strong>\(Self.ratio(test["ratio"]))</strong>\(rates), \
            range \(Self.ratio(range["low"])) to \(Self.ratio(range["high"])), \
            limit \(Self.ratio(test["limit"]))
            """
    }

    private static func ratio(_ json: JSON?) -> String {
        json?.integer.map(Figures.ratio) ?? "unbounded"
    }

    /// Where the range lies, seen from the limit; the verdict is the gate's alone.
    var badge: HTML {
        if test["state"]?.string == "count" { return count.html }
        guard test["state"]?.string == "estimate", let limit = test["limit"]?.integer,
            let ratio = test["ratio"]?.integer
        else { return "" }
        let badge: Badge =
            if ratio > limit {
                .bad("over the limit")
            } else if let high = test["range"]?["high"]?.integer, high < limit {
                .good("below the limit")
            } else { .wait("open") }
        return badge.html
    }

    private var count: Badge {
        let devices = test["devices"]?.integer ?? 0
        let excused = test["excused"]?.integer ?? 0
        let bad = test["bad"]?.integer ?? 0
        return bad * 1_000 > devices * excused ? .wait("more than excused") : .good("excused")
    }

    var drawing: HTML {
        if let bad = test["bad"]?.integer, let devices = test["devices"]?.integer,
            let excused = test["excused"]?.integer, devices > 0
        {
            return ShareBar(share: bad * 1_000 / devices, excused: excused).html
        }
        guard let ratio = test["ratio"]?.integer, let limit = test["limit"]?.integer,
            let low = test["range"]?["low"]?.integer
        else { return "<span class=\"dim none\">nothing to draw</span>" }
        let high = test["range"]?["high"]?.integer ?? .max
        return RangeBar(low: low, ratio: ratio, high: high, limit: limit).html
    }
}
