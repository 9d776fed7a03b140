package import Primitives

/// The parts of a turn's latency that an application may time, as the latency budget names them.
package enum LatencyPart: String, Sendable, Hashable, CaseIterable {
    case capture
    case inference
    case postProcessing = "post_processing"
    case transport
}

/// One turn as the voice application records it through the agent's socket.
///
/// Example: `{"latency_us":412000,"cpu_us":15300,"confidence":921,"escalated":false}`.
/// Absent durations are not zero: such a turn counts, but no clock sees it.
package struct TurnRecord: Sendable, Hashable {
    /// A day: what a duration may be at most.
    package static let durationLimit: Int64 = 86_400_000_000
    /// A pebibyte: what a process's memory may be at most.
    package static let memoryLimitKiB: Int64 = 1 << 40

    /// Wall time in microseconds, as the user felt it.
    package var latencyMicroseconds: Int64?
    /// Time on the processor in microseconds.
    package var cpuMicroseconds: Int64?
    /// In thousandths, 0 to 1,000.
    package var confidence: Int64?
    package var escalated = false
    package var error = false
    package var falseAccept = false
    package var abandoned = false
    /// The user said it again.
    package var retried = false
    package var locale: AttributeName?
    /// Memory of the model's process in KiB at this turn, or the most it has held with this version.
    package var memoryKiB: Int64?
    package var words: WordCount?
    /// In microseconds each.
    package var parts: [LatencyPart: Int64] = [:]

    package init(latencyMicroseconds: Int64? = nil, cpuMicroseconds: Int64? = nil) {
        self.latencyMicroseconds = latencyMicroseconds
        self.cpuMicroseconds = cpuMicroseconds
    }

    /// The duration by one clock in milliseconds.
    package func milliseconds(_ clock: TurnClock) -> Double? {
        let microseconds =
            switch clock {
            case .latency: latencyMicroseconds
            case .cpu: cpuMicroseconds
            }
        return microseconds.map { Double($0) / 1_000 }
    }

    /// Reads the fields of a turn; the caller refuses unknown ones, because it has fields of its own there.
    package init(reading fields: inout Fields) throws(FieldError) {
        let durations = 0...Self.durationLimit
        latencyMicroseconds = try fields.optionalInteger("latency_us", in: durations)
        cpuMicroseconds = try fields.optionalInteger("cpu_us", in: durations)
        confidence = try fields.optionalInteger("confidence", in: 0...1_000)
        escalated = try fields.optionalBool("escalated") ?? false
        error = try fields.optionalBool("error") ?? false
        falseAccept = try fields.optionalBool("false_accept") ?? false
        abandoned = try fields.optionalBool("abandoned") ?? false
        retried = try fields.optionalBool("retried") ?? false
        locale = try fields.optionalParse("locale", AttributeName.expected, AttributeName.init)
        memoryKiB = try fields.optionalInteger("memory_kib", in: 1...Self.memoryLimitKiB)
        if var inner = try fields.optionalFields("word_errors") {
            words = try WordCount(turn: &inner)
        }
        guard var inner = try fields.optionalFields("parts_us") else { return }
        for part in LatencyPart.allCases {
            parts[part] = try inner.optionalInteger(part.rawValue, in: durations)
        }
        try inner.refuseUnknown()
    }
}
