import Cryptography
package import FleetSimulation
import Health
import Primitives
package import Rollouts
import TUF

/// A whole rollout under a policy over a fleet that exists in memory: the controller's state machine, its shares, and the
/// gate's looks; made up are the devices' turns.
///
/// A person is played who starts it and lets each stage begin as soon as the gate promotes; whatever else needs a person ends
/// the replay. A ramp is played in the steps of the replay; freezes and metadata are not.
package struct PolicyReplay: Sendable {
    /// What became of one.
    package struct Outcome: Sendable, Hashable {
        /// How it ended.
        package enum End: String, Sendable, Hashable, CaseIterable {
            case completed
            case rolledBack = "rolled_back"
            case paused
            /// A segment was left out or paused; the rest went on to its end.
            case partly
            /// `not_after` passed.
            case expired
        }

        package var end = End.expired
        /// Devices that had the candidate, and hours since the start, when it first halted; or at the end.
        package var exposed = 0
        package var hours = 0
        /// Why it first halted.
        package var evidence = ""
        package var turns = 0

        package init() {}

        package var hasHalted: Bool { end != .completed }
    }

    /// Silent windows of the last two weeks in each cohort.
    private static let historicWindows = 1_000

    private let policy: Policy
    private let cohorts: [SimulatedCohort]
    private let model: FleetModel
    private let digest: SHA256Digest
    private let baseline: BundleReference?

    /// `cohorts` are those of the whole fleet, each with what the candidate does there.
    package init(_ policy: Policy, _ cohorts: [SimulatedCohort], model: FleetModel = FleetModel()) {
        self.policy = policy
        self.cohorts = cohorts
        self.model = model
        let digest = SHA256.digest(of: policy.json.canonicalBytes)
        self.digest = digest
        baseline = policy.replaces.first.map { range in
            BundleReference(version: range.lowest, sha256: digest, length: 1)
        }
    }

    /// One cohort with its buckets, in order.
    private struct Place {
        var cohort: SimulatedCohort
        let buckets: [Int]
    }

    /// Plays it once.
    ///
    /// - Throws: `OrderRefusal` where the policy cannot be started at all.
    package func run(seed: UInt64) throws(OrderRefusal) -> Outcome {
        var random = SimulationRandom(seed: seed)
        let places = places(&random)
        let facts = facts(places)
        var state = try ControllerState(
            creating: policy,
            reference: Plan.PolicyReference(
                path: .policy(of: policy.model, policy.candidate.version, name: Self.name),
                sha256: digest),
            channel: .main, baseline: baseline, after: nil)
        let start = state.handle(
            .order(.start, by: "replay", reason: ""), facts(policy.notBefore))
        if let refusal = start.refusal { throw refusal }
        let history = history(&random)
        var outcome = Outcome()
        while state.plan.state == .running, let index = state.plan.currentStage {
            play(&state, stage: index, places, facts, history, seed, &outcome)
            if state.plan.currentStage == index, state.plan.state == .running { break }
        }
        return outcome
    }

    // MARK: The fleet

    private static let name: AttributeName = {
        guard let name = AttributeName("standard") else { preconditionFailure("a name") }
        return name
    }()

    private func places(_ random: inout SimulationRandom) -> [Place] {
        cohorts.map { cohort in
            var cohort = cohort
            cohort.recorded.shuffle(using: &random)
            let buckets = (0..<cohort.devices).map { _ in Int.random(in: 0..<10_000, using: &random)
            }
            return Place(cohort: cohort, buckets: buckets.sorted())
        }
    }

    /// What the controller sees besides its state, at a moment.
    private func facts(_ places: [Place]) -> (UTCTime) -> ControllerFacts {
        var census = FleetCensus()
        for place in places {
            let attributes = place.cohort.attributes
            for bucket in place.buckets {
                if let bucket = Bucket(bucket) { census.add(attributes, bucket: bucket) }
            }
        }
        let approvals = policy.stages.map { stage in
            Approval(model: policy.model, policy: digest, stage: stage.name)
        }
        return { now in
            ControllerFacts(now: now, census: census, approvals: approvals, isRehearsed: true)
        }
    }

    private func history(_ random: inout SimulationRandom) -> [Cohort: SilenceHistory] {
        var history: [Cohort: SilenceHistory] = [:]
        for cohort in cohorts {
            history[cohort.cohort] = SilenceHistory(
                silent: random.binomial(Self.historicWindows, model.off),
                windows: Self.historicWindows)
        }
        return history
    }

    /// The arms of a cohort in a stage.
    private func exposure(_ place: Place, _ plan: Plan, stage index: Int) -> StageExposure {
        let cohort = place.cohort.cohort
        let held = plan.holdBack[cohort] ?? policy.holdBack.share
        let free = place.buckets.count { $0 < Bucket.count - held.value }
        func treated(_ stage: Int) -> Int {
            guard stage >= 0, policy.stages[stage].where.contains(place.cohort.attributes) else {
                return 0
            }
            let share = plan.stages[stage].shares[cohort] ?? policy.stages[stage].quota.share
            return min(free, place.buckets.count { $0 < share.value })
        }
        let isReached = policy.stages[index].where.contains(place.cohort.attributes)
        var exposure = StageExposure(
            treatedBefore: treated(index - 1), treated: treated(index),
            held: isReached ? place.buckets.count - free : 0)
        exposure.ramp = policy.stages[index].ramp
        exposure.burnInTurns = policy.burnInTurns
        if index > 0 {
            let had = plan.stages[index].began - plan.stages[index - 1].began
            exposure.formerSeconds = max(0, had - policy.stages[index - 1].ramp)
        }
        return exposure
    }

    // MARK: Stages

    private func play(
        _ state: inout ControllerState, stage index: Int, _ places: [Place],
        _ facts: (UTCTime) -> ControllerFacts, _ history: [Cohort: SilenceHistory],
        _ seed: UInt64, _ outcome: inout Outcome
    ) {
        guard let begun = state.plan.stages.last else { return }
        let parameters = GateParameters(policy)
        var arms: [(cohort: SimulatedCohort, exposure: StageExposure)] = []
        for place in places {
            arms.append((place.cohort, exposure(place, state.plan, stage: index)))
        }
        var replay = StageReplay(
            arms, model: model, parameters: parameters, caps: SampleCaps(), seed: seed,
            stage: index, began: begun.began)
        defer { outcome.turns += replay.turnsSimulated }
        while state.plan.state == .running, state.plan.currentStage == index,
            replay.now <= policy.notAfter
        {
            let elapsed = replay.now - begun.began
            replay.tick()
            var evidence = StageEvidence(
                began: begun.began, now: replay.now, isLast: index == policy.stages.count - 1,
                requirements: StageRequirements(policy.stages[index]),
                samples: replay.samples.filter { sample in
                    !state.plan.excluded.contains { Self.covers($0, sample) }
                })
            evidence.control = policy.isInitial ? .none : .concurrent
            evidence.segments = FleetSegment.all(
                cohorts: Set(cohorts.map(\.cohort)), locales: Set(cohorts.flatMap(\.allLocales)))
            evidence.history = history
            let judgement = HealthGate(parameters).judge(evidence)
            var records = state.handle(
                .verdict(ControllerEvent.Verdict(judgement)), facts(replay.now)
            ).records
            records += state.handle(.tick, facts(replay.now)).records
            if state.isReady, state.plan.currentStage == index {
                records +=
                    state.handle(
                        .order(.advance(unproven: true), by: "replay", reason: ""),
                        facts(replay.now)
                    ).records
            }
            let exposed = arms.reduce(0) { $0 + $1.exposure.started(after: elapsed) }
            note(records, state, exposed: exposed, at: replay.now, &outcome)
        }
    }

    /// Remembers the first halt, and the end.
    private func note(
        _ records: [DecisionRecord], _ state: ControllerState, exposed: Int, at now: UTCTime,
        _ outcome: inout Outcome
    ) {
        let halts: Set<DecisionRecord.Kind> = [.paused, .rolledBack, .excluded, .segmentPaused]
        let isFirst = outcome.evidence.isEmpty
        if isFirst {
            (outcome.exposed, outcome.hours) = (exposed, Int((now - policy.notBefore) / 3_600))
        }
        if let halt = records.first(where: { halts.contains($0.kind) }), isFirst {
            outcome.evidence = halt.evidence
        }
        switch state.plan.state {
        case .completed: outcome.end = outcome.evidence.isEmpty ? .completed : .partly
        case .rolledBack: outcome.end = .rolledBack
        case .paused: outcome.end = .paused
        case .running, .frozen: break
        }
    }

    private static func covers(_ segment: Segment, _ sample: DeviceSample) -> Bool {
        segment.contains(
            DeviceAttributes(
                number: 1, region: sample.cohort.region, deviceClass: sample.cohort.deviceClass,
                locale: sample.locale ?? Self.name))
    }
}
