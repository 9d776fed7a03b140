package import Health
import Primitives

/// One row of the table of releases: what is wrong, and where.
package struct ReleaseRow: Sendable {
    package enum Place: Sendable, Hashable {
        case everywhere
        /// The largest region, the largest class, or the first locale alone.
        case region
        case deviceClass
        case locale
    }

    /// What has to come of it, in percent of the runs.
    package enum Demand: Sendable, Hashable {
        /// Taken back, in whole or in part, at most so often.
        case soundAtMost(Double)
        /// Rolled back, in whole or in part, at least so often.
        case takenBackAtLeast(Double)
        /// The segment, or a part of it, excluded at least so often, and the release rolled back at most so often. Where
        /// the segment is most of the fleet, either will do.
        case excludedAtLeast(Double, rolledBackAtMost: Double)
    }

    package let name: String
    package var effect = CandidateEffect()
    package var place = Place.everywhere
    /// A known cost that the policy accepts, as a ratio of latency and of processor time, which the generator moves
    /// together.
    package var accepted = 1.0
    package let demand: Demand

    package static let all: [ReleaseRow] = [
        ReleaseRow(name: "nothing wrong", demand: .soundAtMost(1)),
        ReleaseRow(
            name: "all x1.10 dearer, accepted", effect: effect { $0.latency = 1.10 },
            accepted: 1.10,
            demand: .soundAtMost(1)),
        ReleaseRow(
            name: "1% of attempts fail", effect: effect { $0.failedAttempts = 0.01 },
            demand: .soundAtMost(1)),
        ReleaseRow(
            name: "p95 x1.30", effect: effect { $0.latency = 1.30 }, demand: .takenBackAtLeast(99)),
        ReleaseRow(
            name: "errors 1 to 5 %", effect: effect { $0.errors = 5 }, demand: .takenBackAtLeast(95)
        ),
        ReleaseRow(
            name: "10% of attempts fail", effect: effect { $0.failedAttempts = 0.10 },
            demand: .takenBackAtLeast(95)),
        ReleaseRow(
            name: "15% go back by themselves", effect: effect { $0.localRollbacks = 0.15 },
            demand: .takenBackAtLeast(95)),
        ReleaseRow(
            name: "20 % bricked", effect: effect { $0.bricked = 0.20 },
            demand: .takenBackAtLeast(99)),
        ReleaseRow(
            name: "p95 x2 in one region", effect: effect { $0.latency = 2 }, place: .region,
            demand: .excludedAtLeast(80, rolledBackAtMost: 20)),
        ReleaseRow(
            name: "p95 x2 in one device class", effect: effect { $0.latency = 2 },
            place: .deviceClass, demand: .excludedAtLeast(80, rolledBackAtMost: 20)),
        ReleaseRow(
            name: "p95 x2 in one locale", effect: effect { $0.latency = 2 }, place: .locale,
            demand: .excludedAtLeast(80, rolledBackAtMost: 20)),
    ]

    private static func effect(_ change: (inout CandidateEffect) -> Void) -> CandidateEffect {
        var effect = CandidateEffect()
        change(&effect)
        return effect
    }

    /// The segment of a fleet that is hit; nil for all of it.
    package func segment(of fleet: SimulatedFleet) -> FleetSegment? {
        guard let largest = fleet.cohorts.first else { return nil }
        return switch place {
        case .everywhere: nil
        case .region: .region(largest.cohort.region)
        case .deviceClass: .deviceClass(largest.cohort.deviceClass)
        case .locale: largest.locales.first.map { .locale($0) }
        }
    }

    /// The demand that holds on a fleet: where the segment that is hit has four fifths of the devices and more, the
    /// fleet's own test sees what the segment's does, and either is right.
    package func demand(on fleet: SimulatedFleet) -> Demand {
        guard case .excludedAtLeast(let percent, _) = demand,
            let segment = segment(of: fleet),
            fleet.devices(in: segment) * 5 >= fleet.devices * 4
        else { return demand }
        return .takenBackAtLeast(percent)
    }

    /// The release as it is tried on a fleet.
    package func replay(on fleet: SimulatedFleet) -> ReleaseReplay {
        var replay = ReleaseReplay(fleet.with(effect, in: segment(of: fleet)))
        for index in replay.parameters.rules.indices
        where [.latencyP95, .cpuPerTurn].contains(replay.parameters.rules[index].metric) {
            replay.parameters.rules[index].accepted = accepted
        }
        return replay
    }
}

/// What runs of one row on one fleet showed.
package struct ReleaseResult: Sendable {
    package let runs: Int
    package let rolledBack: Int
    package let takenBack: Int
    package let excluded: Int
    package let paused: Int
    package let medianExposed: Int?
    package let medianHours: Int?
    package let turns: Int
    /// How often each metric rolled a release back, or took a segment from it.
    package let causes: [GateMetric: Int]

    package init(_ outcomes: [ReleaseReplay.Outcome]) {
        runs = outcomes.count
        rolledBack = outcomes.count { $0.isRolledBack }
        takenBack = outcomes.count { $0.isTakenBack }
        excluded = outcomes.count { !$0.excluded.isEmpty }
        paused = outcomes.count { $0.isPaused }
        let taken = outcomes.filter(\.isTakenBack)
        medianExposed = Self.median(taken.map(\.exposed))
        medianHours = Self.median(taken.map(\.hours))
        turns = outcomes.reduce(0) { $0 + $1.turns }
        causes = outcomes.flatMap(\.causes).reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    private static func median(_ values: [Int]) -> Int? {
        values.isEmpty ? nil : values.sorted()[values.count / 2]
    }

    package func percent(_ count: Int) -> Double { 100 * Double(count) / Double(max(1, runs)) }

    /// Whether the demand is met.
    package func meets(_ demand: ReleaseRow.Demand) -> Bool {
        switch demand {
        case .soundAtMost(let percent):
            self.percent(rolledBack) <= percent && self.percent(takenBack) <= percent
        case .takenBackAtLeast(let percent): self.percent(takenBack) >= percent
        case .excludedAtLeast(let percent, let most):
            self.percent(excluded) >= percent && self.percent(rolledBack) <= most
        }
    }
}
