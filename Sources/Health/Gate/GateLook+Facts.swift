private import Glibc
import Primitives
import Telemetry

extension GateLook {
    func facts(_ result: TestResult, _ rows: [Int]? = nil) -> FiveFacts {
        let rows = rows ?? allRows
        let inside = result.segment.map { segment in
            rows.filter { segment.contains(panel.samples[$0]) }
        }
        return FiveFacts(
            result: result, moved: moved(result, inside ?? rows), exposure: exposure(rows))
    }

    func exposure(_ rows: [Int]) -> Exposure {
        let treated = rows.filter { panel.isTreated[$0] && panel.samples[$0].exposedAt != nil }
        let turns = treated.reduce(0) { $0 + panel.samples[$1].counters.turns }
        return Exposure(devices: evidence.exposedDevices ?? treated.count, turns: turns)
    }

    func coverage(_ rows: [Int]) -> Coverage {
        var due = (treated: 0, control: 0)
        var reporting = due
        for row in rows {
            guard let isSilent = panel.samples[row].isSilent(parameters, at: evidence.now) else {
                continue
            }
            if panel.isTreated[row] {
                due.treated += 1
                reporting.treated += isSilent ? 0 : 1
            } else {
                due.control += 1
                reporting.control += isSilent ? 0 : 1
            }
        }
        return Coverage(
            exposed: due.treated, reporting: reporting.treated, controlExposed: due.control,
            controlReporting: reporting.control, silent: silent(rows))
    }

    /// Control devices that were heard in this stage.
    func controlReporting(_ rows: [Int]) -> Int {
        rows.count { !panel.isTreated[$0] && panel.samples[$0].exposedAt != nil }
    }

    func blindSpots(_ results: [TestResult]) -> [BlindSpot] {
        guard evidence.control == .concurrent else { return [] }
        return evidence.requirements.blindSpots.sorted { $0.key.rawValue < $1.key.rawValue }.map {
            metric, required in
            let result = results.first { $0.rule.metric == metric }
            return BlindSpot(metric: metric, seen: result?.blindSpot, required: required)
        }
    }

    /// Without control: a broken absolute limit rolls back.
    func absoluteAlarm(_ rows: [Int], _ shown: FiveFacts?) -> (Verdict, Reason)? {
        absoluteFindings(rows).first { $0.state == .broken }
            .map { (.rollback, .absolute($0, shown, exposure(rows))) }
    }

    /// Without control: a limit that is not shown to be kept.
    func absoluteOpen(_ rows: [Int]) -> AbsoluteFinding? {
        absoluteFindings(rows).first { $0.state != .kept }
    }

    private func absoluteFindings(_ rows: [Int]) -> [AbsoluteFinding] {
        let treated = rows.filter { panel.isTreated[$0] && panel.isCompared[$0] }
        let level = level(parameters.alpha, isFleet: true)
        var findings: [AbsoluteFinding] = []
        if let limit = parameters.absolute.p95Milliseconds {
            let clock = parameters.rules.first { $0.metric == .latencyP95 }?.clock ?? .latency
            let durations = durations(clock, treated)
            findings.append(
                .mean(
                    .latencyP95, logs: durations.map(\.ln), limit: limit, prior: log(1.3),
                    level: level, least: parameters.minTreated))
            findings[0].highest = slowest(durations)
        }
        if let limit = parameters.absolute.errorShare {
            let rates = treated.map { panel.samples[$0].counters }.filter { $0.turns > 0 }.map {
                counters in
                let turns = Double(counters.turns)
                return (weight: weight(turns), rate: Double(counters.errors) / turns)
            }
            var finding = AbsoluteFinding.share(
                .errors, rates: rates, limit: limit, level: level, least: parameters.minTreated,
                leastWeight: parameters.minWeight)
            finding.highest = events(.errors, above: limit, treated)
            findings.append(finding)
        }
        for index in findings.indices { findings[index].chance = parameters.alpha }
        return findings
    }
}
