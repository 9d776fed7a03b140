import Console
import CurlTransport
import Primitives
import RegistryCore

/// A part of a drive: every device does one thing, and all have done it when it ends.
struct DrivePhase: Sendable {
    let name: String
    let requests: Int
    let milliseconds: Int64

    var perSecond: Int { Int(Int64(requests) * 1_000 / max(1, milliseconds)) }
}

/// What a drive has shown: to people as a table, to programs as one JSON object.
struct DriveReport: Sendable {
    let rounds: Int
    let lanes: Int
    let devices: Int
    let enrolled: Int
    /// Devices that hold another bundle than they began with.
    let swapped: Int
    let figures: DriveFigures
    let transfers: TransferMetrics
    let phases: [DrivePhase]
    /// Of the enrolled devices, those that the registry lists and has heard; nil where no token lets it be asked.
    let known: Int?
    /// Reports that the registry says it has accepted meanwhile.
    let counted: Int64

    private var milliseconds: Int64 { phases.reduce(0) { $0 + $1.milliseconds } }

    /// What is not as it must be, one sentence each.
    var problems: [String] {
        var found: [String] = []
        func expect(_ count: Int, _ what: String) {
            if count > 0 { found.append("expected no \(what), got \(count)") }
        }
        expect(devices - enrolled, "device without enrolment")
        expect(figures.failed, "failed request")
        expect(figures.untrusted, "answer that cannot be trusted")
        expect(figures.refused, "refused report")
        expect(figures.sent - figures.accepted - figures.refused, "report without acknowledgement")
        if let known, known != enrolled {
            found.append(
                "expected the registry to know and to have heard \(enrolled) devices, got \(known)")
        }
        if counted != figures.accepted {
            found.append(
                "expected the registry to count \(figures.accepted) accepted reports, got \(counted)"
            )
        }
        return found
    }

    // MARK: For people

    var lines: [String] {
        var table = Table(["requests", "number", "failed", "p50 ms", "p95 ms", "p99 ms", "most ms"])
        for kind in RequestKind.allCases {
            let durations = figures.microseconds[kind] ?? []
            guard let latency = LatencyFigures(durations) else { continue }
            table.add(
                [kind.rawValue, "\(durations.count)", "\(figures.failures[kind] ?? 0)"]
                    + [latency.p50, latency.p95, latency.p99, latency.most].map(Self.milliseconds))
        }
        var steps = Table(["phase", "requests", "seconds", "requests/s"])
        for phase in phases {
            steps.add([
                phase.name, "\(phase.requests)", Self.milliseconds(phase.milliseconds),
                "\(phase.perSecond)",
            ])
        }
        return table.lines + [""] + steps.lines + [""] + summary
            + figures.texts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\($0.value) x \($0.key)" }
    }

    private var summary: [String] {
        let view = known.map { "\($0) of them known and heard" } ?? "not asked for devices"
        return [
            "\(devices) devices, \(enrolled) enrolled, \(swapped) swapped; rounds: \(rounds), at once: \(lanes)",
            "\(figures.requests) requests, \(figures.failed) failed; \(transfers.notModified) answered 304; "
                + "\(transfers.connections) connections; "
                + "\(transfers.bytesReceived) bytes received, \(transfers.bytesSent) sent",
            "\(figures.sent) reports, \(figures.accepted) accepted, \(figures.refused) refused; "
                + "\(figures.untrusted) answers not trusted",
            "registry: \(view), \(counted) reports accepted",
        ]
    }

    /// Thousandths as a number with three decimals.
    private static func milliseconds(_ thousandths: Int64) -> String {
        let rest = String(thousandths % 1_000)
        return "\(thousandths / 1_000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    // MARK: For programs

    var json: JSON {
        [
            "type": "drive", "devices": .integer(Int64(devices)),
            "enrolled": .integer(Int64(enrolled)), "swapped": .integer(Int64(swapped)),
            "rounds": .integer(Int64(rounds)), "at_once": .integer(Int64(lanes)),
            "requests": .integer(Int64(figures.requests)),
            "failed": .integer(Int64(figures.failed)), "ms": .integer(milliseconds),
            "kinds": .array(RequestKind.allCases.compactMap(json)),
            "phases": .array(
                phases.map { phase in
                    [
                        "name": .string(phase.name), "requests": .integer(Int64(phase.requests)),
                        "ms": .integer(phase.milliseconds),
                        "requests_per_s": .integer(Int64(phase.perSecond)),
                    ]
                }),
            "not_modified": .integer(transfers.notModified),
            "connections": .integer(transfers.connections),
            "bytes_received": .integer(transfers.bytesReceived),
            "bytes_sent": .integer(transfers.bytesSent),
            "untrusted": .integer(Int64(figures.untrusted)),
            "reports": [
                "sent": .integer(Int64(figures.sent)),
                "accepted": .integer(Int64(figures.accepted)),
                "refused": .integer(Int64(figures.refused)),
            ],
            "registry": [
                "known": known.map { .integer(Int64($0)) } ?? .null,
                "reports_accepted": .integer(counted),
            ],
            "troubles": .array(
                figures.texts.sorted { $0.key < $1.key }.map { text, count in
                    ["text": .string(text), "count": .integer(Int64(count))]
                }),
            "problems": .array(problems.map { .string($0) }),
        ]
    }

    private func json(_ kind: RequestKind) -> JSON? {
        let durations = figures.microseconds[kind] ?? []
        return LatencyFigures(durations).map { latency in
            [
                "kind": .string(kind.rawValue), "requests": .integer(Int64(durations.count)),
                "failed": .integer(Int64(figures.failures[kind] ?? 0)),
                "p50_us": .integer(latency.p50), "p95_us": .integer(latency.p95),
                "p99_us": .integer(latency.p99), "most_us": .integer(latency.most),
            ]
        }
    }
}
