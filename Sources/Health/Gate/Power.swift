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
    /// Turns per hour of 40 devices that stand for the fleet.
    private let usages: [Double]

    package init(
        _ parameters: GateParameters, _ assumptions: PowerAssumptions = PowerAssumptions(),
        segments: Int = 0
    ) {
        self.parameters = parameters
        self.assumptions = assumptions
        self.segments = segments
        usages = Self.usages(assumptions)
    }

    /// The smallest ratio to control that would be stopped.
    ///
    /// - Parameters:
    ///   - rule: a rule of test A (durations) or B.
    ///   - treated: devices with the candidate.
    ///   - control: devices without it.
    ///   - hours: since the stage began; burn-in, also that of turns, and the wait in the ramp are taken off.
    ///   - isPaired: whether devices bring their references; for test A.
    ///   - arrival: how the treated devices come to the candidate.
    /// - Returns: nil where the test would have no data, and for metrics of test C.
    package func blindSpot(
        _ rule: MetricRule, treated: Int, control: Int, hours: Double, isPaired: Bool = true,
        arrival: Arrival = Arrival()
    ) -> Double? {
        let worse = PowerArm(devices: Double(treated), parts: treatedParts(hours, arrival))
        let better = PowerArm(devices: Double(control), parts: controlParts(hours))
        switch rule.metric.test {
        case .continuous: return continuousBlindSpot(rule, worse, better, isPaired)
        case .rate:
            return assumptions.rates[rule.metric].flatMap {
                rateBlindSpot(rule, $0, worse, better)
            }
        case .once: return nil
        }
    }

    /// The share of the treated devices that have turns which count, so many hours after the stage began.
    package func countingShare(hours: Double, arrival: Arrival = Arrival()) -> Double {
        min(1, PowerArm(devices: 1, parts: treatedParts(hours, arrival)).having(turns: 0).share)
    }

    /// The first whole number of hours after which a worsening of `ratio` would be stopped; nil beyond `limit`.
    package func hours(
        toSee ratio: Double, _ rule: MetricRule, treated: Int, control: Int,
        arrival: Arrival = Arrival(), limit: Int = 336
    ) -> Int? {
        (1...max(1, limit)).first { hours in
            blindSpot(
                rule, treated: treated, control: control, hours: Double(hours), arrival: arrival
            ).map { $0 <= ratio } ?? false
        }
    }

    // MARK: What counts

    private var burnInHours: Double { Double(parameters.burnInSeconds) / 3_600 }

    private func controlParts(_ hours: Double) -> [PowerArm.Part] {
        usages.map {
            PowerArm.Part(share: 1 / Double(usages.count), usage: $0, hours: hours - burnInHours)
        }
    }

    /// Places in a ramp that stand for all.
    private static let rampPlaces = 8

    /// A device counts from the stage's burn-in on, and not before its first turns after its own start are over.
    private func treatedParts(_ hours: Double, _ arrival: Arrival) -> [PowerArm.Part] {
        let places = arrival.rampHours > 0 ? Self.rampPlaces : 1
        let share = arrival.newShare / Double(places * usages.count)
        let new = usages.flatMap { usage in
            (0..<places).map { place in
                let start = arrival.rampHours * (Double(place) + 0.5) / Double(places)
                let from = max(burnInHours, start + Double(parameters.burnInTurns) / usage)
                return PowerArm.Part(share: share, usage: usage, hours: hours - from)
            }
        }
        let formerShare = (1 - arrival.newShare) / Double(usages.count)
        let former = usages.map { usage in
            let rest = Double(parameters.burnInTurns) / usage - arrival.formerHours
            return PowerArm.Part(
                share: formerShare, usage: usage, hours: hours - max(burnInHours, rest))
        }
        return new + former
    }

    private var level: Double {
        let part = segments == 0 ? 1 : parameters.fleetPart
        return GateParameters.level(
            parameters.alpha * part, tests: parameters.rules.count, stages: parameters.stages)
    }

    private func continuousBlindSpot(
        _ rule: MetricRule, _ treated: PowerArm, _ control: PowerArm, _ isPaired: Bool
    ) -> Double? {
        let least = Double(parameters.minTurns)
        let sides = [treated.having(turns: least), control.having(turns: least)]
        guard sides[0].has(parameters.minTreated), sides[1].has(parameters.minControl) else {
            return nil
        }
        let scatter = scatter(of: rule.metric)
        let variances = sides.map { side in
            side.mean { scatter.ofFigure($0, isPaired, assumptions) } / side.count
        }
        let error = sqrt(variances.reduce(0, +))
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
        /// From one window of three hours to the next: it evens out over the hours.
        var ofWindows = 0.0
        /// Between devices: it counts where there is no reference.
        var ofDevices = 0.0

        /// Of the figure of a device with the turns of a part.
        func ofFigure(
            _ part: PowerArm.Part, _ isPaired: Bool, _ assumed: PowerAssumptions
        ) -> Double {
            let compared =
                isPaired
                ? ofTurns / (part.usage * assumed.referenceHours) + ofReference : ofDevices
            return ofTime + ofWindows / max(1, part.hours / 3) + ofTurns / part.turns + compared
        }
    }

    private func scatter(of metric: GateMetric) -> Scatter {
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
                ofTime: square(assumptions.slowDrift), ofWindows: square(assumptions.windowDrift),
                ofDevices: square(assumptions.deviceSpread))
        }
    }

    private func rateBlindSpot(
        _ rule: MetricRule, _ rate: Double, _ treated: PowerArm, _ control: PowerArm
    ) -> Double? {
        let sides = [treated.having(turns: 0), control.having(turns: 0)]
        guard sides[0].has(parameters.minTreated), sides[1].has(parameters.minControl) else {
            return nil
        }
        let weights = sides.map { side in
            side.count
                * side.mean { part in
                    part.turns / (1 + max(0, part.turns - 1) * parameters.correlation)
                }
        }
        let contrast = RateContrast(
            worse: rate, better: rate, worseWeight: weights[0], betterWeight: weights[1],
            worseDispersion: 1, betterDispersion: 1)
        guard contrast.worseWeight >= parameters.minWeight else { return nil }
        let limit = rule.limit(controlRate: rate)
        let k = Boundary.k(x: contrast.x(limit: limit, accepted: rule.accepted), level: level)
        let root = sqrt(rule.accepted * rate) + k * contrast.standardError(rule.accepted)
        return min(root * root, 1) / rate
    }

    /// The middles of 40 equal parts of the log-normal.
    private static func usages(_ assumptions: PowerAssumptions) -> [Double] {
        let spread = assumptions.usageSpread
        let middle = log(assumptions.turnsPerHour) - spread * spread / 2
        return (0..<40).map { part in
            exp(middle + spread * normalQuantile((Double(part) + 0.5) / 40))
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
