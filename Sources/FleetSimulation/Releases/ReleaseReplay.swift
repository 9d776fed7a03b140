package import Health
import Primitives

/// A whole release over a fleet of several cohorts, with all of the gate's decision: attempts, coverage, segments,
/// blind spots and soaks.
///
/// A person is played who resumes what was paused, and lets a stage pass that ends without proof, so that every release
/// meets every look of every stage. A segment that the gate excludes leaves the release (docs/gate-simulation.md).
package struct ReleaseReplay: Sendable {
    package static let stages = 3
    package static let ticksPerStage = 8

    package var model = FleetModel()
    package var caps = SampleCaps()
    package var parameters = GateParameters()
    package var cohorts: [SimulatedCohort]
    /// Silent windows of the last two weeks in each cohort.
    package var historicWindows = 1_000

    package init(_ cohorts: [SimulatedCohort]) {
        self.cohorts = cohorts
        parameters.stages = Self.stages
        parameters.excludable = Set(SegmentKind.allCases)
        parameters.onInsufficientEvidence = .promoteUnproven
    }

    /// What became of one release.
    package struct Outcome: Sendable, Hashable {
        package var isRolledBack = false
        /// In the order in which they were excluded.
        package var excluded: [FleetSegment] = []
        /// The metrics that spoke when it was rolled back or lost a segment.
        package var causes: [GateMetric] = []
        package var isPaused = false
        /// Devices exposed, and hours since the start, when it was rolled back or first lost a segment.
        package var exposed = 0
        package var hours = 0
        package var turns = 0

        package init() {}

        /// Whether the release, or a part of it, was taken back.
        package var isTakenBack: Bool { isRolledBack || !excluded.isEmpty }
    }

    /// Devices treated in each stage, and held back, as the policy's default quotas have it.
    package static func stageSizes(of devices: Int) -> [Int] {
        GateReplay(devices: devices).stageSizes
    }

    package func run(seed: UInt64) -> Outcome {
        let gate = HealthGate(parameters)
        var random = SimulationRandom(seed: seed)
        let history = history(&random)
        let segments = FleetSegment.all(
            cohorts: Set(cohorts.map(\.cohort)), locales: Set(cohorts.flatMap(\.locales)))
        var outcome = Outcome()
        for stage in 0..<Self.stages {
            let began =
                GateReplay.began + Int64(stage * Self.ticksPerStage) * FleetModel.tickSeconds
            var replay = StageReplay(
                cohorts.map { ($0, Self.exposure(of: $0.devices, in: stage)) }, model: model,
                parameters: parameters, caps: caps, seed: seed, stage: stage, began: began)
            for tick in 1...Self.ticksPerStage {
                replay.tick()
                var evidence = StageEvidence(
                    began: began, now: replay.now, isLast: stage == Self.stages - 1,
                    requirements: .standard(stage: stage),
                    samples: replay.samples.filter { sample in
                        !outcome.excluded.contains { $0.contains(sample) }
                    })
                evidence.segments = segments
                evidence.history = history
                take(gate.judge(evidence), stage, tick, &outcome)
                if outcome.isRolledBack { break }
            }
            outcome.turns += replay.turnsSimulated
            if outcome.isRolledBack { break }
        }
        return outcome
    }

    private func take(
        _ judgement: Judgement, _ stage: Int, _ tick: Int, _ outcome: inout Outcome
    ) {
        let before = outcome.isTakenBack
        for finding in judgement.findings {
            switch finding.action {
            case .exclude:
                outcome.excluded.append(finding.segment)
                outcome.causes += [finding.reason.facts?.result.rule.metric].compactMap(\.self)
            case .pause: outcome.isPaused = true
            }
        }
        switch judgement.verdict {
        case .rollback:
            outcome.isRolledBack = true
            outcome.causes += [judgement.reason.facts?.result.rule.metric].compactMap(\.self)
        case .pause: outcome.isPaused = true
        case .promote, .promoteUnproven, .wait: break
        }
        guard outcome.isTakenBack, !before else { return }
        outcome.exposed = cohorts.reduce(0) {
            $0 + Self.exposure(of: $1.devices, in: stage).treated
        }
        outcome.hours = (stage * Self.ticksPerStage + tick) * 3
    }

    private static func exposure(of devices: Int, in stage: Int) -> StageExposure {
        let sizes = stageSizes(of: devices)
        return StageExposure(
            treatedBefore: stage == 0 ? 0 : sizes[stage - 1], treated: sizes[stage])
    }

    private func history(_ random: inout SimulationRandom) -> [Cohort: SilenceHistory] {
        var history: [Cohort: SilenceHistory] = [:]
        for cohort in cohorts {
            history[cohort.cohort] = SilenceHistory(
                silent: random.binomial(historicWindows, model.off), windows: historicWindows)
        }
        return history
    }
}
