package import Primitives

/// What a complete smoke test measured, in the figures that the verdict and the report use.
package struct SmokeMeasurement: Sendable, Hashable {
    package let wordErrorRate: WordErrorRate
    package let utterances: Int
    package let audioMilliseconds: Int64
    /// Sum over the utterances of the least CPU time of the repeats.
    package let cpuMicroseconds: Int64
    /// Wall time of the slowest utterance: the largest of the quantiles over its repeats.
    package let wallP50Microseconds: Int64
    package let wallP95Microseconds: Int64
    /// The larger of what the child and its parent saw.
    package let peakResidentBytes: Int64
    package let loadMicroseconds: Int64
    package let runtimeVersion: String

    /// Whether the CPU time is at most `budget` milliseconds a second of sound, without rounding.
    package func isWithin(cpuMillisecondsPerSecond budget: Int) -> Bool {
        // (cpu us / 1000) / (audio ms / 1000) <= budget
        cpuMicroseconds <= Int64(budget) * audioMilliseconds
    }

    /// CPU microseconds a second of sound, rounded up.
    package var cpuMicrosecondsPerSecond: Int64 {
        (cpuMicroseconds * 1_000 + audioMilliseconds - 1) / max(audioMilliseconds, 1)
    }
}

/// Whether a bundle may be activated on this device.
package enum SmokeVerdict: Sendable, Hashable {
    case passed(SmokeMeasurement)
    case failed(SmokeFailure, SmokeMeasurement?)

    /// Judges what a child process left behind.
    ///
    /// The order is: how it ended, whether it printed one whole result of this suite, words, memory,
    /// CPU time. A timeout is lasting where the child had had most of the time for itself: it hangs.
    /// Otherwise others had the CPU, and it is passing.
    package static func judge(
        _ end: ChildEnd, suite: SmokeSuite, deviceClass: AttributeName
    ) -> SmokeVerdict {
        switch end.ending {
        case .timedOut:
            let busy = end.cpuMilliseconds * 10 >= suite.timeoutMilliseconds * 7
            return .failed(SmokeFailure(reason: .timeout, isLasting: busy), nil)
        case .signalled(let number): return .failed(failure(signal: number), nil)
        case .exited(let code) where code != 0: return .failed(failure(exit: code), nil)
        case .exited: return judge(output: end, suite, deviceClass)
        }
    }

    private static func failure(signal number: Int32) -> SmokeFailure {
        switch number {
        case SmokeFailureReason.cpuLimit: SmokeFailure(reason: .timeout, isLasting: true)
        // The kernel kills so when memory runs out, and an administrator when he likes.
        case SmokeFailureReason.kill: SmokeFailure(reason: .signal(number), isLasting: false)
        default: SmokeFailure(reason: .signal(number), isLasting: true)
        }
    }

    private static func failure(exit code: Int32) -> SmokeFailure {
        let ours = SmokeExit(rawValue: code)
        return SmokeFailure(reason: .exit(code), isLasting: ours?.isPassing != true)
    }

    private static func judge(
        output end: ChildEnd, _ suite: SmokeSuite, _ deviceClass: AttributeName
    ) -> SmokeVerdict {
        guard let result = try? SmokeResult(parsing: end.output) else {
            return .failed(SmokeFailure(reason: .badOutput, isLasting: true), nil)
        }
        switch result {
        case .nullCreate:
            return .failed(SmokeFailure(reason: .nullCreate, isLasting: true), nil)
        case .outOfMemory:
            return .failed(SmokeFailure(reason: .memory, isLasting: false), nil)
        case .complete(let figures):
            guard let measurement = SmokeMeasurement(figures, suite) else {
                return .failed(SmokeFailure(reason: .badOutput, isLasting: true), nil)
            }
            return judge(measurement, suite, deviceClass)
        }
    }

    private static func judge(
        _ measurement: SmokeMeasurement, _ suite: SmokeSuite, _ deviceClass: AttributeName
    ) -> SmokeVerdict {
        if !measurement.wordErrorRate.isWithin(thousandths: suite.maximumWER) {
            return .failed(SmokeFailure(reason: .wordErrorRate, isLasting: true), measurement)
        }
        if measurement.peakResidentBytes > suite.memoryLimit {
            return .failed(SmokeFailure(reason: .memory, isLasting: false), measurement)
        }
        if !measurement.isWithin(cpuMillisecondsPerSecond: suite.cpuBudget[deviceClass]) {
            return .failed(SmokeFailure(reason: .latency, isLasting: true), measurement)
        }
        return .passed(measurement)
    }
}

extension SmokeMeasurement {
    /// Nil where the result is not of exactly these utterances, in this order.
    init?(_ figures: SmokeFigures, _ suite: SmokeSuite) {
        guard figures.utterances.map(\.wav) == suite.utterances.map(\.wav) else { return nil }
        wordErrorRate = zip(suite.utterances, figures.utterances).reduce(.none) { sum, pair in
            sum + WordErrorRate(reference: pair.0.transcript, hypothesis: pair.1.transcript)
        }
        utterances = figures.utterances.count
        audioMilliseconds = figures.utterances.reduce(0) { $0 + $1.audioMilliseconds }
        cpuMicroseconds = figures.utterances.reduce(0) { $0 + $1.cpuMicroseconds }
        wallP50Microseconds = figures.utterances.map(\.wallP50Microseconds).max() ?? 0
        wallP95Microseconds = figures.utterances.map(\.wallP95Microseconds).max() ?? 0
        peakResidentBytes = figures.peakResidentBytes
        loadMicroseconds = figures.parts.load
        runtimeVersion = figures.runtimeVersion
    }
}
