import Health
package import Primitives
import Rollouts
import Telemetry

/// Tries the gate on cohorts in which nothing changes, once a day: where it fires too often, no rollback is automatic.
///
/// A trial takes the devices that run the version that most of a cohort run, with their newest figures
/// (docs/gate.md).
package struct Placebos: Sendable {
    /// Seconds between two trials of a channel.
    package static let interval: Int64 = 86_400

    private let store: any RegistryStoring

    private let runs: Int

    /// `runs` of each cohort in a trial; as many as `PlaceboTrial` says where nil.
    package init(store: any RegistryStoring, runs: Int? = nil) {
        self.store = store
        self.runs = runs ?? PlaceboTrial.runs
    }

    /// Tries all cohorts of the channels whose last trial is a day old, and remembers what came of it.
    ///
    /// - Returns: the trials made now; one of no runs for a cohort with too few devices for any comparison.
    @discardableResult
    package func run(
        at now: UTCTime, using random: inout some RandomNumberGenerator
    ) throws(RegistryError) -> [PlaceboRecord] {
        var made: [PlaceboRecord] = []
        for rollout in try due(at: now) {
            let parameters = GateParameters(rollout.state.policy)
            let cohorts = try store.read { (records) throws(RegistryError) in
                try Self.samples(rollout, parameters, in: records, at: now)
            }
            var trials: [PlaceboRecord] = []
            for (cohort, samples) in cohorts.sorted(by: { $0.key < $1.key }) {
                let trial = PlaceboTrial(parameters, samples, at: now)
                let runs = trial.isPossible ? runs : 0
                trials.append(
                    PlaceboRecord(
                        model: rollout.model, channel: rollout.channel, cohort: cohort, at: now,
                        devices: min(samples.count, PlaceboTrial.deviceLimit),
                        runs: runs, fired: trial.fired(in: runs, using: &random)))
            }
            try remember(trials, of: rollout, at: now)
            made += trials
        }
        return made
    }

    /// The rollouts of channels that have none of today.
    private func due(at now: UTCTime) throws(RegistryError) -> [RolloutRecord] {
        try store.read { (records) throws(RegistryError) in
            var due: [RolloutRecord] = []
            for rollout in try records.rollouts() {
                let last = try records.placebos(rollout.model, rollout.channel).map(\.at).max()
                if last.map({ now - $0 >= Self.interval }) ?? true { due.append(rollout) }
            }
            return due
        }
    }

    private func remember(
        _ trials: [PlaceboRecord], of rollout: RolloutRecord, at now: UTCTime
    ) throws(RegistryError) {
        try store.write { (records) throws(RegistryError) in
            let last = try records.placebos(rollout.model, rollout.channel)
            for trial in trials {
                try records.setPlacebo(trial)
                let wasTrusted = last.first { $0.cohort == trial.cohort }?.isTrusted ?? true
                guard trial.isTrusted != wasTrusted else { continue }
                try records.append(.placeboJudged(trial, rollout), by: .registry, at: now)
            }
        }
    }

    /// The devices of each cohort that run what most of them run, with their newest figures.
    private static func samples(
        _ rollout: RolloutRecord, _ parameters: GateParameters, in records: any RegistryRecords,
        at now: UTCTime
    ) throws(RegistryError) -> [Cohort: [DeviceSample]] {
        var members: [Cohort: [Subscriber]] = [:]
        let subscribers = try records.subscribers(
            model: rollout.model, channel: rollout.channel)
        for subscriber in subscribers {
            // Ids are digests of keys, so the first in their order are a sample by chance.
            let cohort = subscriber.attributes.cohort
            guard members[cohort, default: []].count < PlaceboTrial.deviceLimit else { continue }
            members[cohort, default: []].append(subscriber)
        }
        var samples: [Cohort: [DeviceSample]] = [:]
        for (cohort, subscribers) in members {
            var reports: [Report] = []
            for subscriber in subscribers {
                let newest = try records.figures(of: subscriber.device).lazy.map(\.report)
                    .first { $0.model == rollout.model && $0.version != nil }
                if let newest { reports.append(newest) }
            }
            samples[cohort] = []
            let version = mostCommon(reports.compactMap(\.version))
            for report in reports where report.version == version {
                samples[cohort, default: []].append(
                    try sample(report, cohort, parameters, in: records, at: now))
            }
        }
        return samples
    }

    private static func sample(
        _ report: Report, _ cohort: Cohort, _ parameters: GateParameters,
        in records: any RegistryRecords, at now: UTCTime
    ) throws(RegistryError) -> DeviceSample {
        var sample = DeviceSample(device: report.device, cohort: cohort, arm: .control)
        sample.locale = report.attributes.locale
        sample.take(report)
        sample.exposedAt = now + -parameters.deadlineSeconds
        sample.lastHeard = try records.hearing(report.device)?.at
        return sample
    }

    private static func mostCommon(_ versions: [SemanticVersion]) -> SemanticVersion? {
        let counts = versions.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        return counts.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key
    }
}
