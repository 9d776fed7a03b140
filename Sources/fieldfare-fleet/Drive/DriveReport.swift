import Console
import Primitives

/// What a drive has shown, for people and for programs.
struct DriveReport {
    private let figures: DriveFigures
    private let devices: Int
    private let rounds: Int
    private let seconds: Double

    init(_ figures: DriveFigures, devices: Int, rounds: Int, seconds: Double) {
        self.figures = figures
        self.devices = devices
        self.rounds = rounds
        self.seconds = seconds
    }

    private var perSecond: Int { Int(Double(figures.requests) / max(seconds, 1e-3)) }

    var text: String {
        var table = Table(["requests", "count", "failed", "p50 ms", "p95 ms", "p99 ms"])
        for kind in DriveFigures.Kind.allCases {
            guard let cost = figures.costs[kind] else { continue }
            let times = [50, 95, 99].map { cost.percentile($0).map(Self.milliseconds) ?? "-" }
            table.add([kind.rawValue, "\(cost.requests)", "\(cost.failed)"] + times)
        }
        let versions = figures.versions.sorted { $0.key < $1.key }
            .map { "\($0.key) on \($0.value)" }.joined(separator: ", ")
        return
            ([
                "\(devices) devices, \(rounds) rounds: \(figures.requests) requests in \(Int(seconds.rounded())) s, "
                    + "\(perSecond) a second; \(figures.failures) failures"
            ] + table.lines + [
                "\(figures.acceptedReports) reports accepted, \(figures.turns) turns; versions: \(versions)"
            ]).joined(separator: "\n")
    }

    var json: JSON {
        var kinds: JSONObject = [:]
        for (kind, cost) in figures.costs {
            var fields: JSONObject = [
                "requests": .integer(Int64(cost.requests)), "failed": .integer(Int64(cost.failed)),
            ]
            for percent in [50, 95, 99] {
                fields["p\(percent)_us"] = cost.percentile(percent).map { .integer($0) }
            }
            kinds[kind.rawValue] = .object(fields)
        }
        return [
            "type": "drive", "devices": .integer(Int64(devices)), "rounds": .integer(Int64(rounds)),
            "requests": .integer(Int64(figures.requests)),
            "failures": .integer(Int64(figures.failures)),
            "milliseconds": .integer(Int64(seconds * 1_000)),
            "per_second": .integer(Int64(perSecond)),
            "kinds": .object(kinds), "reports_accepted": .integer(Int64(figures.acceptedReports)),
            "turns": .integer(Int64(figures.turns)),
            "versions": Self.counts(figures.versions),
            "troubles": Self.counts(figures.troubles),
        ]
    }

    private static func counts(_ counts: [String: Int]) -> JSON {
        .object(JSONObject(counts.map { ($0.key, .integer(Int64($0.value))) }))
    }

    private static func milliseconds(_ microseconds: Int64) -> String {
        "\(microseconds / 1_000).\(microseconds % 1_000 / 100)"
    }
}
