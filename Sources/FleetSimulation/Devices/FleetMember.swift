package import Primitives
package import Rollouts
package import Telemetry

/// A device of a whole fleet: its agent, chance of its own, and the faults of its way to the registry.
///
/// Each tick it polls, is used, and at the end uploads with the model's chance what it has counted. In every window
/// of a stage some devices, in either arm, say nothing after their first word (`FleetModel.off`).
package struct FleetMember: Sendable {
    package private(set) var agent: SimulatedAgent
    /// The place of its cohort in the fleet.
    package let cohort: Int
    private var random: SimulationRandom
    private var window: UTCTime?
    private var isOff = false
    private var hasSpoken = false

    /// A device that was used for a week with what the factory installed; `seed` and `index` make it the same in every
    /// run.
    package init(
        id: DeviceID, attributes: DeviceAttributes, installed: BundleReference, epoch: Int64,
        model: FleetModel, levelShift: Double, cohort: Int, seed: UInt64, index: Int
    ) {
        var random = SimulationRandom(seed: seed, part: UInt64(index))
        agent = SimulatedAgent(
            id: id, attributes: attributes, installed: installed, epoch: epoch, model: model,
            levelShift: levelShift, random: &random)
        agent.warmUp(model, &random)
        self.cohort = cohort
        self.random = random
    }

    private var isSilent: Bool { agent.isBricked || (isOff && hasSpoken) }

    /// Begins a tick: learns the plan, and goes where it is to go.
    ///
    /// - Returns: what it says of that, in order.
    package mutating func poll(
        _ line: PublishedLine, model: FleetModel, effect: (SemanticVersion) -> CandidateEffect,
        at now: UTCTime
    ) -> [Report] {
        let window = line.plan?.stages.last?.began
        if window != self.window {
            self.window = window
            isOff = random.chance(model.off)
            hasSpoken = false
        }
        guard !isSilent else { return [] }
        let reports = agent.poll(line, effect: effect, at: now)
        hasSpoken = hasSpoken || !reports.isEmpty
        return reports
    }

    /// Hears which of its reports the registry has, and swaps if it waited for that.
    ///
    /// - Returns: what it says of that.
    package mutating func acknowledge(
        _ accepted: Set<Int64>, _ line: PublishedLine,
        effect: (SemanticVersion) -> CandidateEffect, at now: UTCTime
    ) -> [Report] {
        agent.acknowledge(accepted, line, effect: effect, at: now)
    }

    /// Is used for one tick, which ends at `now`.
    ///
    /// - Returns: its figures; nil where it does not upload.
    package mutating func use(
        _ line: PublishedLine, model: FleetModel, effect: (SemanticVersion) -> CandidateEffect,
        since: UTCTime, at now: UTCTime
    ) -> Report? {
        let own = agent.current.map { effect($0.version) } ?? CandidateEffect()
        agent.use(line, model: model, effect: own, since: since, ticks: 1, random: &random)
        guard !isSilent, random.chance(model.upload) else { return nil }
        hasSpoken = true
        return agent.periodic(line, at: now)
    }
}
