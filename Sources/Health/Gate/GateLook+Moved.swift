private import Glibc
import Primitives
import Telemetry

/// The devices that a reason names: where it shows most.
extension GateLook {
    private static let namedLimit = 3

    /// The treated devices among `rows` that moved the tested metric most.
    func moved(_ result: TestResult, _ rows: [Int]) -> [MovedDevice] {
        let rule = result.rule
        var isLower = false
        var usual = 0.0
        if case .estimate(let estimate) = result.measurement {
            isLower = estimate.isLower
            usual = estimate.rates.map { isLower ? $0.worse : $0.better } ?? 0
        }
        switch rule.metric.test {
        case .continuous: return ratios(rule, rows, isLower: isLower)
        case .rate: return events(rule.metric, above: usual, rows, isLower: isLower)
        case .once:
            let bad = bad(rule, rows)
            guard rule.metric == .jumped else { return named(bad) }
            return ratios(
                MetricRule(.latencyP95, clock: rule.clock),
                bad + rows.filter { !panel.isTreated[$0] }, isLower: false)
        }
    }

    /// Exposed devices that were not heard of by the deadline, those exposed longest first.
    func silent(_ rows: [Int]) -> [DeviceID] {
        named(bad(MetricRule(.silent), rows)).map(\.device)
    }

    /// How much each device's own figure moved, against its reference or else against the mean of control.
    private func ratios(_ rule: MetricRule, _ rows: [Int], isLower: Bool) -> [MovedDevice] {
        let columns = panel.continuous(rule, parameters)
        let known = rows.filter { !columns.value[$0].isNaN }
        let control = known.filter { !panel.isTreated[$0] }
        let sum = control.reduce(0) { $0 + columns.value[$1] }
        let base = control.isEmpty ? 0 : sum / Double(control.count)
        let moves = known.filter { panel.isTreated[$0] }.map { row in
            let reference = columns.reference[row]
            return (row, columns.value[row] - (reference.isNaN ? base : reference))
        }
        let sorted = moves.sorted { isLower ? $0.1 < $1.1 : $0.1 > $1.1 }
        return sorted.prefix(Self.namedLimit).map { row, move in
            MovedDevice(device: panel.samples[row].device, figure: .ratio(exp(move)))
        }
    }

    /// Those that add most to a rate beyond `usual`: by their distance from it and their weight in test B.
    func events(
        _ metric: GateMetric, above usual: Double, _ rows: [Int], isLower: Bool = false
    ) -> [MovedDevice] {
        let columns = panel.rate(metric)
        let parts = rows.filter { panel.isTreated[$0] && columns.turns[$0] > 0 }.map { row in
            let excess = columns.events[row] / columns.turns[row] - usual
            return (row, weight(columns.turns[row]) * (isLower ? -excess : excess))
        }
        let sorted = parts.filter { $0.1 > 0 }.sorted { $0.1 > $1.1 }
        return sorted.prefix(Self.namedLimit).map { row, _ in
            MovedDevice(
                device: panel.samples[row].device,
                figure: .events(Int64(columns.events[row]), turns: Int64(columns.turns[row])))
        }
    }

    /// What a device of so many turns weighs in test B.
    func weight(_ turns: Double) -> Double { turns / (1 + (turns - 1) * parameters.correlation) }

    /// The treated devices with their own 95th percentiles (ln), where they have turns enough.
    func durations(_ clock: TurnClock, _ treated: [Int]) -> [(row: Int, ln: Double)] {
        treated.filter { panel.samples[$0].counters.turns >= Int64(parameters.minTurns) }
            .compactMap { row in panel.samples[row].lnP95[clock].map { (row, $0) } }
    }

    func slowest(_ durations: [(row: Int, ln: Double)]) -> [MovedDevice] {
        durations.sorted { $0.ln > $1.ln }.prefix(Self.namedLimit).map { row, ln in
            MovedDevice(device: panel.samples[row].device, figure: .milliseconds(exp(ln)))
        }
    }

    /// The treated devices that count against a metric of test C, those exposed longest first.
    private func bad(_ rule: MetricRule, _ rows: [Int]) -> [Int] {
        let answers = panel.answers(rule, parameters, at: evidence.now)
        func since(_ row: Int) -> UTCTime {
            panel.samples[row].exposedAt ?? panel.samples[row].attemptAt ?? evidence.now
        }
        return rows.filter { panel.isTreated[$0] && answers[$0] == .bad }
            .sorted { since($0) < since($1) }
    }

    private func named(_ bad: [Int]) -> [MovedDevice] {
        bad.prefix(Self.namedLimit).map {
            MovedDevice(device: panel.samples[$0].device, figure: .bad)
        }
    }
}
