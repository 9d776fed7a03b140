import Glibc
import Health
import Primitives
import Telemetry

/// What the gate saw in one look, as JSON for people and for the audit log: the arms, each test against its
/// limit, what the stage cannot see, and the verdict with its five facts.
///
/// Ratios and shares are in thousandths, logarithms of e-values too.
struct GateSight {
    let judgement: Judgement
    let gathered: Gathering.Result
    let stage: Int?
    let now: UTCTime

    init(judgement: Judgement, gathered: Gathering.Result, stage: Int?, at now: UTCTime) {
        self.judgement = judgement
        self.gathered = gathered
        self.stage = stage
        self.now = now
    }

    var json: JSON {
        var fields: JSONObject = [
            "at": .integer(now.seconds), "verdict": .string(judgement.verdict.word),
            "reason": .string(judgement.text), "arms": arms,
            "tests": .array(judgement.results.map(Self.json)),
            "blind_spots": .array(judgement.blindSpots.map(Self.json)),
            "coverage": Self.json(judgement.coverage),
            "segments": .array(
                judgement.findings.map { finding in
                    [
                        "segment": .string(finding.segment.description),
                        "action": .string(finding.action.rawValue),
                        "reason": .string(finding.reason.text),
                    ]
                }),
            "not_counting_yet": .integer(Int64(gathered.inBurnIn)),
        ]
        fields["stage"] = stage.map { .integer(Int64($0)) }
        fields["facts"] = facts
        fields["score"] = judgement.score?.total.map { .integer(Int64($0)) }
        return .object(fields)
    }

    /// The five facts behind the sentence; without a test that spoke, only what is exposed.
    private var facts: JSON {
        let exposure = judgement.reason.exposure
        var fields: JSONObject = [
            "exposed": [
                "devices": .integer(Int64(exposure.devices)), "turns": .integer(exposure.turns),
            ]
        ]
        if let facts = judgement.reason.facts {
            fields["test"] = Self.json(facts.result)
            let odds = facts.result.chance > 0 ? 1 / facts.result.chance : .infinity
            fields["one_in"] = .integer(Int64(min(odds, 1e9)))
            fields["moved"] = .array(facts.moved.map(Self.json))
        }
        return .object(fields)
    }

    private var arms: JSON {
        var arms: JSONObject = [:]
        for arm in [Arm.treated, .control] {
            let samples = gathered.evidence.samples.filter { $0.arm == arm }
            let turns = samples.reduce(0) { $0 + $1.counters.turns }
            arms[arm.rawValue] = [
                "devices": .integer(Int64(samples.count)),
                "exposed": .integer(Int64(samples.count { $0.exposedAt != nil })),
                "went_back": .integer(Int64(samples.count { $0.wentBack })),
                "turns": .integer(turns),
            ]
        }
        return .object(arms)
    }

    private static func json(_ moved: MovedDevice) -> JSON {
        var fields: JSONObject = ["device": .string(moved.device.description)]
        switch moved.figure {
        case .ratio(let ratio): fields["ratio"] = thousandths(ratio)
        case .events(let events, let turns):
            fields["events"] = .integer(events)
            fields["turns"] = .integer(turns)
        case .milliseconds(let value): fields["ms"] = .integer(Int64(min(9e15, value)))
        case .bad: break
        }
        return .object(fields)
    }

    private static func json(_ result: TestResult) -> JSON {
        var fields: JSONObject = ["metric": .string(result.rule.metric.rawValue)]
        fields["segment"] = result.segment.map { .string($0.description) }
        switch result.measurement {
        case .noData(let shortage):
            fields["state"] = "no_data"
            fields["shortage"] = .string(shortage.text)
        case .estimate(let estimate):
            fields["state"] = "estimate"
            fields["ratio"] = thousandths(estimate.ratio)
            fields["limit"] = thousandths(estimate.limit)
            fields["accepted"] = thousandths(estimate.accepted)
            fields["treated_devices"] = .integer(Int64(estimate.treatedDevices))
            fields["control_devices"] = .integer(Int64(estimate.controlDevices))
            fields["paired"] = .bool(estimate.isPaired)
            let range = estimate.range(at: result.level)
            fields["range"] = [
                "low": thousandths(range.lower), "high": thousandths(range.upper),
            ]
            fields["worse_rate"] = estimate.rates.map { thousandths($0.worse) }
            fields["better_rate"] = estimate.rates.map { thousandths($0.better) }
        case .count(let count):
            fields["state"] = "count"
            fields["bad"] = .integer(Int64(count.bad))
            fields["devices"] = .integer(Int64(count.devices))
            fields["control_devices"] = count.controlDevices.map { .integer(Int64($0)) }
            fields["excused"] = thousandths(count.excusedShare)
            fields["ln_e"] = thousandths(count.logE)
        }
        return .object(fields)
    }

    private static func json(_ spot: BlindSpot) -> JSON {
        var fields: JSONObject = [
            "metric": .string(spot.metric.rawValue), "required": thousandths(spot.required),
            "small_enough": .bool(spot.isSmallEnough),
        ]
        fields["seen"] = spot.seen.map(thousandths)
        return .object(fields)
    }

    private static func json(_ coverage: Coverage) -> JSON {
        [
            "exposed": .integer(Int64(coverage.exposed)),
            "reporting": .integer(Int64(coverage.reporting)),
            "control_exposed": .integer(Int64(coverage.controlExposed)),
            "control_reporting": .integer(Int64(coverage.controlReporting)),
        ]
    }

    /// A number in thousandths, held within what JSON carries; what is not a number is none.
    private static func thousandths(_ value: Double) -> JSON {
        guard value.isFinite else { return .null }
        return .integer(Int64(max(-9e15, min(9e15, (value * 1_000).rounded()))))
    }
}
