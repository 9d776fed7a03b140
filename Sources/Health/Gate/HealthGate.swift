private import Glibc
private import Primitives

/// The statistical check of one stage: a pure function of what is known at one look.
///
/// The tests on the fleet and on its segments, and the decision (docs/gate.md).
package struct HealthGate: Sendable {
    package let parameters: GateParameters

    package init(_ parameters: GateParameters) { self.parameters = parameters }

    /// Judges a stage as it stands.
    package func judge(_ evidence: StageEvidence) -> Judgement {
        let look = GateLook(parameters: parameters, evidence: evidence)
        return look.judgement()
    }

    /// The tests alone, of the whole fleet.
    package func results(_ evidence: StageEvidence) -> [TestResult] {
        let look = GateLook(parameters: parameters, evidence: evidence)
        return look.results(look.allRows, segment: nil)
    }
}

/// One look: the samples as columns, worked out once for the fleet and all segments.
struct GateLook {
    let parameters: GateParameters
    let evidence: StageEvidence
    let panel: Panel
    let segments: [FleetSegment]
    let allRows: [Int]
    private let tests: [MetricTest]

    /// One rule, tested on the fleet and on segments: those may be of a few devices.
    private struct MetricTest {
        let rule: MetricRule
        let fleet: ([Int]) -> Measurement
        let segment: ([Int]) -> Measurement
    }

    init(parameters: GateParameters, evidence: StageEvidence) {
        self.parameters = parameters
        self.evidence = evidence
        let panel = Panel(evidence.samples)
        self.panel = panel
        allRows = Array(evidence.samples.indices)
        segments =
            evidence.segments
            ?? FleetSegment.all(
                cohorts: Set(evidence.samples.map(\.cohort)),
                locales: Set(evidence.samples.compactMap(\.locale)))
        var careful = parameters
        careful.inflatesSmallSamples = true
        tests = parameters.rules.compactMap { rule in
            guard let fleet = Self.test(rule, panel, parameters, evidence),
                let segment = Self.test(rule, panel, careful, evidence)
            else { return nil }
            return MetricTest(rule: rule, fleet: fleet, segment: segment)
        }
    }

    /// Every test on some rows, at the levels of the fleet or of one segment.
    func results(_ rows: [Int], segment: FleetSegment?) -> [TestResult] {
        tests.map { test in
            TestResult(
                rule: test.rule, segment: segment,
                measurement: segment == nil ? test.fleet(rows) : test.segment(rows),
                level: level(parameters.alpha, isFleet: segment == nil),
                pauseLevel: level(parameters.alphaPause, isFleet: segment == nil),
                alpha: parameters.alpha)
        }
    }

    func rows(in segment: FleetSegment) -> [Int] {
        allRows.filter { segment.contains(panel.samples[$0]) }
    }

    /// A test's share of `budget`: the fleet's tests have `fleetPart`, all segments together the rest.
    func level(_ budget: Double, isFleet: Bool) -> Double {
        let part =
            segments.isEmpty
            ? 1
            : isFleet
                ? parameters.fleetPart : (1 - parameters.fleetPart) / Double(segments.count)
        return GateParameters.level(
            budget * part, tests: parameters.rules.count, stages: parameters.stages)
    }

    /// A rule that watches both ways: the way that stands out more.
    private static func watch(
        _ rule: MetricRule, _ panel: Panel, _ parameters: GateParameters, _ evidence: StageEvidence
    ) -> (([Int]) -> Measurement)? {
        let ways = [MetricDirection.higherIsWorse, .lowerIsWorse].compactMap { direction in
            var oneWay = rule
            oneWay.direction = direction
            return test(oneWay, panel, parameters, evidence)
        }
        guard let up = ways.first, let down = ways.last else { return nil }
        return { rows in
            let (one, other) = (up(rows), down(rows))
            guard case .estimate(let higher) = one, case .estimate(let lower) = other else {
                return one
            }
            return lower.z > higher.z ? other : one
        }
    }

    /// How one rule is tested, or nil where this stage cannot test it: without control only test C speaks.
    private static func test(
        _ rule: MetricRule, _ panel: Panel, _ parameters: GateParameters, _ evidence: StageEvidence
    ) -> (([Int]) -> Measurement)? {
        if rule.direction == .watch { return watch(rule, panel, parameters, evidence) }
        let isControlled = evidence.control == .concurrent
        switch rule.metric.test {
        case .continuous:
            guard isControlled else { return nil }
            return ContinuousTest(
                panel: panel, columns: panel.continuous(rule, parameters), parameters: parameters,
                rule: rule
            ).evaluate
        case .rate:
            guard isControlled else { return nil }
            return RateTest(
                panel: panel, columns: panel.rate(rule.metric), parameters: parameters, rule: rule
            ).evaluate
        case .once:
            guard isControlled || rule.metric != .jumped else { return nil }
            let fixed: Double? =
                switch rule.metric {
                case .attemptsFailed: parameters.attemptsShare
                case .localRollbacks where isControlled: parameters.attemptsShare
                default: isControlled ? nil : parameters.uncontrolledShare
                }
            return StratifiedCountTest(
                panel: panel, answers: panel.answers(rule, parameters, at: evidence.now),
                fixedShare: fixed, history: rule.metric == .silent ? evidence.history : [:]
            ).evaluate
        }
    }
}
