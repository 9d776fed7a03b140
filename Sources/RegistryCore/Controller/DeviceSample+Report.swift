import Glibc
import Health
import Primitives
import Telemetry

extension DeviceSample {
    /// Takes over the figures of a report.
    mutating func take(_ report: Report) {
        counters = report.tally.counters
        for clock in TurnClock.allCases {
            let histogram = report.tally.histogram(clock)
            lnP95[clock] = histogram.isEmpty ? nil : histogram.logQuantile(0.95)
        }
        lnMemory = report.tally.memoryPeakKiB.flatMap(Self.logarithm)
        wordErrorRate = report.wordErrors.map { Double($0.thousandths) / 1_000 }
        reference = report.reference.map(Self.reference)
    }

    private static func reference(_ reference: Reference) -> ReferenceSample {
        var sample = ReferenceSample(turns: Int(clamping: reference.turns))
        for clock in TurnClock.allCases { sample.lnP95[clock] = reference.lnP95(clock) }
        sample.lnMemory = reference.memoryPeakKiB.flatMap(logarithm)
        sample.wordErrorRate = reference.werThousandths.map { Double($0) / 1_000 }
        return sample
    }

    private static func logarithm(_ value: Int64) -> Double? {
        value > 0 ? log(Double(value)) : nil
    }
}
