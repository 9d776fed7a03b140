private import Glibc

/// Accuracy, latency and resources of the candidate in one figure each, for people to see; it decides nothing.
///
/// 100 is as good as control or better, 0 is at a limit or beyond it, on the logarithmic scale between.
package struct CompositeScore: Sendable, Hashable {
    /// From errors, false positives and the word error proxy; nil without data.
    package let accuracy: Int?
    package let latency: Int?
    /// From processor time and memory per turn.
    package let resources: Int?

    /// The mean of what there is.
    package var total: Int? {
        let parts = [accuracy, latency, resources].compactMap(\.self)
        return parts.isEmpty ? nil : parts.reduce(0, +) / parts.count
    }

    /// Nil where no test has an estimate.
    package init?(_ results: [TestResult]) {
        accuracy = Self.score(results, [.errors, .falsePositives, .werProxy])
        latency = Self.score(results, [.latencyP95])
        resources = Self.score(results, [.cpuPerTurn, .memoryPerTurn])
        guard total != nil else { return nil }
    }

    private static func score(_ results: [TestResult], _ metrics: Set<GateMetric>) -> Int? {
        let scores = results.compactMap { result -> Double? in
            guard metrics.contains(result.rule.metric),
                case .estimate(let estimate) = result.measurement, estimate.limit > 1
            else { return nil }
            guard estimate.ratio > 0 else { return 100 }
            return 100 * (1 - min(1, max(0, log(estimate.ratio) / log(estimate.limit))))
        }
        return scores.min().map { Int($0.rounded()) }
    }
}
