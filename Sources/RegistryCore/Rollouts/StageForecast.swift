import Glibc
import Health
package import Primitives
import Rollouts

/// What each stage of a rollout can prove with the fleet that there is: the smallest worsening it would stop.
///
/// Before the start it is what a person reads; afterwards too, since it is made of the policy and of who follows the channel.
package struct StageForecast: Sendable {
    /// The share of silent and of jumped devices that is expected where nothing is wrong.
    static let usualShare = 0.01

    let rollout: RolloutRecord
    let census: FleetCensus
    let parameters: GateParameters
    let power: Power
    /// Turns of a device in a day that are assumed.
    let turnsPerDay: Int64

    init(_ rollout: RolloutRecord, census: FleetCensus, turnsPerDay: Int64, locales: Int) {
        self.rollout = rollout
        self.census = census
        self.turnsPerDay = turnsPerDay
        let policy = rollout.state.policy
        parameters = GateParameters(policy)
        var assumptions = PowerAssumptions()
        assumptions.turnsPerHour = Double(turnsPerDay) / 24
        let cohorts = census.buckets(in: policy.stages.map(\.where)).count
        power = Power(
            parameters, assumptions,
            segments: (cohorts > 1 ? cohorts : 0) + (locales > 1 ? locales : 0))
    }

    /// Devices of the two arms of one stage.
    private struct Arms {
        var treated = 0
        var control = 0
    }

    private var arms: [Arms] {
        let policy = rollout.state.policy
        let held = ShareChoice.holdBack(policy, census: census)
        func heldBack(_ cohort: Cohort) -> BasisPoints { held[cohort] ?? policy.holdBack.share }
        var before: [Cohort: BasisPoints] = [:]
        return policy.stages.map { stage in
            let chosen = ShareChoice.shares(
                of: stage, census: census, holdBack: heldBack,
                before: { before[$0] ?? .none })
            var arms = Arms()
            for (cohort, buckets) in census.buckets(in: [stage.where]) {
                let share = chosen[cohort] ?? stage.quota.share
                before[cohort] = max(before[cohort] ?? .none, share)
                let free = Bucket.count - heldBack(cohort).value
                let treated = buckets.count { $0 < min(share.value, free) }
                arms.treated += treated
                arms.control += buckets.count - treated
            }
            return arms
        }
    }

    package var json: JSON {
        let stages = zip(rollout.state.policy.stages, arms).map { stage, arms -> JSON in
            [
                "name": .string(stage.name.description), "treated": .integer(Int64(arms.treated)),
                "control": .integer(Int64(arms.control)),
                "least_soak_s": .integer(stage.leastSoak),
                "most_soak_s": .integer(stage.mostSoak),
                "metrics": .array(parameters.rules.map { metric($0, stage, arms) }),
            ]
        }
        return [
            "type": "forecast", "model": .string(rollout.model.description),
            "channel": .string(rollout.channel.description),
            "candidate": rollout.state.plan.candidate.json,
            "policy": .string(rollout.state.plan.policy.path.description),
            "turns_per_day": .integer(turnsPerDay), "stages": .array(stages),
            "warnings": .array(warnings.map { .string($0) }),
        ]
    }

    /// Ratios in thousandths; of test C how many bad devices it takes.
    private func metric(_ rule: MetricRule, _ stage: Stage, _ arms: Arms) -> JSON {
        var fields: JSONObject = ["metric": .string(rule.metric.rawValue)]
        if rule.metric.test == .once {
            fields["bad_devices"] = badDevices(rule, arms).map { .integer(Int64($0)) } ?? .null
            return .object(fields)
        }
        let limit = rule.limit(controlRate: power.assumptions.rates[rule.metric] ?? 0)
        fields["limit"] = Self.thousandths(limit)
        fields["after_least_soak"] = Self.thousandths(sees(rule, arms, stage.leastSoak))
        fields["after_most_soak"] = Self.thousandths(sees(rule, arms, stage.mostSoak))
        fields["hours_to_limit"] =
            rollout.state.policy.isInitial
            ? .null
            : power.hours(toSee: limit, rule, treated: arms.treated, control: arms.control)
                .map { .integer(Int64($0)) } ?? .null
        return .object(fields)
    }

    /// The smallest ratio that would be stopped after so many seconds; nil where there would be no data.
    private func sees(_ rule: MetricRule, _ arms: Arms, _ seconds: Int64) -> Double? {
        guard !rollout.state.policy.isInitial else { return nil }
        return power.blindSpot(
            rule, treated: arms.treated, control: arms.control, hours: Double(seconds) / 3_600)
    }

    /// The least bad devices among all treated at which test C rolls back; nil where all would not be enough.
    private func badDevices(_ rule: MetricRule, _ arms: Arms) -> Int? {
        let isInitial = rollout.state.policy.isInitial
        let excused: Double
        switch rule.metric {
        case .attemptsFailed: excused = parameters.attemptsShare
        case .localRollbacks where !isInitial: excused = parameters.attemptsShare
        case .silent where isInitial, .localRollbacks: excused = parameters.uncontrolledShare
        default:
            guard !isInitial, arms.control > 0 else { return nil }
            let control = Double(arms.control)
            excused = CountTest.excusedShare(bad: Self.usualShare * control, of: control)
        }
        let part =
            power.segments == 0 ? 1 : parameters.fleetPart
        let level = GateParameters.level(
            parameters.alpha * part, tests: parameters.rules.count, stages: parameters.stages)
        return (1...max(1, arms.treated)).first { bad in
            arms.treated >= bad
                && CountTest.logE(bad: Double(bad), of: Double(arms.treated), q0: excused)
                    >= -log(level)
        }
    }

    /// The stages that can never show what their policy asks for, with this fleet.
    var warnings: [String] {
        guard !rollout.state.policy.isInitial else { return [] }
        return zip(rollout.state.policy.stages, arms).flatMap { stage, arms -> [String] in
            let required = StageRequirements(stage).blindSpots.sorted {
                $0.key.rawValue < $1.key.rawValue
            }
            return required.compactMap { metric, required in
                guard let rule = parameters.rules.first(where: { $0.metric == metric }) else {
                    return nil
                }
                // Rates are required as a share of turns, and foreseen as a ratio.
                let rate = metric.test == .rate ? power.assumptions.rates[metric] ?? 0 : 1
                let seen = sees(rule, arms, stage.mostSoak).map { $0 * rate }
                guard seen.map({ $0 > required }) ?? true else { return nil }
                let found = seen.map { "\(Self.text($0))" } ?? "nothing"
                return
                    "stage '\(stage.name)': expected to see \(metric.rawValue) of \(Self.text(required)), "
                    + "got \(found) after its most soak, with \(arms.treated) devices against \(arms.control)"
            }
        }
    }

    private static func text(_ value: Double) -> String {
        let thousandths = Int64((value * 1_000).rounded())
        let rest = String(thousandths % 1_000)
        return "\(thousandths / 1_000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    private static func thousandths(_ value: Double?) -> JSON {
        guard let value, value.isFinite else { return .null }
        return .integer(Int64(min(9e15, (value * 1_000).rounded())))
    }
}
