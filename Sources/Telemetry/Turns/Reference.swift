package import Primitives

/// A device's own figures from before a swap, which probation and the gate compare with.
///
/// Logarithms are natural, of milliseconds, in thousandths.
package struct Reference: Sendable, Hashable {
    /// The version it was measured on.
    package let version: SemanticVersion
    package let counters: TurnCounters
    /// Medians by clock, where that clock has values.
    package let logP50: [TurnClock: Int64]
    /// 95th percentiles by clock.
    package let logP95: [TurnClock: Int64]
    /// The most memory the model's process held, in KiB.
    package let memoryPeakKiB: Int64?
    /// Word error proxy in thousandths.
    package let werThousandths: Int64?

    package var turns: Int64 { counters.turns }

    /// From the turns of one version; nil below `leastTurns` (the watch asks for 30, the gate for 20).
    package init?(version: SemanticVersion, tally: TurnTally, leastTurns: Int64) {
        guard tally.counters.turns >= max(1, leastTurns) else { return nil }
        self.version = version
        counters = tally.counters
        logP50 = Self.logarithms(of: tally, at: 0.5)
        logP95 = Self.logarithms(of: tally, at: 0.95)
        memoryPeakKiB = tally.memoryPeakKiB
        werThousandths = tally.words.thousandths
    }

    /// The median by one clock as a natural logarithm of milliseconds.
    package func lnP50(_ clock: TurnClock) -> Double? { logP50[clock].map { Double($0) / 1_000 } }

    /// The 95th percentile by one clock as a natural logarithm of milliseconds.
    package func lnP95(_ clock: TurnClock) -> Double? { logP95[clock].map { Double($0) / 1_000 } }

    package var json: JSON {
        var fields: JSONObject = [
            "version": .string(version.description), "counters": counters.json,
        ]
        for clock in TurnClock.allCases {
            fields["ln_p50_\(clock.rawValue)"] = logP50[clock].map { .integer($0) }
            fields["ln_p95_\(clock.rawValue)"] = logP95[clock].map { .integer($0) }
        }
        fields["memory_peak_kib"] = memoryPeakKiB.map { .integer($0) }
        fields["wer"] = werThousandths.map { .integer($0) }
        return .object(fields)
    }

    /// Reads a reference; `strict` refuses unknown fields.
    package init(reading fields: inout Fields, strict: Bool = true) throws(FieldError) {
        version = try fields.parse("version", SemanticVersion.expected, SemanticVersion.init)
        var inner = try fields.fields("counters")
        counters = try TurnCounters(reading: &inner)
        if strict { try inner.refuseUnknown() }
        var medians: [TurnClock: Int64] = [:]
        var tails: [TurnClock: Int64] = [:]
        for clock in TurnClock.allCases {
            let range: ClosedRange<Int64> = 0...25_000
            medians[clock] = try fields.optionalInteger("ln_p50_\(clock.rawValue)", in: range)
            tails[clock] = try fields.optionalInteger("ln_p95_\(clock.rawValue)", in: range)
        }
        logP50 = medians
        logP95 = tails
        memoryPeakKiB = try fields.optionalInteger("memory_peak_kib", in: 0...(1 << 40))
        werThousandths = try fields.optionalInteger("wer", in: 0...100_000)
        if strict { try fields.refuseUnknown() }
    }

    private static func logarithms(of tally: TurnTally, at quantile: Double) -> [TurnClock: Int64] {
        var logarithms: [TurnClock: Int64] = [:]
        for clock in TurnClock.allCases {
            logarithms[clock] = tally.histogram(clock).logQuantile(quantile)
                .map { Int64(($0 * 1_000).rounded()) }
        }
        return logarithms
    }
}
