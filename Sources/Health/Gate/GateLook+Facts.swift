private import Glibc
import Primitives
import Telemetry

extension GateLook {
    /// Devices named in a reason: those that moved most.
    private static let movedLimit = 3

    func facts(_ result: TestResult, _ rows: [Int]? = nil) -> FiveFacts {
        let rows = rows ?? allRows
        let inside = result.segment.map { segment in
            rows.filter { segment.contains(panel.samples[$0]) }
        }
        return FiveFacts(
            result: result, moved: moved(result.rule, inside ?? rows), exposure: exposure(rows))
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
            controlReporting: reporting.control)
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
            let rule = parameters.rules.first { $0.metric == .latencyP95 }
            let logs = treated.filter {
                panel.samples[$0].counters.turns >= Int64(parameters.minTurns)
            }.compactMap { panel.samples[$0].lnP95[rule?.clock ?? .latency] }
            findings.append(
                .mean(
                    .latencyP95, logs: logs, limit: limit, prior: log(1.3), level: level,
                    least: parameters.minTreated))
        }
        if let limit = parameters.absolute.errorShare {
            let rates = treated.map { panel.samples[$0].counters }.filter { $0.turns > 0 }.map {
                counters -> (weight: Double, rate: Double) in
                let turns = Double(counters.turns)
                let weight = turns / (1 + (turns - 1) * parameters.correlation)
                return (weight, Double(counters.errors) / turns)
            }
            findings.append(
                .share(
                    .errors, rates: rates, limit: limit, level: level, least: parameters.minTreated,
                    leastWeight: parameters.minWeight))
        }
        return findings
    }

    private func moved(_ rule: MetricRule, _ rows: [Int]) -> [MovedDevice] {
        guard rule.metric.test == .continuous || rule.metric == .jumped else { return [] }
        let columns = panel.continuous(rule, parameters)
        let treated = rows.filter { panel.isTreated[$0] && !columns.value[$0].isNaN }
        let control = rows.filter { !panel.isTreated[$0] && !columns.value[$0].isNaN }
        let base =
            control.isEmpty
            ? 0
            : control.reduce(0) { $0 + columns.value[$1] }
                / Double(control.count)
        let moves = treated.map { row in
            let reference = columns.reference[row]
            return MovedDevice(
                device: panel.samples[row].device,
                ratio: exp(columns.value[row] - (reference.isNaN ? base : reference)))
        }
        return Array(moves.sorted { $0.ratio > $1.ratio }.prefix(Self.movedLimit))
    }
}
