/// Why a report was sent.
package enum ReportKind: String, Sendable, Hashable, CaseIterable {
    /// The figures so far, at the policy's interval.
    case periodic
    /// A smoke test is about to begin: sent before it, so that a device that dies in it is counted.
    case attempt
    /// A smoke test has ended.
    case smoke
    /// "Switching now": exposure starts here.
    case swapBeacon = "swap_beacon"
    /// The agent's state has changed.
    case transition
    /// The device went back by itself.
    case localRollback = "local_rollback"
}

/// The agent's states (`docs/agent.md`).
package enum ReportedState: String, Sendable, Hashable, CaseIterable {
    case idle
    case checking
    case downloading
    case verified
    case attempting
    case swapping
    case probation
    case committed
    case rollingBack = "rolling_back"
    case rejected
    case failed
    case withdrawn
}

/// Every reason a report can give, as a closed set: no free text leaves a device.
package enum ReasonCode: String, Sendable, Hashable, CaseIterable {
    // The smoke test.
    case modelNotLoaded = "model_not_loaded"
    case smokeExited = "smoke_exited"
    case smokeCrashed = "smoke_crashed"
    case smokeTimedOut = "smoke_timed_out"
    case smokeGarbage = "smoke_garbage"
    case wrongWords = "wrong_words"
    case overCPUBudget = "over_cpu_budget"
    case overMemoryBudget = "over_memory_budget"
    case runtimeMissing = "runtime_missing"
    case utteranceUnreadable = "utterance_unreadable"
    // Probation.
    case midSlow = "mid_slow"
    case tailSlow = "tail_slow"
    case tooManyErrors = "too_many_errors"
    case firstTurnsFailed = "first_turns_failed"
    case restartedTwice = "restarted_twice"
    // Download and storage.
    case network = "network"
    case noSpace = "no_space"
    case digestMismatch = "digest_mismatch"
    case byteBudgetSpent = "byte_budget_spent"
    case storageFailed = "storage_failed"
    case slotDamaged = "slot_damaged"
    // Trust, policy and requirements.
    case metadataExpired = "metadata_expired"
    case metadataRefused = "metadata_refused"
    case planRefused = "plan_refused"
    case requirementsNotMet = "requirements_not_met"
    // Orders.
    case withdrawnByFleet = "withdrawn_by_fleet"
    case orderedOnDevice = "ordered_on_device"
    case heldOnDevice = "held_on_device"
    // The application.
    case leaseOverdue = "lease_overdue"
    case notServing = "not_serving"
    /// A reason of a newer agent, which this version does not know.
    case other
}

/// The three channels of local probation (`docs/gate.md`).
package enum ProbationChannel: String, Sendable, Hashable, CaseIterable {
    /// Turns slower than 1.30 times the reference's median.
    case mid
    /// Turns slower than 1.30 times the reference's 95th percentile.
    case tail
    /// Turns that failed.
    case error
}
