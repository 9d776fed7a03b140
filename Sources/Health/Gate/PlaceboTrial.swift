package import Primitives

/// The gate on a cohort in which nothing has changed: how often it would have rolled back.
///
/// All devices run one version. Again and again some of them are taken for treated by chance, and the tests are run
/// as on one cohort with all of alpha. Where they fire more often than alpha, what the gate assumes of this cohort
/// does not hold.
package struct PlaceboTrial: Sendable {
    package static let runs = 300
    /// The most devices of a cohort that are looked at.
    package static let deviceLimit = 2_000
    /// False rollbacks in a hundred runs that are still trusted.
    package static let toleratedPercent = 1

    private let gate: HealthGate
    private let samples: [DeviceSample]
    private let now: UTCTime

    /// `samples` are devices of one cohort on one version; those beyond the limit are left out.
    ///
    /// Silence is compared with the others of the same hours alone.
    package init(_ parameters: GateParameters, _ samples: [DeviceSample], at now: UTCTime) {
        gate = HealthGate(parameters)
        self.samples = Array(samples.prefix(Self.deviceLimit))
        self.now = now
    }

    /// Whether so many false rollbacks in so many runs are no more than chance allows.
    package static func isTrusted(fired: Int, runs: Int) -> Bool {
        fired * 100 <= runs * toleratedPercent
    }

    /// Whether there are devices enough for any comparison.
    package var isPossible: Bool {
        samples.count >= treated + gate.parameters.minControl
    }

    /// A tenth of the cohort, and ten devices at least where that leaves twice as many.
    private var treated: Int {
        let parameters = gate.parameters
        return max(parameters.minTreated, samples.count / 10, min(10, samples.count / 3))
    }

    /// In how many of so many runs the tests would have rolled back.
    package func fired(
        in runs: Int = runs, using random: inout some RandomNumberGenerator
    ) -> Int {
        guard isPossible else { return 0 }
        return (0..<runs).reduce(0) { fired, _ in
            let order = samples.indices.shuffled(using: &random)
            return fired + (rollsBack(Set(order.prefix(treated))) ? 1 : 0)
        }
    }

    private func rollsBack(_ treated: Set<Int>) -> Bool {
        let began = now + -2 * gate.parameters.deadlineSeconds
        var evidence = StageEvidence(
            began: began, now: now, isLast: false, requirements: StageRequirements(),
            samples: samples.indices.map { index in
                var sample = samples[index]
                sample.arm = treated.contains(index) ? .treated : .control
                return sample
            })
        evidence.segments = []
        return gate.results(evidence).contains { $0.rollsBack(gate.parameters) }
    }
}
