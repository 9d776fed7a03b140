package import Primitives

/// What happens in a stage that ends without the evidence it needs.
package enum InsufficientEvidence: String, Sendable, Hashable, CaseIterable {
    case pause
    case promoteUnproven = "promote_unproven"
}

/// All numbers of the gate, each a policy field, with the defaults of docs/formats/policy.md.
package struct GateParameters: Sendable, Hashable {
    /// The chance of rolling back a release in which nothing is wrong: of the whole rollout, over all tests.
    package var alpha = 0.01
    /// The same for a pause.
    package var alphaPause = 0.10
    /// The part of alpha for the fleet's tests; cohorts and segments share the rest.
    package var fleetPart = 0.5
    /// Stages of the rollout, which share alpha.
    package var stages = 3
    package var rules = MetricRule.defaults
    /// ROLLBACK also needs this part of the limit, on the logarithmic scale.
    package var sizeFraction = 2.0 / 3
    /// PAUSE also needs this part of it.
    package var pauseFraction = 1.0 / 3
    /// Pseudo-devices of pooled variance that each arm borrows (n0).
    package var pseudoDevices = 30.0
    /// Correlation of a device's turns (rho0): no device weighs more than 1/rho0 turns.
    package var correlation = 0.02
    /// Turns before a device's own percentile counts.
    package var minTurns = 20
    /// Turns that its reference must have.
    package var minReferenceTurns = 20
    /// Below these many devices a test has no data.
    package var minTreated = 3
    package var minControl = 5
    /// Weight (about turns) that each arm needs before a rate is tested.
    package var minWeight = 20.0
    /// Seconds after exposure within which a device must be heard.
    package var deadlineSeconds: Int64 = 12 * 3_600
    /// Seconds at the start of a stage, and turns after a swap, that devices leave out of their figures.
    package var burnInSeconds: Int64 = 3 * 3_600
    package var burnInTurns = 10
    /// Reporting devices among the exposed, relative to control.
    package var coverage = 0.90
    /// Coverage acts only with this many devices missing.
    package var minMissing = 2
    /// A device whose own percentile grew by this ratio has jumped; judged once, after `jumpTurns`.
    package var jumpRatio = 1.5
    package var jumpTurns = 40
    /// The share of failed attempts, and of local rollbacks, that test C excuses: control devices run none.
    package var attemptsShare = 0.02
    /// Without control: the shares of silent devices and of local rollbacks that it excuses.
    package var uncontrolledShare = 0.02
    package var onInsufficientEvidence = InsufficientEvidence.pause
    /// Kinds of segment that may be excluded instead of rolling back the whole.
    package var excludable: Set<SegmentKind> = []
    /// Where too few devices have a reference, test A compares the figures as they are.
    package var unpairedFallback = true
    /// Widens the standard error of test A as `Boundary.inflation` says, on the fleet too; segments always have it: without
    /// it cohorts of ten devices were excluded from sound releases twice as often as alpha allows (docs/gate-simulation.md).
    package var inflatesSmallSamples = false
    /// Limits that need no control, for a first release.
    package var absolute = AbsoluteLimits()

    package init() {}

    /// Lets one of the two durations judge: `latency_p95` and `jumped`.
    package mutating func judge(by clock: TurnClock) {
        for index in rules.indices where [.latencyP95, .jumped].contains(rules[index].metric) {
            rules[index].clock = clock
        }
    }

    /// The level of one test: its share of `budget` over tests and stages.
    package static func level(_ budget: Double, tests: Int, stages: Int) -> Double {
        budget / (Double(max(1, tests)) * Double(max(1, stages)))
    }
}

/// Limits on the candidate's own figures, for a release that has no control.
package struct AbsoluteLimits: Sendable, Hashable {
    /// Mean over devices of the judged p95, in milliseconds; not judged where nil.
    package var p95Milliseconds: Double?
    /// Failed turns among all turns; not judged where nil.
    package var errorShare: Double? = 0.05

    package init() {}
}

/// What one stage asks for.
package struct StageRequirements: Sendable, Hashable {
    /// Seconds that it lasts at least, and after which the gate stops waiting.
    package var leastSoakSeconds: Int64 = 24 * 3_600
    package var mostSoakSeconds: Int64 = 72 * 3_600
    /// The largest worsening that the stage may be unable to see, by metric.
    ///
    /// A ratio for metrics of test A, a share of all turns for rates. Others inform and do not gate.
    package var blindSpots: [GateMetric: Double] = [:]

    package init() {}

    /// p95 x2.0, x1.6, x1.3 and error rate 8%, 5%, 3% for the first, second and later stages.
    package static func standard(stage: Int) -> StageRequirements {
        var requirements = StageRequirements()
        requirements.blindSpots = [
            .latencyP95: [2.0, 1.6, 1.3][min(max(stage, 0), 2)],
            .errors: [0.08, 0.05, 0.03][min(max(stage, 0), 2)],
        ]
        return requirements
    }
}
