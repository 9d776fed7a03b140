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

    let policy: Policy
    let channel: ChannelName
    /// Where the policy is listed; nil for one that is not published.
    let path: TargetPath?
    let census: FleetCensus
    /// Whether anybody follows the channel.
    private let hasDevices: Bool
    let parameters: GateParameters
    let power: Power
    let usage: FleetUsage

    init(
        _ policy: Policy, at path: TargetPath? = nil, channel: ChannelName, fleet: [Subscriber],
        usage: FleetUsage
    ) {
        var census = FleetCensus()
        for device in fleet {
            let bucket = Bucket(of: device.device, candidate: policy.candidate.sha256)
            census.add(device.attributes, bucket: bucket)
        }
        let locales = Set(fleet.map(\.attributes.locale)).count
        self.policy = policy
        self.channel = channel
        self.path = path
        self.census = census
        self.usage = usage
        hasDevices = !fleet.isEmpty
        parameters = GateParameters(policy)
        var assumptions = PowerAssumptions()
        assumptions.turnsPerHour = Double(usage.turnsPerDay) / 24
        let cohorts = census.buckets(in: policy.stages.map(\.where)).count
        power = Power(
            parameters, assumptions,
            segments: (cohorts > 1 ? cohorts : 0) + (locales > 1 ? locales : 0))
    }

    /// Devices of the two arms of one stage.
    private struct Arms {
        var treated = 0
        var control = 0
        /// How the treated come to the candidate.
        var arrival = Arrival()
    }

    private var arms: [Arms] {
        let held = ShareChoice.holdBack(policy, census: census)
        func heldBack(_ cohort: Cohort) -> BasisPoints { held[cohort] ?? policy.holdBack.share }
        var before: [Cohort: BasisPoints] = [:]
        var former = 0
        return policy.stages.enumerated().map { index, stage in
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
            // Whoever a stage has reached stays reached.
            let new = max(0, arms.treated - former)
            arms.arrival.newShare = Double(new) / Double(max(1, arms.treated))
            arms.arrival.rampHours = Double(stage.ramp) / 3_600
            if index > 0 {
                let last = policy.stages[index - 1]
                arms.arrival.formerHours = Double(max(0, last.leastSoak - last.ramp)) / 3_600
            }
            former = arms.treated
            return arms
        }
    }

    package var json: JSON {
        let stages = zip(policy.stages, arms).map { stage, arms -> JSON in
            [
                "name": .string(stage.name.description), "treated": .integer(Int64(arms.treated)),
                "control": .integer(Int64(arms.control)),
                "least_soak_s": .integer(stage.leastSoak),
                "most_soak_s": .integer(stage.mostSoak),
                "metrics": .array(parameters.rules.map { metric($0, stage, arms) }),
            ]
        }
        var fields: JSONObject = [
            "type": "forecast", "model": .string(policy.model.description),
            "channel": .string(channel.description), "candidate": policy.candidate.json,
            "turns_per_day": .integer(usage.turnsPerDay),
            "turns_per_day_from": .string(usage.source.rawValue), "stages": .array(stages),
            "warnings": .array(warnings.map { .string($0) }),
        ]
        fields["policy"] = path.map { .string($0.description) }
        return .object(fields)
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
            policy.isInitial
            ? .null
            : power.hours(
                toSee: limit, rule, treated: arms.treated, control: arms.control,
                arrival: arms.arrival
            ).map { .integer(Int64($0)) } ?? .null
        return .object(fields)
    }

    /// The smallest ratio that would be stopped after so many seconds; nil where there would be no data.
    private func sees(_ rule: MetricRule, _ arms: Arms, _ seconds: Int64) -> Double? {
        guard !policy.isInitial else { return nil }
        return power.blindSpot(
            rule, treated: arms.treated, control: arms.control, hours: Double(seconds) / 3_600,
            arrival: arms.arrival)
    }

    /// The least bad devices among all treated at which test C rolls back; nil where all would not be enough.
    private func badDevices(_ rule: MetricRule, _ arms: Arms) -> Int? {
        let isInitial = policy.isInitial
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

    /// The stages that can never show what their policy asks for, or go on, with this fleet.
    ///
    /// A first release has no control, and its stages need none of that evidence; turns that count they need too.
    var warnings: [String] {
        guard !policy.isInitial else {
            return zip(policy.stages, arms).flatMap(muteness)
        }
        guard hasDevices || policy.stages.allSatisfy(\.requiredBlindSpot.isEmpty) else {
            return [
                "fleet: expected devices that follow channel '\(channel)', got none: "
                    + "no stage can show what its policy asks for"
            ]
        }
        return zip(policy.stages, arms).flatMap { stage, arms in
            (hasDevices ? shortages(stage, arms) : []) + muteness(stage, arms)
                + blindness(stage, arms)
        }
    }

    /// A stage in which no device gets beyond its burn-in, so that nothing is ever known of the candidate.
    private func muteness(_ stage: Stage, _ arms: Arms) -> [String] {
        let hours = Double(stage.mostSoak) / 3_600
        guard arms.treated > 0, power.countingShare(hours: hours, arrival: arms.arrival) == 0
        else { return [] }
        return [
            "stage '\(stage.name)': expected turns that count, got none within its most soak: each new device leaves "
                + "out \(policy.burnInSeconds) seconds and \(policy.burnInTurns) turns (burn_in), and a device has "
                + "\(usage.turnsPerDay) turns a day"
        ]
    }

    /// A stage that the gate will pause because too few devices stay on the old release, whatever the candidate does.
    private func shortages(_ stage: Stage, _ arms: Arms) -> [String] {
        guard arms.control < parameters.minControl else { return [] }
        return [
            "stage '\(stage.name)': expected \(parameters.minControl) control devices at least (min_devices_control), "
                + "got \(arms.control): the gate will pause it"
        ]
    }

    /// What the policy asks a stage to see, and it never can with this fleet.
    private func blindness(_ stage: Stage, _ arms: Arms) -> [String] {
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
            let found = seen.map { Self.text($0, metric) } ?? "nothing"
            return
                "stage '\(stage.name)': expected to see \(metric.rawValue) of \(Self.text(required, metric)), "
                + "got \(found) after its most soak, with \(arms.treated) devices against \(arms.control)"
        }
    }

    /// A share of turns in percent, or a ratio; what is beyond all meaning is not spelt out.
    private static func text(_ value: Double, _ metric: GateMetric) -> String {
        let isShare = metric.test == .rate
        guard value.isFinite, value < 1e6 else { return "nothing" }
        let scaled = Int64((value * (isShare ? 10_000 : 100)).rounded())
        let rest = scaled % 100
        let number = "\(scaled / 100).\(rest < 10 ? "0" : "")\(rest)"
        return isShare ? "\(number)%" : "x\(number)"
    }

    private static func thousandths(_ value: Double?) -> JSON {
        guard let value, value.isFinite else { return .null }
        return .integer(Int64(min(9e15, (value * 1_000).rounded())))
    }
}
