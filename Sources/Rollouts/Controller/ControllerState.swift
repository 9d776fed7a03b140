package import Primitives

/// One rollout as the controller knows it: the plan in force, and what the plan does not say.
///
/// A value: persist it before its effects (sign and publish the plan where `Step.publishes`, append the
/// records to the audit log), and a restarted controller goes on where it was. Before `start` the plan
/// has no stage and is not published, so that the channel's last plan stays in force.
package struct ControllerState: Sendable, Hashable {
    /// What came of one event.
    package struct Step: Sendable, Hashable {
        /// In the order of the decisions; none where nothing was decided.
        package internal(set) var records: [DecisionRecord] = []
        /// Why an order was not followed, or a verdict to promote did not lead on.
        package internal(set) var refusal: OrderRefusal?
        /// Whether the plan has changed and goes out as the next version of `plans.<m>`.
        package internal(set) var publishes = false
    }

    package let policy: Policy
    package internal(set) var plan: Plan
    /// Whether the gate has said to promote the current stage, and whether without proof.
    package internal(set) var isReady = false
    package internal(set) var isReadyUnproven = false
    /// The stages that were left without proof.
    package internal(set) var unprovenStages: [Int] = []
    /// The state to return to when a freeze ends.
    package internal(set) var frozenFrom: Plan.State?
    package internal(set) var lastVerdict: UTCTime?
    /// What the gate excluded and paused by itself, with the metric that spoke.
    package internal(set) var gateExcluded: [Segment: Metric?] = [:]
    package internal(set) var gatePaused: [Segment: Metric?] = [:]
    /// Decisions so far.
    package internal(set) var sequence = 0

    package var isStarted: Bool { !plan.stages.isEmpty }

    /// The current stage of the policy; nil before `start`.
    package var stage: Stage? { plan.currentStage.map { policy.stages[$0] } }

    /// A rollout that has not started.
    ///
    /// - Parameters:
    ///   - policy: without problems, as `problems(in:)` finds them.
    ///   - reference: where `model.<m>` lists it.
    ///   - channel: the line of devices.
    ///   - baseline: what the channel's last completed rollout runs; nil for a first release.
    ///   - last: the channel's plan in force; its withdrawals, pins and freeze windows go on.
    ///   - lifts: of `model.<m>`: a withdrawal that one of them undoes does not go on.
    /// - Throws: `OrderRefusal`.
    package init(
        creating policy: Policy, reference: Plan.PolicyReference, channel: ChannelName,
        baseline: BundleReference?, after last: Plan?, lifts: [Lift] = []
    ) throws(OrderRefusal) {
        let refusals = Self.refusals(
            creating: policy, channel: channel, baseline: baseline, after: last, lifts: lifts)
        if let first = refusals.first { throw first }
        self.policy = policy
        plan = Plan(
            model: policy.model, channel: channel, baseline: baseline, candidate: policy.candidate,
            policy: reference, state: .paused,
            withdrawn: Self.withdrawn(policy.model, by: last, lifts: lifts),
            pins: last?.pins ?? [], freezeWindows: last?.freezeWindows ?? [])
    }

    /// Everything that stands against such a rollout, at once; with none it can be created.
    package static func refusals(
        creating policy: Policy, channel: ChannelName, baseline: BundleReference?,
        after last: Plan?, lifts: [Lift]
    ) -> [OrderRefusal] {
        var refusals: [OrderRefusal] = []
        if let last {
            if last.model != policy.model || last.channel != channel {
                refusals.append(.planOfAnotherLine)
            }
            if last.state != .completed && last.state != .rolledBack {
                refusals.append(.rolloutNotOver(last.state))
            }
        }
        let candidate = policy.candidate
        let isWithdrawn = withdrawn(policy.model, by: last, lifts: lifts).contains {
            $0.version == candidate.version || $0.sha256 == candidate.sha256
        }
        if isWithdrawn { refusals.append(.candidateWithdrawn(candidate.version)) }
        switch baseline {
        case nil: if !policy.isInitial { refusals.append(.baselineMissing) }
        case let baseline? where policy.isInitial:
            refusals.append(.baselineOfFirstRelease(baseline.version))
        case let baseline?:
            if !policy.mayReplace(baseline.version) || baseline == candidate {
                refusals.append(.baselineNotReplaceable(baseline.version))
            }
        }
        return refusals
    }

    /// The withdrawals that go on.
    private static func withdrawn(
        _ model: ModelName, by last: Plan?, lifts: [Lift]
    ) -> [Withdrawal] {
        (last?.withdrawn ?? []).filter { !$0.isLifted(by: lifts, of: model) }
    }

    init(policy: Policy, plan: Plan) {
        self.policy = policy
        self.plan = plan
    }
}
