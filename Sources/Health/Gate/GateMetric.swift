package import Primitives

/// What a gate can look at, by the names that policies use.
package enum GateMetric: String, Sendable, Hashable, CaseIterable {
    // Test A: one figure a device, against its own reference.
    case latencyP95 = "latency_p95"
    case cpuPerTurn = "cpu_per_turn"
    case memoryPerTurn = "memory_per_turn"
    case werProxy = "wer_proxy"
    // Test B: events among turns.
    case errors
    case falsePositives = "false_positives"
    case escalations
    case abandonment
    // Test C: one yes or no a device.
    case silent
    case jumped
    case localRollbacks = "local_rollbacks"
    case attemptsFailed = "attempts_failed"

    /// The three tests of docs/gate.md.
    package enum Test: Sendable, Hashable {
        case continuous
        case rate
        case once
    }

    package var test: Test {
        switch self {
        case .latencyP95, .cpuPerTurn, .memoryPerTurn, .werProxy: .continuous
        case .errors, .falsePositives, .escalations, .abandonment: .rate
        case .silent, .jumped, .localRollbacks, .attemptsFailed: .once
        }
    }
}

/// Which way is worse.
package enum MetricDirection: String, Sendable, Hashable, CaseIterable {
    case higherIsWorse = "higher_is_worse"
    /// Such as turns per device: the arms change places.
    case lowerIsWorse = "lower_is_worse"
    /// Both ways are looked at, and only ever pause.
    case watch
}

/// One metric that judges, with its limit; for metrics of test C the limits have no meaning.
package struct MetricRule: Sendable, Hashable {
    package var metric: GateMetric
    package var direction: MetricDirection = .higherIsWorse
    /// The allowed ratio to control, above 1.
    package var limit = 1.0
    /// For a rate: the share of turns that is allowed, where that is more than `limit` allows; 0 to 1.
    package var allowedShare: Double?
    /// A known cost as a ratio, at least 1 and below the limit: the null hypothesis.
    package var accepted = 1.0
    /// For `latencyP95`: the duration that is judged.
    package var clock: TurnClock = .latency

    package init(
        _ metric: GateMetric, limit: Double = 1, allowedShare: Double? = nil,
        accepted: Double = 1, direction: MetricDirection = .higherIsWorse,
        clock: TurnClock = .latency
    ) {
        self.metric = metric
        self.direction = direction
        self.limit = limit
        self.allowedShare = allowedShare
        self.accepted = accepted
        self.clock = clock
    }

    /// The allowed ratio, given the rate of control: for errors `max(5%, 1.5 R_C) / R_C`.
    package func limit(controlRate: Double) -> Double {
        guard let allowedShare, controlRate > 0 else { return limit }
        return max(limit, allowedShare / controlRate)
    }

    /// The metrics and limits of docs/formats/policy.md.
    package static let defaults: [MetricRule] = [
        MetricRule(.latencyP95, limit: 1.30),
        MetricRule(.falsePositives, limit: 1.15),
        MetricRule(.errors, limit: 1.5, allowedShare: 0.05),
        MetricRule(.escalations, limit: 1.20),
        MetricRule(.abandonment, limit: 1.20),
        MetricRule(.werProxy, limit: 1.30),
        MetricRule(.cpuPerTurn, limit: 1.5),
        MetricRule(.memoryPerTurn, limit: 1.5),
        MetricRule(.silent),
        MetricRule(.jumped),
        MetricRule(.localRollbacks),
        MetricRule(.attemptsFailed),
    ]
}
