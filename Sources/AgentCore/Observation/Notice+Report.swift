import Primitives
import Speech
import Telemetry

/// What a notice says in the closed words of a report.
extension Notice {
    /// The kind of report that it makes; nil for what the registry need not know.
    func kind(_ trace: TraceID?) -> ReportKind? {
        switch self {
        case .attempt: .attempt
        case .smokePassed, .smokeFailed: .smoke
        case .beacon: .swapBeacon
        case .retreating(.withdrawn), .abandoning: nil
        case .retreating: .localRollback
        case .verified, .swapped, .committed, .retreated, .stranded, .held, .unheld: .transition
        case .refusedOrder: nil
        }
    }

    /// Whether it is about the bundle of an attempt, and not about the device.
    var isOfCandidate: Bool {
        switch self {
        case .held, .unheld, .refusedOrder: false
        case .verified, .attempt, .smokePassed, .smokeFailed, .beacon, .swapped, .committed,
            .abandoning, .retreating, .retreated, .stranded:
            true
        }
    }

    /// The state it reports, where that is not the machine's own.
    var state: ReportedState? {
        switch self {
        case .swapped: .probation
        case .committed: .committed
        default: nil
        }
    }

    var reasons: [ReasonCode] {
        switch self {
        case .smokeFailed(let failure, _): [failure.reason.code]
        case .abandoning(let cause), .retreating(let cause), .retreated(let cause): cause.codes
        case .stranded(let cause): cause.codes + [.slotDamaged]
        case .held: [.heldOnDevice]
        default: []
        }
    }

    var figures: Telemetry.SmokeFigures? {
        switch self {
        case .smokePassed(let measurement): Telemetry.SmokeFigures(nil, measurement)
        case .smokeFailed(let failure, let measurement):
            Telemetry.SmokeFigures(failure.reason.code, measurement)
        default: nil
        }
    }
}

extension Telemetry.SmokeFigures {
    init(_ failure: ReasonCode?, _ measurement: SmokeMeasurement?) {
        self.init(failure: failure)
        guard let measurement else { return }
        utterances = Int64(measurement.utterances)
        p50Microseconds = measurement.wallP50Microseconds
        p95Microseconds = measurement.wallP95Microseconds
        werThousandths = Int64(measurement.wordErrorRate.thousandths)
        cpuMicrosecondsPerAudioSecond = measurement.cpuMicrosecondsPerSecond
        memoryPeakKiB = measurement.peakResidentBytes / 1_024
    }
}

extension RetreatCause {
    var codes: [ReasonCode] {
        switch self {
        case .rejected(.smoke(let reason)), .failed(.smoke(let reason)): [reason.code]
        case .rejected(.crashedTwice): [.smokeCrashed]
        case .rejected(.probation(let fall)): [fall.code]
        case .rejected(.ordered): [.orderedOnDevice]
        case .failed(let trouble): [trouble.code]
        case .withdrawn: [.withdrawnByFleet]
        case .held: [.heldOnDevice]
        }
    }
}

extension ProbationFall {
    var code: ReasonCode {
        switch self {
        case .mid: .midSlow
        case .tail: .tailSlow
        case .error: .tooManyErrors
        case .failedFirst: .firstTurnsFailed
        case .restarts: .restartedTwice
        }
    }

    /// The fall that `Health` gave as a reason code.
    init(_ code: ReasonCode) {
        self = Self.allCases.first { $0.code == code } ?? .error
    }
}

extension PassingTrouble {
    var code: ReasonCode {
        switch self {
        case .unreachable, .refusedByRegistry: .network
        case .insufficientStorage: .noSpace
        case .byteBudget: .byteBudgetSpent
        case .wrongBytes: .digestMismatch
        case .leased: .leaseOverdue
        case .fileSystem, .activation: .storageFailed
        case .deadline, .restarts: .other
        case .noSmokeTest: .runtimeMissing
        case .smoke(let reason): reason.code
        }
    }
}

extension SmokeFailureReason {
    var code: ReasonCode {
        switch self {
        case .nullCreate: .modelNotLoaded
        case .exit(SmokeExit.noRuntime.rawValue): .runtimeMissing
        case .exit(SmokeExit.badInput.rawValue): .utteranceUnreadable
        case .exit: .smokeExited
        case .signal: .smokeCrashed
        case .timeout: .smokeTimedOut
        case .badOutput: .smokeGarbage
        case .wordErrorRate: .wrongWords
        case .latency: .overCPUBudget
        case .memory: .overMemoryBudget
        }
    }
}
