package import Health
import Primitives
package import Rollouts
import Telemetry

extension GateParameters {
    /// The gate's numbers as a signed policy has them: thousandths become ratios, nothing is added.
    package init(_ policy: Policy) {
        let numbers = policy.statistics
        self.init()
        alpha = Self.ratio(numbers.alpha)
        alphaPause = Self.ratio(numbers.alphaPause)
        fleetPart = Self.ratio(numbers.fleetPart)
        stages = policy.stages.count
        rules = policy.gates.compactMap(MetricRule.init)
        sizeFraction = Self.ratio(numbers.sizeFraction)
        pauseFraction = Self.ratio(numbers.pauseFraction)
        pseudoDevices = Double(numbers.n0)
        correlation = Self.ratio(numbers.rho0)
        minTurns = numbers.minTurnsP95
        minReferenceTurns = numbers.minReferenceTurns
        minTreated = numbers.minDevicesTreated
        minControl = numbers.minDevicesControl
        minWeight = Double(numbers.minWeight)
        deadlineSeconds = policy.checkInDeadline
        burnInSeconds = policy.burnInSeconds
        burnInTurns = policy.burnInTurns
        coverage = Self.ratio(numbers.coverage)
        minMissing = numbers.minMissing
        jumpRatio = Self.ratio(numbers.jump)
        jumpTurns = numbers.jumpTurns
        attemptsShare = Self.ratio(numbers.attemptsQ0)
        uncontrolledShare = Self.ratio(numbers.uncontrolledQ0)
        onInsufficientEvidence =
            switch policy.onInsufficientEvidence {
            case .pause: .pause
            case .promoteUnproven: .promoteUnproven
            }
        excludable = Set(policy.excludable.compactMap { SegmentKind(rawValue: $0.rawValue) })
        let errors = policy.gates.first { $0.metric == .errors }
        absolute.errorShare = errors?.absolute.map(Self.ratio)
        let latency = policy.gates.first { $0.metric == .latencyP95 }
        absolute.p95Milliseconds = latency?.absolute.map(Double.init)
        if let clock = latency?.clock { judge(by: clock) }
    }

    fileprivate static func ratio(_ thousandths: Int) -> Double { Double(thousandths) / 1_000 }
}

extension MetricRule {
    /// A gate of a policy; nil for a metric that the gate does not know.
    fileprivate init?(_ gate: Gate) {
        guard let metric = GateMetric(rawValue: gate.metric.rawValue) else { return nil }
        let direction: MetricDirection =
            switch gate.direction {
            case .higherIsWorse: .higherIsWorse
            case .lowerIsWorse: .lowerIsWorse
            case .watch: .watch
            }
        self.init(
            metric, limit: gate.limit.map(GateParameters.ratio) ?? 1,
            allowedShare: metric.test == .rate ? gate.absolute.map(GateParameters.ratio) : nil,
            accepted: GateParameters.ratio(gate.accepted), direction: direction,
            clock: gate.clock ?? .latency)
    }
}

extension StageRequirements {
    /// What a stage of a policy asks for.
    package init(_ stage: Stage) {
        self.init()
        leastSoakSeconds = stage.leastSoak
        mostSoakSeconds = stage.mostSoak
        let spots = stage.requiredBlindSpot.compactMap { metric, value in
            GateMetric(rawValue: metric.rawValue).map { ($0, GateParameters.ratio(value)) }
        }
        blindSpots = Dictionary(spots) { first, _ in first }
    }
}

extension ControllerEvent.Verdict {
    /// What the gate found, as the controller takes it; the evidence is the gate's own sentence.
    package init(_ judgement: Judgement) {
        self.init(
            fleet: ControllerEvent.Finding(
                Self.call(judgement.verdict), metric: Self.metric(judgement.reason),
                evidence: judgement.text),
            segments: judgement.findings.map { finding in
                ControllerEvent.SegmentFinding(
                    segment: Segment(finding.segment),
                    finding: ControllerEvent.Finding(
                        finding.action == .exclude ? .rollback : .pause,
                        metric: Self.metric(finding.reason), evidence: finding.reason.text))
            })
    }

    private static func call(_ verdict: Health.Verdict) -> ControllerEvent.Finding.Call {
        switch verdict {
        case .promote: .promote
        case .promoteUnproven: .promoteUnproven
        case .wait: .wait
        case .pause: .pause
        case .rollback: .rollback
        }
    }

    /// The metric that spoke, where one did.
    private static func metric(_ reason: Reason) -> Metric? {
        let metric: GateMetric? =
            switch reason {
            case .test(let facts), .segments(_, let facts), .untrusted(_, let facts):
                facts.result.rule.metric
            case .coverage: .silent
            case .absolute(let finding, _, _): finding.metric
            case .noControl, .soaking, .blind, .proven: nil
            }
        return metric.flatMap { Metric(rawValue: $0.rawValue) }
    }
}

extension Segment {
    init(_ segment: FleetSegment) {
        switch segment {
        case .cohort(let cohort): self = .cohort(cohort)
        case .region(let region): self = .region(region)
        case .deviceClass(let deviceClass): self = .deviceClass(deviceClass)
        case .locale(let locale): self = .locale(locale)
        }
    }
}
