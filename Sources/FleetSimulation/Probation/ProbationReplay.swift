import Glibc
import Health
import Primitives
import Telemetry

/// One device and its watch over a new version, turn by turn, until it goes back or has seen enough.
///
/// Usage, latency and drift are those of `FleetModel`; the device has warm episodes and a cold start besides
/// (docs/gate-simulation.md).
package struct ProbationReplay: Sendable, Hashable {
    package enum Outcome: Sendable, Hashable {
        /// The old version was used too little for a reference: nothing to compare with.
        case noReference
        case committed
        /// It went back, at this turn after the swap.
        case rolledBack(turn: Int)
    }

    package var model = FleetModel()
    /// The candidate's latency, as a ratio.
    package var latency = 1.0
    /// The part of the candidate's turns that take four times as long.
    package var slowTurns = 0.0
    /// The part of turns that fail beside those that always did; devices differ, by the model's correlation.
    package var moreErrors = 0.0

    private static let start = UTCTime(clamping: 1_764_000_000)
    private static let fewestTurns: Int64 = 30
    /// Turns after the swap that take twice as long whatever the version.
    private static let coldTurns = 5
    /// Far more than 240 turns take on all but the least used devices.
    private static let mostTicks = 2_000

    package init() {}

    package func run(seed: UInt64) -> Outcome {
        var device = WarmDevice(model, seed: seed)
        let usual = device.chance(model.errors)
        var tally = TurnTally()
        for _ in 0..<Int(model.referenceTicks) {
            let drift = device.tick()
            for _ in 0..<device.turns() {
                tally.record(device.turn(drift, errors: usual))
            }
        }
        guard let version = SemanticVersion("1.0.0"),
            let reference = Reference(
                version: version, tally: tally, leastTurns: Self.fewestTurns)
        else { return .noReference }
        device.swap()
        return watch(&device, against: reference, usual)
    }

    private func watch(
        _ device: inout WarmDevice, against reference: Reference, _ usual: Double
    ) -> Outcome {
        var watch = ProbationWatch(
            policy: Self.policy, reference: reference, startedAt: Self.start)
        let slow = device.random.normal(sd: model.slowDrift)
        let chance = min(1, usual + device.chance(moreErrors))
        var turns = 0
        for tick in 0..<Self.mostTicks {
            let drift = slow + device.tick() + log(latency)
            let now = Self.start + Int64(tick) * FleetModel.tickSeconds
            for _ in 0..<device.turns() {
                turns += 1
                let isSlow = device.random.chance(slowTurns)
                let cold = turns <= Self.coldTurns ? log(2.0) : 0
                let turn = device.turn(
                    drift + cold + (isSlow ? log(4.0) : 0), errors: chance)
                switch watch.record(turn, at: now) {
                case .watching: continue
                case .commit: return .committed
                case .rollBack: return .rolledBack(turn: turns)
                }
            }
        }
        return .committed
    }

    /// Devices are watched for 240 turns, however long these take.
    private static var policy: ProbationPolicy {
        var policy = ProbationPolicy()
        policy.seconds = policy.mostSeconds
        policy.mostSeconds = 1_000 * 86_400
        policy.leastTurns = policy.turns
        return policy
    }
}

/// A device with warm episodes: two in a hundred ticks start six hours of +35%.
private struct WarmDevice {
    private let model: FleetModel
    private let turnsPerTick: Double
    /// ln of its median latency in milliseconds.
    private let level: Double
    private var warmTicks = 0
    var random: SimulationRandom

    init(_ model: FleetModel, seed: UInt64) {
        var random = SimulationRandom(seed: seed)
        let mean = log(model.meanTurns) - model.turnsSpread * model.turnsSpread / 2
        turnsPerTick = exp(random.normal(mean, sd: model.turnsSpread))
        level = log(model.medianMilliseconds) + random.normal(sd: model.deviceSpread)
        self.model = model
        self.random = random
    }

    /// Begins a tick: how far all its turns are off, as ln.
    mutating func tick() -> Double {
        warmTicks -= 1
        if random.chance(0.02) { warmTicks = 2 }
        return random.normal(sd: model.tickDrift) + (warmTicks > 0 ? log(1.35) : 0)
    }

    mutating func swap() { warmTicks = 0 }

    /// Its own chance of an event that happens in `mean` of all devices' turns.
    mutating func chance(_ mean: Double) -> Double {
        mean > 0 && mean < 1
            ? random.beta(mean: mean, correlation: model.correlation) : mean
    }

    mutating func turns() -> Int { random.poisson(turnsPerTick) }

    mutating func turn(_ drift: Double, errors: Double) -> TurnRecord {
        let milliseconds = exp(level + drift + random.normal(sd: model.turnSpread))
        var turn = TurnRecord(latencyMicroseconds: Int64(milliseconds * 1_000))
        turn.error = random.chance(errors)
        return turn
    }
}
