private import Glibc
private import Primitives

extension Judgement {
    /// The verdict with its reason, as one sentence for people.
    package var text: String { "\(verdict.word) \(reason.text)" }
}

extension Verdict {
    /// How a sentence about the verdict begins.
    package var word: String {
        switch self {
        case .promote: "promoted"
        case .promoteUnproven: "promoted unproven"
        case .wait: "waiting"
        case .pause: "paused"
        case .rollback: "rolled back"
        }
    }
}

extension Reason {
    /// The reason as the rest of that sentence; every one ends with what has been exposed.
    package var text: String {
        switch self {
        case .test(let facts): "because \(facts.text)"
        case .untrusted(let cohorts, let facts):
            "because \(facts.text); it is not rolled back by itself: the placebo fires too often in "
                + cohorts.map(\.description).joined(separator: ", ")
        case .noControl(let reporting, let needed, let facts, let exposure):
            "because only \(reporting) control devices report, and a comparison needs \(needed); "
                + nearest(facts, exposure)
        case .coverage(let coverage, let facts, let exposure):
            "because \(coverage.missing) of \(coverage.exposed) updated devices have not reported "
                + "(control: \(coverage.controlExposed - coverage.controlReporting) of "
                + "\(coverage.controlExposed)): \(Wording.list(coverage.silent)); "
                + nearest(facts, exposure)
        case .segments(let segments, let facts):
            "because \(segments.map(\.description).joined(separator: ", ")) "
                + "\(segments.count == 1 ? "fails" : "fail") by \(segments.count == 1 ? "itself" : "themselves"): "
                + facts.text
        case .soaking(let seconds, let facts, let exposure):
            "because the stage lasts another \(Wording.hours(seconds)) at least; "
                + nearest(facts, exposure)
        case .blind(let spots, let seconds, let facts, let exposure):
            "because the stage \(Wording.list(spots))"
                + (seconds > 0 ? ", with \(Wording.hours(seconds)) left" : ", and its time is over")
                + "; " + nearest(facts, exposure)
        case .absolute(let finding, let facts, let exposure):
            "because \(finding.text); \(nearest(facts, exposure))"
        case .proven(let spots, let facts, let exposure):
            "because no test fired"
                + (spots.isEmpty
                    ? "" : " and the stage could have seen enough (\(Wording.list(spots)))")
                + "; \(nearest(facts, exposure))"
        }
    }

    /// The figures of a test that did not speak: the chance in them is that test's, and not the verdict's.
    private func nearest(_ facts: FiveFacts?, _ exposure: Exposure) -> String {
        facts.map { "nearest to a verdict: \($0.text)" }
            ?? "no test has data: no figure to show, nothing to compare with, no chance to state, "
            + "no device to name; \(exposure.text)"
    }
}

extension Shortage {
    /// What is missing, for people.
    package var text: String {
        switch self {
        case .devices(let treated, let control):
            "too few devices with enough turns: \(treated) updated, \(control) control"
        case .turns: "too few turns"
        case .control: "nothing to compare with"
        }
    }
}

extension FiveFacts {
    /// The five facts in their order.
    package var text: String {
        [
            "\(comparison); with no real change, \(Wording.chance(result.chance)) would show this at any time",
            "\(heading): \(Wording.list(moved))", exposure.text,
        ].joined(separator: "; ")
    }

    /// What is said of the devices that are named.
    private var heading: String {
        switch result.rule.metric.test {
        case .continuous: "devices that moved most"
        case .rate: "devices that moved it most"
        case .once: "devices that \(Wording.name(result.rule))"
        }
    }

    private var comparison: String {
        let name = Wording.name(result.rule)
        let place = result.segment.map { " in \($0)" } ?? ""
        switch result.measurement {
        case .noData: return "\(name)\(place) has no data"
        case .count(let evidence):
            let than =
                evidence.controlDevices.map { "from \($0) control devices and windows" }
                ?? "a fixed share"
            return "\(evidence.bad) of \(evidence.devices) updated devices\(place) \(name), where "
                + "\(Wording.percent(evidence.excusedShare)) can be excused (\(than))"
        case .estimate(let estimate): return compare(estimate, name, place)
        }
    }

    private func compare(_ estimate: Estimate, _ name: String, _ place: String) -> String {
        let range = estimate.range(at: result.level)
        let ratio = "\(Wording.times(estimate.ratio))" + (estimate.isLower ? " lower than" : "")
        let moved =
            if let rates = estimate.rates {
                estimate.isLower
                    ? "\(Wording.percent(rates.better)) against \(Wording.percent(rates.worse)), "
                        + "\(Wording.times(estimate.ratio)) lower"
                    : "\(Wording.percent(rates.worse)) against \(Wording.percent(rates.better)), \(ratio)"
            } else if estimate.isPaired {
                estimate.isLower
                    ? "\(ratio) in their own previous week" : "\(ratio) of their own previous week"
            } else {
                estimate.isLower ? "\(ratio) the others'" : "\(ratio) of the others'"
            }
        let accepted =
            estimate.accepted > 1 ? ", accepted \(Wording.times(estimate.accepted))" : ""
        return
            "\(name) on \(estimate.treatedDevices) updated devices\(place) is \(moved), compared "
            + "with \(estimate.controlDevices) devices on the old release (range "
            + "\(Wording.times(range.lower))–\(Wording.times(range.upper)), allowed "
            + "\(Wording.times(estimate.limit))\(accepted))"
    }
}

