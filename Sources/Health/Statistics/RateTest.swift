private import Glibc

/// Test B: events among turns, each device weighing at most 1/rho0 turns, by strata.
///
/// With one cohort it is the difference of two roots. With several, each arm's rate is the mean of its cohorts'
/// rates with one set of weights for both arms, `W_T W_C / (W_T + W_C)`, which is 1/se^2 of a cohort's
/// difference of square roots under no change. The roots are taken of the means, not averaged: in a
/// cohort of a few devices a root of 0 events says nothing, and many such would drown an effect.
struct RateTest {
    let panel: Panel
    let columns: Panel.Rate
    let parameters: GateParameters
    let rule: MetricRule

    /// Sums over the devices of one cohort and arm.
    private struct Cell {
        var devices = 0.0
        var weight = 0.0
        var events = 0.0
        var squares = 0.0
        var rate: Double { weight > 0 ? events / weight : 0 }
    }

    /// One arm over all strata that have both.
    private struct Side {
        var devices = 0.0
        var rate = 0.0
        /// Sum of share^2 / weight, whose inverse is the effective weight.
        var inverseWeight = 0.0
        var squares = 0.0
        var expected = 0.0
        var weight: Double { inverseWeight > 0 ? 1 / inverseWeight : 0 }
        /// Squares against those of independent turns; 1 where there are no events.
        var dispersion: Double { expected > 0 ? squares / expected : 1 }
    }

    func evaluate(_ rows: [Int]) -> Measurement {
        var (treated, control) = sides(rows.filter { columns.turns[$0] > 0 })
        let counts = (treated: Int(treated.devices), control: Int(control.devices))
        guard counts.treated >= parameters.minTreated, counts.control >= parameters.minControl
        else { return .noData(.devices(treated: counts.treated, control: counts.control)) }
        guard min(treated.weight, control.weight) >= parameters.minWeight else {
            return .noData(.turns)
        }
        if rule.direction == .lowerIsWorse { swap(&treated, &control) }
        let contrast = contrast(treated, control)
        let limit = rule.limit(controlRate: contrast.better)
        return .estimate(
            Estimate(
                treatedDevices: counts.treated, controlDevices: counts.control,
                effect: contrast.effect(rule.accepted),
                standardError: contrast.standardError(rule.accepted),
                x: contrast.x(limit: limit, accepted: rule.accepted), ratio: contrast.ratio,
                limit: limit, accepted: rule.accepted, isPaired: false,
                isLower: rule.direction == .lowerIsWorse, rates: contrast))
    }

    private func contrast(_ worse: Side, _ better: Side) -> RateContrast {
        let devices = worse.devices + better.devices
        let pooled =
            (worse.devices * worse.dispersion + better.devices * better.dispersion) / devices
        let n0 = parameters.pseudoDevices
        func dispersion(_ side: Side) -> Double {
            max(1, (n0 * pooled + side.devices * side.dispersion) / (n0 + side.devices))
        }
        return RateContrast(
            worse: worse.rate, better: better.rate > 0 ? better.rate : 0.5 / better.weight,
            worseWeight: worse.weight, betterWeight: better.weight,
            worseDispersion: dispersion(worse), betterDispersion: dispersion(better))
    }

    private func sides(_ rows: [Int]) -> (treated: Side, control: Side) {
        let cells = cells(rows)
        let shares = panel.cohorts.indices.map { stratum in
            let (one, other) = (cells[2 * stratum].weight, cells[2 * stratum + 1].weight)
            return one > 0 && other > 0 ? one * other / (one + other) : 0
        }
        let sum = shares.reduce(0, +)
        var sides = (treated: Side(), control: Side())
        for stratum in panel.cohorts.indices where shares[stratum] > 0 {
            add(cells[2 * stratum], share: shares[stratum] / sum, to: &sides.treated)
            add(cells[2 * stratum + 1], share: shares[stratum] / sum, to: &sides.control)
        }
        return sides
    }

    private func add(_ cell: Cell, share: Double, to side: inout Side) {
        side.devices += cell.devices
        side.rate += share * cell.rate
        side.inverseWeight += share * share / cell.weight
        side.squares += cell.squares
        side.expected += cell.rate * (1 - cell.rate) * cell.weight
    }

    private func cells(_ rows: [Int]) -> [Cell] {
        var cells = [Cell](repeating: Cell(), count: 2 * panel.cohorts.count)
        for row in rows {
            let weight = weight(row)
            cells[index(row)].devices += 1
            cells[index(row)].weight += weight
            cells[index(row)].events += weight * columns.events[row] / columns.turns[row]
        }
        for row in rows {
            let weight = weight(row)
            let deviation = columns.events[row] / columns.turns[row] - cells[index(row)].rate
            cells[index(row)].squares += weight * weight * deviation * deviation
        }
        return cells
    }

    private func weight(_ row: Int) -> Double {
        let turns = columns.turns[row]
        return turns / (1 + (turns - 1) * parameters.correlation)
    }

    private func index(_ row: Int) -> Int {
        2 * panel.stratum[row] + (panel.isTreated[row] ? 0 : 1)
    }
}
