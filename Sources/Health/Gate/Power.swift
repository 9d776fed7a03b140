private import Glibc

/// What is assumed of a fleet before a stage starts; the defaults are those of the gate's simulations.
package struct PowerAssumptions: Sendable, Hashable {
    /// Mean turns of a device in an hour, and how usage differs between devices (sd of ln).
    package var turnsPerHour = 5.0 / 3
    package var usageSpread = 0.8
    /// How the duration of turns differs on one device (sd of ln).
    package var turnSpread = 0.45
    /// Drift of a device since its reference was taken, and from one window of three hours to the next.
    package var slowDrift = 0.08
    package var windowDrift = 0.10
    /// How p95 differs between devices (sd of ln), for comparisons without reference.
    package var deviceSpread = 0.35
    /// How peak memory differs between devices, and on one device between two windows (sd of ln).
    package var memoryDeviceSpread = 0.15
    package var memorySpread = 0.05
    /// Word errors among the words that are checked, and how the rate differs between devices (sd of ln).
    package var wordErrorRate = 0.10
    package var wordDeviceSpread = 0.30
    /// Words of a turn that are checked.
    package var wordsPerTurn = 3.0
    /// Hours over which the reference was taken.
    package var referenceHours = 168.0
    /// Rates with nothing wrong.
    package var rates: [GateMetric: Double] = [
        .errors: 0.01, .falsePositives: 0.02, .escalations: 0.10, .abandonment: 0.05,
    ]

    package init() {}
}

