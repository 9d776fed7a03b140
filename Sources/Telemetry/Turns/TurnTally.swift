package import Primitives

/// Turns in sum: counters, both clocks as histograms, time by part, peak memory and words; all that a report says of
/// turns.
///
/// Merging is associative and commutative.
package struct TurnTally: Sendable, Hashable {
    package var counters = TurnCounters()
    package var latency = ExponentialHistogram()
    package var cpu = ExponentialHistogram()
    /// Microseconds spent in each part by all turns that timed it.
    package var parts: [LatencyPart: Int64] = [:]
    /// The most memory that the model's process held, in KiB, of the turns that said it.
    package var memoryPeakKiB: Int64?
    /// Sums that stay on the device: a report has the rate alone.
    package var words = WordCount()

    package init() {}

    package mutating func record(_ turn: TurnRecord) {
        counters.count(turn)
        if let milliseconds = turn.milliseconds(.latency) { latency.record(milliseconds) }
        if let milliseconds = turn.milliseconds(.cpu) { cpu.record(milliseconds) }
        parts.merge(turn.parts, uniquingKeysWith: Self.sum)
        memoryPeakKiB = Self.most(memoryPeakKiB, turn.memoryKiB)
        if let own = turn.words { words = words + own }
    }

    package mutating func merge(_ other: TurnTally) {
        counters = counters + other.counters
        latency.merge(other.latency)
        cpu.merge(other.cpu)
        parts.merge(other.parts, uniquingKeysWith: Self.sum)
        memoryPeakKiB = Self.most(memoryPeakKiB, other.memoryPeakKiB)
        words = words + other.words
    }

    package func histogram(_ clock: TurnClock) -> ExponentialHistogram {
        switch clock {
        case .latency: latency
        case .cpu: cpu
        }
    }

    /// The fields that a report holds; empty histograms and parts are left out.
    package var fields: JSONObject {
        var fields: JSONObject = ["counters": counters.json]
        for clock in TurnClock.allCases where !histogram(clock).isEmpty {
            fields[clock.rawValue] = .string(histogram(clock).wireHex)
        }
        fields["memory_peak_kib"] = memoryPeakKiB.map { .integer($0) }
        guard !parts.isEmpty else { return fields }
        fields["parts_us"] = .object(
            JSONObject(parts.map { ($0.key.rawValue, .integer($0.value)) }))
        return fields
    }

    /// The fields that the agent's journal holds.
    package var journalFields: JSONObject {
        var fields = fields
        if words != WordCount() { fields["words"] = words.json }
        return fields
    }

    /// Reads what `journalFields` wrote; the caller refuses unknown fields of its own.
    package init(journal fields: inout Fields) throws(FieldError) {
        try self.init(reading: &fields)
        guard var inner = try fields.optionalFields("words") else { return }
        words = try WordCount(journal: &inner)
    }

    /// Reads a report's tally; `strict` refuses unknown fields of inner objects, the caller refuses its own.
    package init(reading fields: inout Fields, strict: Bool = true) throws(FieldError) {
        var inner = try fields.fields("counters")
        counters = try TurnCounters(reading: &inner)
        if strict { try inner.refuseUnknown() }
        latency = try Self.histogram("latency_ms", of: &fields)
        cpu = try Self.histogram("cpu_ms", of: &fields)
        memoryPeakKiB = try fields.optionalInteger(
            "memory_peak_kib", in: 0...TurnRecord.memoryLimitKiB)
        guard var times = try fields.optionalFields("parts_us") else { return }
        for part in LatencyPart.allCases {
            parts[part] = try times.optionalInteger(part.rawValue, in: 0...Int64.max)
        }
        if strict { try times.refuseUnknown() }
    }

    private static func histogram(
        _ key: String, of fields: inout Fields
    ) throws(FieldError) -> ExponentialHistogram {
        guard let text = try fields.optionalString(key) else { return ExponentialHistogram() }
        do {
            return try ExponentialHistogram(wireHex: text)
        } catch {
            throw FieldError(
                path: fields.path(of: key), expected: "a histogram in hexadecimal",
                found: "another: \(error)")
        }
    }

    private static func most(_ one: Int64?, _ other: Int64?) -> Int64? {
        [one, other].compactMap(\.self).max()
    }

    private static func sum(_ one: Int64, _ other: Int64) -> Int64 {
        let (sum, over) = one.addingReportingOverflow(other)
        return over ? .max : sum
    }
}
