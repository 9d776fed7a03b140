package import Primitives

/// What can happen to a rollout.
package enum ControllerEvent: Sendable, Hashable {
    /// The gate has looked at the fleet.
    case verdict(Verdict)
    /// A person has ordered something; `by` and `reason` go to the audit log.
    case order(Order, by: String, reason: String)
    /// Time has passed.
    case tick

    package enum Order: Sendable, Hashable {
        case start
        /// Into the next stage, or to completion; `unproven` says that the evidence is missing, and
        /// that the one who orders knows it.
        case advance(unproven: Bool)
        case pause
        case resume
        /// `leavesNoModel` says that whoever orders it knows that a first release has nothing to go back to.
        case rollback(leavesNoModel: Bool)
        case freeze
        case unfreeze
        case exclude(Segment)
        case include(Segment)
        case resumeSegment(Segment)
        case setPins([PinGroup])
        case setFreezeWindows([FreezeWindow])
    }

    /// The gate's findings at one look.
    package struct Verdict: Sendable, Hashable {
        package let fleet: Finding
        /// Cohorts, and other segments, that their own tests speak against.
        package let segments: [SegmentFinding]

        package init(fleet: Finding, segments: [SegmentFinding] = []) {
            self.fleet = fleet
            self.segments = segments
        }
    }

    package struct SegmentFinding: Sendable, Hashable {
        package let segment: Segment
        package let finding: Finding

        package init(segment: Segment, finding: Finding) {
            self.segment = segment
            self.finding = finding
        }
    }

    /// One verdict with its evidence, the five facts of docs/gate.md.
    package struct Finding: Sendable, Hashable {
        package enum Call: String, Sendable, CaseIterable {
            case promote
            /// The stage is over without the evidence it needs, and the policy lets it pass.
            case promoteUnproven = "promote_unproven"
            case wait
            case pause
            case rollback
        }

        package let call: Call
        package let metric: Metric?
        package let evidence: String

        package init(_ call: Call, metric: Metric? = nil, evidence: String) {
            self.call = call
            self.metric = metric
            self.evidence = evidence
        }
    }
}

/// What the controller looks at besides its state.
package struct ControllerFacts: Sendable {
    package let now: UTCTime
    package let census: FleetCensus
    /// The approvals that `model.<m>` lists now.
    package let approvals: [Approval]
    /// Whether a brake rehearsal of this policy has succeeded.
    package let isRehearsed: Bool
    /// Whether a rollout of this model is frozen: then no other starts.
    package let isModelFrozen: Bool

    package init(
        now: UTCTime, census: FleetCensus, approvals: [Approval] = [], isRehearsed: Bool = false,
        isModelFrozen: Bool = false
    ) {
        self.now = now
        self.census = census
        self.approvals = approvals
        self.isRehearsed = isRehearsed
        self.isModelFrozen = isModelFrozen
    }
}
