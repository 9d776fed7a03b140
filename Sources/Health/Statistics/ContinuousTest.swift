private import Glibc

/// Test A: a continuous figure of each device, against its own reference, by strata.
///
/// With one cohort it is `d = mean T - mean C`. With several, the slope and the pooled variance come from
/// deviations within cohort and arm, and the effect is the mean of the cohorts' effects weighted by
/// 1/se^2: cohorts without both arms add nothing to it, and no device mix can imitate an effect.
struct ContinuousTest {
    let panel: Panel
    let columns: Panel.Continuous
    let parameters: GateParameters
    let rule: MetricRule

    /// The least variance: the histogram cannot tell devices apart better than by about 0.1%.
    private static let leastVariance = 1e-6

    /// Sums over the devices of one cohort and arm.
    private struct Cell {
        var count = 0.0
        var sum = 0.0
        var referenceSum = 0.0
        var squares = 0.0
        var mean: Double { sum / count }
        var referenceMean: Double { referenceSum / count }
    }

    func evaluate(_ rows: [Int]) -> Measurement {
        let usable = rows.filter { !columns.value[$0].isNaN }
        let paired = usable.filter { !columns.reference[$0].isNaN }
        let isPaired = isEnough(paired) || !parameters.unpairedFallback
        let chosen = isPaired ? paired : usable
        guard isEnough(chosen) else {
            let treated = chosen.count { panel.isTreated[$0] }
            return .noData(.devices(treated: treated, control: chosen.count - treated))
        }
        let slope = isPaired ? slope(chosen) : 0
        return compare(chosen, slope: slope, isPaired: isPaired)
    }

    /// Whether strata with both arms hold the devices that the test needs.
    private func isEnough(_ rows: [Int]) -> Bool {
        let cells = cells(rows, slope: 0)
        var treated = 0.0
        var control = 0.0
        for stratum in panel.cohorts.indices {
            let (one, other) = (cells[2 * stratum], cells[2 * stratum + 1])
            guard one.count > 0, other.count > 0 else { continue }
            treated += one.count
            control += other.count
        }
        return treated >= Double(max(1, parameters.minTreated))
            && control >= Double(max(1, parameters.minControl)) && treated + control > 2
    }

    /// beta: how much of a device's reference carries over, 0 to 1.
    private func slope(_ rows: [Int]) -> Double {
        let cells = cells(rows, slope: 0)
        var cross = 0.0
        var squares = 0.0
        for row in rows {
            let cell = cells[index(row)]
            let deviation = columns.reference[row] - cell.referenceMean
            cross += deviation * (columns.value[row] - cell.mean)
            squares += deviation * deviation
        }
        return squares > 0 ? min(1, max(0, cross / squares)) : 1
    }

    private func compare(_ rows: [Int], slope: Double, isPaired: Bool) -> Measurement {
        let cells = cells(rows, slope: slope)
        let degrees = cells.reduce(0) { $0 + max(0, $1.count - 1) }
        let pooled = cells.reduce(0) { $0 + $1.squares } / max(1, degrees)
        var information = 0.0
        var effects = 0.0
        var devices = (treated: 0.0, control: 0.0)
        for stratum in panel.cohorts.indices {
            let (treated, control) = (cells[2 * stratum], cells[2 * stratum + 1])
            guard treated.count > 0, control.count > 0 else { continue }
            let variance =
                variance(treated, pooled) / treated.count + variance(control, pooled)
                / control.count
            information += 1 / variance
            effects += (treated.mean - control.mean) / variance
            devices = (devices.treated + treated.count, devices.control + control.count)
        }
        let sign: Double = rule.direction == .lowerIsWorse ? -1 : 1
        let inflation =
            parameters.inflatesSmallSamples ? Boundary.inflation(degrees: max(1, degrees)) : 1
        let effect = sign * effects / information
        return .estimate(
            estimate(
                effect, inflation / sqrt(information), Int(devices.treated), Int(devices.control),
                isPaired: isPaired))
    }

    private func estimate(
        _ effect: Double, _ error: Double, _ treated: Int, _ control: Int, isPaired: Bool
    ) -> Estimate {
        let prior = log(rule.limit / rule.accepted)
        return Estimate(
            treatedDevices: treated, controlDevices: control,
            effect: effect - log(rule.accepted), standardError: error,
            x: prior * prior / (error * error), ratio: exp(effect), limit: rule.limit,
            accepted: rule.accepted, isPaired: isPaired, isLower: rule.direction == .lowerIsWorse,
            rates: nil)
    }

    /// A cell's own variance, pulled towards the pooled one by `pseudoDevices` of it.
    private func variance(_ cell: Cell, _ pooled: Double) -> Double {
        let n0 = parameters.pseudoDevices
        let borrowed = (n0 * pooled + cell.squares) / max(n0 + cell.count - 1, 1)
        return max(borrowed, Self.leastVariance)
    }

    /// Cells by stratum, treated before control, of the values less `slope` times the reference.
    private func cells(_ rows: [Int], slope: Double) -> [Cell] {
        var cells = [Cell](repeating: Cell(), count: 2 * panel.cohorts.count)
        for row in rows {
            cells[index(row)].count += 1
            cells[index(row)].sum += adjusted(row, slope)
            cells[index(row)].referenceSum += columns.reference[row]
        }
        for row in rows {
            let deviation = adjusted(row, slope) - cells[index(row)].mean
            cells[index(row)].squares += deviation * deviation
        }
        return cells
    }

    private func adjusted(_ row: Int, _ slope: Double) -> Double {
        slope == 0 ? columns.value[row] : columns.value[row] - slope * columns.reference[row]
    }

    private func index(_ row: Int) -> Int {
        2 * panel.stratum[row] + (panel.isTreated[row] ? 0 : 1)
    }
}