/// What a stage of a planned size can prove: the smallest worsening it would stop.
package struct Power: Sendable, Hashable {
    package let parameters: GateParameters
    package let assumptions: PowerAssumptions
    /// Segments that share the rest of alpha; with none the fleet has all of it.
    package let segments: Int

    package init(
        _ parameters: GateParameters, _ assumptions: PowerAssumptions = PowerAssumptions(),
        segments: Int = 0
    ) {
        self.parameters = parameters
        self.assumptions = assumptions
        self.segments = segments
    }

    /// The smallest ratio to control that would be stopped.
    ///
    /// - Parameters:
    ///   - rule: a rule of test A (durations) or B.
    ///   - treated: devices with the candidate.
    ///   - control: devices without it.
    ///   - hours: since exposure; burn-in is taken off.
    ///   - isPaired: whether devices bring their references; for test A.
    /// - Returns: nil where the test would have no data, and for metrics of test C.
    package func blindSpot(
        _ rule: MetricRule, treated: Int, control: Int, hours: Double, isPaired: Bool = true
    ) -> Double? {
        let counted = hours - Double(parameters.burnInSeconds) / 3_600
        guard counted > 0 else { return nil }
        switch rule.metric.test {
        case .continuous:
            return continuousBlindSpot(rule, treated, control, counted, isPaired)
        case .rate:
            return assumptions.rates[rule.metric].flatMap {
                rateBlindSpot(rule, $0, treated, control, counted)
            }
        case .once: return nil
        }
    }

    /// The first whole number of hours after which a worsening of `ratio` would be stopped; nil beyond `limit`.
    package func hours(
        toSee ratio: Double, _ rule: MetricRule, treated: Int, control: Int, limit: Int = 336
    ) -> Int? {
        (1...max(1, limit)).first { hours in
            blindSpot(rule, treated: treated, control: control, hours: Double(hours))
                .map { $0 <= ratio } ?? false
        }
    }

    private var level: Double {
        let part = segments == 0 ? 1 : parameters.fleetPart
        return GateParameters.level(
            parameters.alpha * part, tests: parameters.rules.count, stages: parameters.stages)
    }

    private func continuousBlindSpot(
        _ rule: MetricRule, _ treated: Int, _ control: Int, _ hours: Double, _ isPaired: Bool
    ) -> Double? {
        let least = Double(parameters.minTurns)
        let usable = usages.filter { $0 * hours >= least }
        let share = Double(usable.count) / Double(usages.count)
        let counts = (share * Double(treated), share * Double(control))
        guard counts.0 >= Double(parameters.minTreated), counts.1 >= Double(parameters.minControl)
        else { return nil }
        let scatter = scatter(of: rule.metric, hours: hours)
        let noise = usable.map { usage in
            scatter.ofTurns / (usage * hours)
                + (isPaired
                    ? scatter.ofTurns / (usage * assumptions.referenceHours) + scatter.ofReference
                    : scatter.ofDevices)
        }
        let variance = scatter.ofTime + noise.reduce(0, +) / Double(noise.count)
        let error = sqrt(variance * (1 / counts.0 + 1 / counts.1))
        let prior = log(rule.limit / rule.accepted)
        let k = Boundary.k(x: prior * prior / (error * error), level: level)
        return rule.accepted * exp(k * error)
    }

    /// Where a device's figure of test A gets its variance (ln) from.
    private struct Scatter {
        /// Of one turn: a figure from n turns has an nth of it.
        var ofTurns = 0.0
        /// Of the time it is from, whatever the number of turns.
        var ofTime = 0.0
        /// The same of the reference.
        var ofReference = 0.0
        /// Between devices: it counts where there is no reference.
        var ofDevices = 0.0
    }

    private func scatter(of metric: GateMetric, hours: Double) -> Scatter {
        func square(_ value: Double) -> Double { value * value }
        switch metric {
        case .memoryPerTurn:
            // A peak does not get surer with turns.
            return Scatter(
                ofTime: square(assumptions.memorySpread),
                ofReference: square(assumptions.memorySpread),
                ofDevices: square(assumptions.memoryDeviceSpread))
        case .werProxy:
            // ln(rate + offset), by the delta method on a share of so many words.
            let rate = assumptions.wordErrorRate
            let slope = 1 / (rate + WordErrors.offset)
            return Scatter(
                ofTurns: square(slope) * rate * (1 - rate) / assumptions.wordsPerTurn,
                ofDevices: square(assumptions.wordDeviceSpread))
        default:
            // The standard error of a 95th percentile of n normal values is 2.114 sd / sqrt(n).
            return Scatter(
                ofTurns: square(2.114 * assumptions.turnSpread),
                ofTime: square(assumptions.slowDrift)
                    + square(assumptions.windowDrift) / max(1, hours / 3),
                ofDevices: square(assumptions.deviceSpread))
        }
    }

    private func rateBlindSpot(
        _ rule: MetricRule, _ rate: Double, _ treated: Int, _ control: Int, _ hours: Double
    ) -> Double? {
        guard treated >= parameters.minTreated, control >= parameters.minControl else { return nil }
        let weights = usages.map { usage -> Double in
            let turns = max(usage * hours, 1e-3)
            return turns / (1 + max(0, turns - 1) * parameters.correlation)
        }
        let weight = weights.reduce(0, +) / Double(weights.count)
        let contrast = RateContrast(
            worse: rate, better: rate, worseWeight: weight * Double(treated),
            betterWeight: weight * Double(control), worseDispersion: 1, betterDispersion: 1)
        guard contrast.worseWeight >= parameters.minWeight else { return nil }
        let limit = rule.limit(controlRate: rate)
        let k = Boundary.k(x: contrast.x(limit: limit, accepted: rule.accepted), level: level)
        let root = sqrt(rule.accepted * rate) + k * contrast.standardError(rule.accepted)
        return min(root * root, 1) / rate
    }

    /// Turns per hour of 40 devices that stand for the fleet: the middles of 40 equal parts of the log-normal.
    private var usages: [Double] {
        let spread = assumptions.usageSpread
        let middle = log(assumptions.turnsPerHour) - spread * spread / 2
        return (0..<40).map { part in
            exp(middle + spread * Self.normalQuantile((Double(part) + 0.5) / 40))
        }
    }

    /// The standard normal quantile, by bisection of erfc.
    private static func normalQuantile(_ share: Double) -> Double {
        var low = -8.0
        var high = 8.0
        for _ in 0..<50 {
            let middle = (low + high) / 2
            if erfc(-middle / sqrt(2)) / 2 < share { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}
