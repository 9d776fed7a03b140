private import Glibc

/// The candidate's own figure against a limit that needs no control: a p95 in milliseconds, or a share of failed turns.
package struct AbsoluteFinding: Sendable, Hashable {
    package enum State: Sendable, Hashable {
        case noData
        /// The whole range is above the limit.
        case broken
        /// The whole range is below it.
        case kept
        case open
    }

    package let metric: GateMetric
    package let limit: Double
    package let devices: Int
    /// Nil without data.
    package let value: Double?
    package let range: ClosedRange<Double>?
    /// The share of rollouts within the limit in which such a finding would ever be broken: at most alpha.
    package var chance = 1.0
    /// The devices with the highest figures, at most three.
    package var highest: [MovedDevice] = []

    package var state: State {
        guard let range else { return .noData }
        return range.lowerBound > limit ? .broken : range.upperBound <= limit ? .kept : .open
    }

    /// The mean of `logs` over devices against `limit`; nil values below `least` devices.
    ///
    /// The variance is the sample's own, so the error is widened by `1 + 5/(n-1)`.
    static func mean(
        _ metric: GateMetric, logs: [Double], limit: Double, prior: Double, level: Double,
        least: Int
    ) -> AbsoluteFinding {
        let count = Double(logs.count)
        guard logs.count >= max(2, least) else {
            return AbsoluteFinding(
                metric: metric, limit: limit, devices: logs.count, value: nil, range: nil)
        }
        let mean = logs.reduce(0, +) / count
        let squares = logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let error = max(sqrt(squares / (count - 1) / count), 1e-3) * (1 + 5 / (count - 1))
        let width = Boundary.k(x: prior * prior / (error * error), level: level) * error
        return AbsoluteFinding(
            metric: metric, limit: limit, devices: logs.count, value: exp(mean),
            range: exp(mean - width)...exp(mean + width))
    }

    /// The share of failed turns over devices, on the scale of square roots.
    static func share(
        _ metric: GateMetric, rates: [(weight: Double, rate: Double)], limit: Double,
        level: Double, least: Int, leastWeight: Double
    ) -> AbsoluteFinding {
        let weight = rates.reduce(0) { $0 + $1.weight }
        guard rates.count >= max(1, least), weight >= leastWeight else {
            return AbsoluteFinding(
                metric: metric, limit: limit, devices: rates.count, value: nil, range: nil)
        }
        let mean = rates.reduce(0) { $0 + $1.weight * $1.rate } / weight
        let squares = rates.reduce(0) {
            $0 + $1.weight * $1.weight * ($1.rate - mean) * ($1.rate - mean)
        }
        let dispersion = mean > 0 && mean < 1 ? max(1, squares / (mean * (1 - mean) * weight)) : 1
        let error = sqrt(dispersion * (1 - min(max(mean, limit), 0.9)) / (4 * weight))
        let prior = sqrt(limit) * (sqrt(1.5) - 1)
        let width = Boundary.k(x: prior * prior / (error * error), level: level) * error
        let low = max(0, sqrt(mean) - width)
        let high = min(1, sqrt(mean) + width)
        return AbsoluteFinding(
            metric: metric, limit: limit, devices: rates.count, value: mean,
            range: low * low...high * high)
    }
}
