private import Glibc
import Primitives
import Telemetry

/// The samples of one look as columns, so that every test of every segment reads plain numbers.
struct Panel {
    /// Figures for test A; not a number where a device has none.
    struct Continuous {
        var value: [Double]
        var reference: [Double]
    }

    /// Figures for test B: turns 0 where a device does not count.
    struct Rate {
        var events: [Double]
        var turns: [Double]
    }

    /// Figures for test C.
    enum Answer: UInt8 {
        case notCounted
        case good
        case bad
    }

    let samples: [DeviceSample]
    let cohorts: [Cohort]
    /// Index of each sample's cohort in `cohorts`.
    let stratum: [Int]
    let isTreated: [Bool]
    /// Whether a sample takes part in tests A and B: exposed, and not gone back by itself.
    let isCompared: [Bool]

    init(_ samples: [DeviceSample]) {
        self.samples = samples
        let cohorts = Set(samples.map(\.cohort)).sorted()
        self.cohorts = cohorts
        let index = Dictionary(uniqueKeysWithValues: cohorts.enumerated().map { ($1, $0) })
        stratum = samples.map { index[$0.cohort] ?? 0 }
        isTreated = samples.map { $0.arm == .treated }
        isCompared = samples.map {
            !$0.wentBack && ($0.arm == .control || $0.exposedAt != nil)
        }
    }

    func continuous(_ rule: MetricRule, _ parameters: GateParameters) -> Continuous {
        var columns = Continuous(value: [], reference: [])
        for (row, sample) in samples.enumerated() {
            let counts = isCompared[row] && sample.counters.turns >= Int64(parameters.minTurns)
            let reference = sample.reference.flatMap {
                $0.turns >= parameters.minReferenceTurns ? $0 : nil
            }
            columns.value.append(counts ? sample.value(rule) ?? .nan : .nan)
            columns.reference.append(reference?.value(rule) ?? .nan)
        }
        return columns
    }

    func rate(_ metric: GateMetric) -> Rate {
        var columns = Rate(events: [], turns: [])
        for (row, sample) in samples.enumerated() {
            columns.events.append(Double(sample.counters.events(metric)))
            columns.turns.append(isCompared[row] ? Double(sample.counters.turns) : 0)
        }
        return columns
    }

    func answers(_ rule: MetricRule, _ parameters: GateParameters, at now: UTCTime) -> [Answer] {
        samples.map { sample in
            let isBad: Bool? =
                switch rule.metric {
                case .silent: sample.isSilent(parameters, at: now)
                case .jumped: sample.hasJumped(parameters)
                case .localRollbacks:
                    sample.exposedAt == nil && !sample.wentBack ? nil : sample.wentBack
                default: sample.hasFailedAttempt(parameters, at: now)
                }
            return isBad.map { $0 ? .bad : .good } ?? .notCounted
        }
    }
}

extension DeviceSample {
    fileprivate func value(_ rule: MetricRule) -> Double? {
        switch rule.metric {
        case .latencyP95: lnP95[rule.clock]
        case .cpuPerTurn: lnP95[.cpu]
        case .memoryPerTurn: lnMemory
        default: wordErrorRate.map { log($0 + WordErrors.offset) }
        }
    }

    /// Whether nothing was heard since exposure; nil before the deadline, and where exposure is not new.
    func isSilent(_ parameters: GateParameters, at now: UTCTime) -> Bool? {
        guard isNew, let exposedAt, now >= exposedAt + parameters.deadlineSeconds else {
            return nil
        }
        return lastHeard.map { $0 < exposedAt } ?? true
    }

    /// Whether the device's own percentile grew by more than the allowed jump; nil before enough turns.
    ///
    /// A cost that is accepted for all treated devices is no part of a jump. Whoever keeps `jumped` from look
    /// to look takes it from here when it is first not nil.
    package func hasJumped(_ parameters: GateParameters) -> Bool? {
        guard let rule = parameters.rules.first(where: { $0.metric == .jumped }), !wentBack,
            arm == .control || exposedAt != nil
        else { return nil }
        if let jumped { return jumped }
        guard counters.turns >= Int64(parameters.jumpTurns), let now = lnP95[rule.clock],
            let reference, reference.turns >= parameters.minReferenceTurns,
            let before = reference.lnP95[rule.clock]
        else { return nil }
        let accepted = parameters.rules.filter { $0.metric == .latencyP95 }.map(\.accepted).max()
        let excused = arm == .treated ? max(accepted ?? 1, rule.accepted) : 1
        return now - before > log(parameters.jumpRatio * excused)
    }

    /// Whether the attempt failed, or began and was never heard of again; nil while it may still end.
    fileprivate func hasFailedAttempt(_ parameters: GateParameters, at now: UTCTime) -> Bool? {
        switch attempt {
        case nil: nil
        case .passed: false
        case .failed: true
        case .started:
            attemptAt.flatMap { now >= $0 + parameters.deadlineSeconds ? true : nil }
        }
    }
}

/// How a word error rate becomes a figure for test A: ln(rate + 1%), so that 0 is a number.
enum WordErrors {
    static let offset = 0.01
}

extension ReferenceSample {
    fileprivate func value(_ rule: MetricRule) -> Double? {
        switch rule.metric {
        case .latencyP95: lnP95[rule.clock]
        case .cpuPerTurn: lnP95[.cpu]
        case .memoryPerTurn: lnMemory
        default: wordErrorRate.map { log($0 + WordErrors.offset) }
        }
    }
}

extension TurnCounters {
    fileprivate func events(_ metric: GateMetric) -> Int64 {
        switch metric {
        case .errors: errors
        case .falsePositives: falsePositives
        case .escalations: escalations
        default: abandoned
        }
    }
}
