/// What a gate can look at; the words that policies, reports and verdicts use.
package enum Metric: String, Sendable, CaseIterable, Comparable {
    case abandonment
    case attemptsFailed = "attempts_failed"
    case cpuPerTurn = "cpu_per_turn"
    case errors
    case escalations
    case falsePositives = "false_positives"
    case jumped
    case latencyP95 = "latency_p95"
    case localRollbacks = "local_rollbacks"
    case memoryPerTurn = "memory_per_turn"
    case silent
    case werProxy = "wer_proxy"

    /// The three tests of `docs/gate.md`.
    package enum Test: String, Sendable {
        /// A: one figure a device, against its own reference.
        case continuous
        /// B: events among turns.
        case rate
        /// C: one yes or no a device.
        case once
    }

    package static let expected =
        "one of " + allCases.map(\.rawValue).joined(separator: ", ")

    package var test: Test {
        switch self {
        case .latencyP95, .werProxy, .cpuPerTurn, .memoryPerTurn: .continuous
        case .errors, .falsePositives, .escalations, .abandonment: .rate
        case .silent, .jumped, .attemptsFailed, .localRollbacks: .once
        }
    }

    package static func < (left: Metric, right: Metric) -> Bool { left.rawValue < right.rawValue }
}
