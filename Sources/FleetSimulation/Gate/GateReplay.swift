package import Health
import Primitives

/// A rollout of three stages of a day each over one cohort, with a look of the gate after every tick.
///
/// The gate's tests alone decide: no coverage rule, no blind spot, and a pause stops nobody
/// (docs/gate-simulation.md).
package struct GateReplay: Sendable {
    package static let ticksPerStage = 8

    package var model = FleetModel()
    package var caps = SampleCaps()
    package var effect = CandidateEffect()
    package let devices: Int
    /// Devices that a canary has at least.
    package var floor = 10
    /// Silent windows of the last two weeks, drawn anew for each rollout.
    package var historicWindows = 5_000
    package var parameters = Self.acceptanceParameters()

    package init(devices: Int) { self.devices = devices }

    /// What became of one rollout.
    package struct Outcome: Sendable, Hashable {
        /// The stage in which it was rolled back, from 0; nil where it was not.
        package var stage: Int?
        /// Devices exposed, and hours since the rollout began, at that moment.
        package var exposed = 0
        package var hours = 0
        /// Whether the gate asked for a pause, before or instead of a rollback.
        package var isPaused = false
        package var turns = 0

        package init() {}
    }

    /// Devices that are treated in each stage; the rest of the cohort is control.
    package var stageSizes: [Int] {
        func part(_ percent: Int) -> Int { (devices * percent + 99) / 100 }
        let held = max(part(5), min(50, part(25)))
        let first = max(part(1), min(floor, part(25)))
        let second = max(part(10), min(2 * first, part(50)))
        return [first, second, devices - held]
    }

    /// The seven tests of the acceptance table, with all of alpha for them.
    package static func acceptanceParameters() -> GateParameters {
        var parameters = GateParameters()
        let active: Set<GateMetric> = [
            .latencyP95, .falsePositives, .errors, .escalations, .abandonment, .silent, .jumped,
        ]
        parameters.rules = parameters.rules.filter { active.contains($0.metric) }
        parameters.pauseFraction = 0
        parameters.unpairedFallback = false
        return parameters
    }

    package func run(seed: UInt64) -> Outcome {
        let gate = HealthGate(parameters)
        var random = SimulationRandom(seed: seed)
        let silent = random.binomial(historicWindows, model.off)
        var cohort = SimulatedCohort(Self.cohort, devices: devices)
        cohort.effect = effect
        var outcome = Outcome()
        var before = 0
        for (stage, treated) in stageSizes.enumerated() {
            let began = Self.began + Int64(stage * Self.ticksPerStage) * FleetModel.tickSeconds
            var replay = StageReplay(
                [(cohort, StageExposure(treatedBefore: before, treated: treated))], model: model,
                parameters: parameters, caps: caps, seed: seed, stage: stage, began: began)
            for tick in 1...Self.ticksPerStage {
                replay.tick()
                var evidence = StageEvidence(
                    began: began, now: replay.now, isLast: stage == 2,
                    requirements: StageRequirements(), samples: replay.samples)
                evidence.history = [
                    Self.cohort: SilenceHistory(silent: silent, windows: historicWindows)
                ]
                let results = gate.results(evidence)
                if results.contains(where: { $0.pauses(parameters) }) { outcome.isPaused = true }
                guard results.contains(where: { $0.rollsBack(parameters) }) else { continue }
                outcome.stage = stage
                outcome.exposed = treated
                outcome.hours = (stage * Self.ticksPerStage + tick) * 3
                outcome.turns += replay.turnsSimulated
                return outcome
            }
            outcome.turns += replay.turnsSimulated
            before = treated
        }
        return outcome
    }

    static let began = UTCTime(clamping: 1_800_000_000)
    static let cohort: Cohort = {
        guard let cohort = Cohort("all/all") else { preconditionFailure("'all' is a name") }
        return cohort
    }()
}