extension Exposure {
    package var text: String { "exposed so far: \(devices) devices, \(turns) turns" }
}

extension AbsoluteFinding {
    /// The finding in words, with its range and limit.
    package var text: String {
        let isShare = metric == .errors
        func shown(_ value: Double) -> String {
            isShare ? Wording.percent(value) : "\(Wording.decimal(value)) ms"
        }
        let name = isShare ? "error rate" : "p95"
        guard let value, let range else {
            return "\(name) on \(devices) devices has no data, allowed \(shown(limit))"
        }
        let chance =
            state == .broken
            ? "; within the limit, \(Wording.chance(chance)) would show this at any time" : ""
        return "\(name) on \(devices) devices is \(shown(value)) (range \(shown(range.lowerBound))–"
            + "\(shown(range.upperBound)), allowed \(shown(limit)))\(chance); highest on "
            + Wording.list(highest)
    }
}

/// How figures read in a sentence.
private enum Wording {
    static func name(_ rule: MetricRule) -> String {
        switch rule.metric {
        case .latencyP95: rule.clock == .latency ? "p95 latency" : "p95 processor time"
        case .cpuPerTurn: "processor time per turn"
        case .memoryPerTurn: "peak memory"
        case .werProxy: "word error proxy"
        case .errors: "error rate"
        case .falsePositives: "false positive rate"
        case .escalations: "escalation rate"
        case .abandonment: "abandonment rate"
        case .silent: "fell silent after the swap"
        case .jumped: "became much slower than they were"
        case .localRollbacks: "went back by themselves"
        case .attemptsFailed: "failed the attempt"
        }
    }

    /// A ratio; what is beyond all meaning is not spelt out.
    static func times(_ ratio: Double) -> String {
        ratio.isFinite && ratio < 1e3 ? "x\(decimal(ratio))" : "over x1,000"
    }

    /// Two decimals.
    static func decimal(_ value: Double) -> String {
        guard value.isFinite, value < 1e9 else { return "over 1,000,000,000" }
        let hundredths = Int((value * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    static func percent(_ share: Double) -> String { "\(decimal(share * 100))%" }

    static func hours(_ seconds: Int64) -> String {
        seconds < 5_400 ? "\((seconds + 59) / 60) min" : "\((seconds + 3_599) / 3_600) h"
    }

    /// `fewer than 1 rollout in 170,000`: two digits, rounded down, so that it promises nothing too much.
    static func chance(_ chance: Double) -> String {
        guard chance > 0 else { return "fewer than 1 rollout in 1,000,000,000" }
        let odds = min(1 / chance, 1e9)
        guard odds >= 10 else { return "about \(percent(chance)) of rollouts" }
        let unit = pow(10, (log10(odds) + 1e-9).rounded(.down) - 1)
        return "fewer than 1 rollout in \(grouped(Int((odds / unit + 1e-9).rounded(.down) * unit)))"
    }

    /// Devices by the beginnings of their ids, with what there is to say of each.
    static func list(_ devices: [MovedDevice]) -> String {
        let names = devices.map { moved in
            let device = short(moved.device)
            return switch moved.figure {
            case .ratio(let ratio): "\(device) \(times(ratio))"
            case .events(let events, let turns): "\(device) \(events) of \(turns) turns"
            case .milliseconds(let value): "\(device) \(decimal(value)) ms"
            case .bad: device
            }
        }
        return names.isEmpty ? "none" : names.joined(separator: ", ")
    }

    static func list(_ devices: [DeviceID]) -> String {
        devices.map(short).joined(separator: ", ")
    }

    private static func short(_ device: DeviceID) -> String {
        String(device.description.prefix(8))
    }

    static func list(_ spots: [BlindSpot]) -> String {
        spots.map { spot in
            let isShare = spot.metric.test == .rate
            func shown(_ value: Double) -> String {
                isShare ? percent(value) : times(value)
            }
            let seen = spot.seen.map {
                "cannot see \(name(MetricRule(spot.metric))) below \(shown($0))"
            }
            return "\(seen ?? "has no data on \(name(MetricRule(spot.metric)))"), "
                + "required \(shown(spot.required))"
        }.joined(separator: "; ")
    }

    private static func grouped(_ number: Int) -> String {
        var digits = Array(String(number))
        for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
        return String(digits)
    }
}
