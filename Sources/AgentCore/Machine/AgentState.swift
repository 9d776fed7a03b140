package import Primitives
package import Rollouts
package import Telemetry

/// How the last attempt ended, while nothing is under way.
package enum RestingState: String, Sendable, Hashable, CaseIterable {
    /// No attempt has been made yet.
    case idle
    case committed
    case rejected
    case failed
    case withdrawn
}

/// One update attempt: a release on its way into a slot.
package struct Attempt: Sendable, Hashable {
    package var release: Release
    package let slot: Slot
    /// The active slot when the attempt began: where a rollback leads.
    package let previous: Slot?
    package let trace: TraceID
    /// When the present state must have ended.
    package var deadline: UTCTime
    /// Downloads begun, and restarts of the agent in the present state, since the last progress: what keeps a
    /// loop finite.
    package var tries = 0
    /// The most bytes of the bundle that were seen in its slot while it came.
    package var held: Int64 = 0
    /// The bundle of the previous slot, where that was found damaged since the attempt began: the attempt goes on, and
    /// still replaces it.
    package var lost: BundleReference?

    package init(
        release: Release, slot: Slot, previous: Slot?, trace: TraceID, deadline: UTCTime,
        tries: Int = 0, held: Int64 = 0, lost: BundleReference? = nil
    ) {
        self.release = release
        self.slot = slot
        self.previous = previous
        self.trace = trace
        self.deadline = deadline
        self.tries = tries
        self.held = held
        self.lost = lost
    }
}

/// A way back: from a bundle that is not to be run, to the slot that was active before it.
package struct Retreat: Sendable, Hashable {
    package let from: BundleReference
    /// What becomes active; nil where there is nothing to go back to.
    package let to: Slot?
    package let cause: RetreatCause
    package let trace: TraceID?
    package var deadline: UTCTime

    package init(
        from: BundleReference, to: Slot?, cause: RetreatCause, trace: TraceID?, deadline: UTCTime
    ) {
        self.from = from
        self.to = to
        self.cause = cause
        self.trace = trace
        self.deadline = deadline
    }
}

/// What the agent is doing (`docs/agent.md`).
package enum AgentState: Sendable, Hashable {
    case resting(RestingState)
    /// A poll is under way; `since` is what it goes back to.
    case checking(since: RestingState, deadline: UTCTime)
    case downloading(Attempt)
    /// Whole and durable in its slot; not yet tested.
    case verified(Attempt)
    /// The smoke test runs.
    case attempting(Attempt)
    /// The swap beacon waits for the registry's word.
    case announcing(Attempt)
    case swapping(Attempt)
    case probation(Attempt)
    case rollingBack(Retreat)

    /// The state's name in journal, status and logs.
    package var name: String {
        switch self {
        case .resting(let state): state.rawValue
        case .checking: "checking"
        case .downloading: "downloading"
        case .verified: "verified"
        case .attempting: "attempting"
        case .announcing: "announcing"
        case .swapping: "swapping"
        case .probation: "probation"
        case .rollingBack: "rolling_back"
        }
    }

    /// The attempt under way.
    package var attempt: Attempt? {
        switch self {
        case .downloading(let attempt), .verified(let attempt), .attempting(let attempt),
            .announcing(let attempt), .swapping(let attempt), .probation(let attempt):
            attempt
        case .resting, .checking, .rollingBack: nil
        }
    }

    /// When the driver must say `.deadlinePassed`; nil only at rest, which needs no way out.
    package var deadline: UTCTime? {
        switch self {
        case .resting: nil
        case .checking(_, let deadline): deadline
        case .rollingBack(let retreat): retreat.deadline
        case .downloading, .verified, .attempting, .announcing, .swapping, .probation:
            attempt?.deadline
        }
    }

    /// Moves the deadline, where there is one.
    mutating func shiftDeadline(by seconds: Int64) {
        updateAttempt { $0.deadline = $0.deadline + seconds }
        if case .checking(let since, let deadline) = self {
            self = .checking(since: since, deadline: deadline + seconds)
        }
        if case .rollingBack(var retreat) = self {
            retreat.deadline = retreat.deadline + seconds
            self = .rollingBack(retreat)
        }
    }

    /// Changes the attempt under way, where there is one.
    mutating func updateAttempt(_ change: (inout Attempt) -> Void) {
        guard var attempt else { return }
        change(&attempt)
        switch self {
        case .downloading: self = .downloading(attempt)
        case .verified: self = .verified(attempt)
        case .attempting: self = .attempting(attempt)
        case .announcing: self = .announcing(attempt)
        case .swapping: self = .swapping(attempt)
        case .probation: self = .probation(attempt)
        case .resting, .checking, .rollingBack: break
        }
    }
}
