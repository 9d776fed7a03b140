/// The two groups that the gate compares: devices with the candidate, and those that stay on the baseline.
package enum Arm: String, Sendable, Hashable, CaseIterable {
    case treated
    case control
}

/// Which of a turn's two durations judges a release.
package enum TurnClock: String, Sendable, Hashable, CaseIterable {
    /// Wall time, as the user felt it.
    case latency = "latency_ms"
    /// Time on the processor, which other load on the device moves little.
    case cpu = "cpu_ms"
}
