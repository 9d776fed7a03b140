import Primitives
import RegistryCore
import Rollouts

/// What came of a whole fleet's simulation, and what it cost.
struct FleetReport {
    let devices: Int
    let cohorts: Int
    let end: WholeFleet.Standing
    let wall: Duration
    let usage: ProcessUsage

    /// How it stands after one tick, on one line.
    static func line(_ standing: WholeFleet.Standing) -> String {
        "\(standing.hours) h: \(standing.stage) \(standing.state.rawValue), "
            + "\(standing.exposed) exposed, \(standing.turns) turns, \(standing.reports) reports; "
            + "tick \(milliseconds(standing.tick)) ms, look \(milliseconds(standing.look)) ms"
    }

    var lines: [String] {
        let segments = end.excluded.map(\.description).joined(separator: ", ")
        let outcome = end.excluded.isEmpty ? "" : ", without \(segments)"
        return [
            "\(devices) devices in \(cohorts) cohorts: \(end.state.rawValue) after \(end.hours) h\(outcome), "
                + "\(end.exposed) devices exposed"
        ] + end.decisions.map { "  \($0.kind): \($0.evidence)" } + [
            "\(end.turns) turns simulated, \(end.reports) reports taken in",
            "\(end.ticks) ticks of the controller, the slowest \(Self.milliseconds(end.slowestTick)) ms; "
                + "the gate's slowest look \(Self.milliseconds(end.slowestLook)) ms",
            "\(wall.components.seconds) s, \(Int(usage.processorSeconds)) s of processor time, "
                + "at most \(usage.peakBytes >> 20) MiB resident",
        ]
    }

    var json: JSON {
        [
            "type": "fleet_simulation", "devices": .integer(Int64(devices)),
            "cohorts": .integer(Int64(cohorts)), "state": .string(end.state.rawValue),
            "hours": .integer(Int64(end.hours)), "exposed": .integer(Int64(end.exposed)),
            "excluded": .array(end.excluded.map(\.json)),
            "decisions": .array(
                end.decisions.map {
                    ["kind": .string($0.kind), "evidence": .string($0.evidence)]
                }),
            "turns": .integer(Int64(end.turns)), "reports": .integer(Int64(end.reports)),
            "ticks": .integer(Int64(end.ticks)),
            "slowest_tick_ms": .integer(Self.milliseconds(end.slowestTick)),
            "slowest_look_ms": .integer(Self.milliseconds(end.slowestLook)),
            "wall_ms": .integer(Self.milliseconds(wall)),
            "processor_ms": .integer(Int64(usage.processorSeconds * 1_000)),
            "peak_resident_bytes": .integer(usage.peakBytes),
        ]
    }

    private static func milliseconds(_ time: Duration) -> Int64 {
        time.components.seconds * 1_000 + time.components.attoseconds / 1_000_000_000_000_000
    }
}
