import Glibc
import Health
import Primitives
import Telemetry

/// How simulated devices are used, differ and drift: the numbers of docs/gate-simulation.md.
package struct FleetModel: Sendable, Hashable {
    /// Seconds of one tick: devices report, and the gate looks, at its end.
    package static let tickSeconds: Int64 = 3 * 3_600

    /// Turns of a device in a tick: log-normal, mean 5.
    package var meanTurns = 5.0
    package var turnsSpread = 0.8
    /// Median latency of a turn in milliseconds, and its standard deviation (ln) within a device.
    package var medianMilliseconds = 400.0
    package var turnSpread = 0.45
    /// Standard deviation (ln) of latency between devices.
    package var deviceSpread = 0.35
    /// The same between now and a device's reference week, and from tick to tick.
    package var slowDrift = 0.08
    package var tickDrift = 0.10
    /// Ticks of the reference week.
    package var referenceTicks = 56.0
    /// Chance of an event in a turn.
    package var errors = 0.01
    package var falsePositives = 0.02
    package var escalations = 0.10
    package var abandonment = 0.05
    /// Correlation of a device's turns.
    package var correlation = 0.02
    /// Chance that a device uploads what is pending at the end of a tick.
    package var upload = 0.85
    /// Chance that a device says nothing for a whole stage, in either arm.
    package var off = 0.01

    package init() {}
}

/// What a candidate does to the devices that run it; nothing, by default.
package struct CandidateEffect: Sendable, Hashable {
    package var latency = 1.0
    /// Factors of the chance of an event.
    package var errors = 1.0
    package var falsePositives = 1.0
    package var escalations = 1.0
    package var abandonment = 1.0
    /// A share of devices whose latency has another factor.
    package var subset = 0.0
    package var subsetLatency = 1.0
    /// A share of devices that never speak again.
    package var bricked = 0.0
    /// A factor of latency in a device's first tick.
    package var novelty = 1.0
    /// A share of devices whose attempt fails.
    package var failedAttempts = 0.0
    /// A share of devices that go back by themselves.
    package var localRollbacks = 0.0

    package init() {}
}

/// A device of a simulated fleet: what it is like, for as long as it lives.
struct SimulatedDevice {
    let turnsPerTick: Double
    /// ln of its median latency today, and in its reference week.
    let level: Double
    let formerLevel: Double
    /// Standard deviation (ln) of its turns' latency.
    let spread: Double
    let reference: ReferenceSample?
    let chances: EventChances
    /// Uniform numbers that tell to which shares the device belongs, so that it stays there.
    let subsetDraw: Double
    let brickDraw: Double
    let attemptDraw: Double
    let rollbackDraw: Double

    /// A device of the model, or one like a device that was recorded.
    init(
        _ model: FleetModel, levelShift: Double, recorded: RecordedDevice? = nil,
        random: inout SimulationRandom
    ) {
        let mean = log(model.meanTurns) - model.turnsSpread * model.turnsSpread / 2
        let usage = exp(random.normal(mean, sd: model.turnsSpread))
        let drawn =
            log(model.medianMilliseconds) + levelShift + random.normal(sd: model.deviceSpread)
        turnsPerTick = recorded?.turnsPerTick ?? usage
        let own = recorded?.level ?? drawn
        formerLevel = own
        spread = recorded?.spread ?? model.turnSpread
        level = own + random.normal(sd: model.slowDrift)
        let turns = random.poisson(model.referenceTicks * turnsPerTick)
        if turns > 0 {
            // The 95th percentile of a log-normal, and the sampling error of an estimate from so many turns.
            let noise = 2.114 * spread / sqrt(Double(turns))
            var sample = ReferenceSample(turns: turns)
            sample.lnP95 = Self.byClock(own + 1.645 * spread + random.normal(sd: noise))
            reference = sample
        } else {
            reference = nil
        }
        let chances = EventChances(model, &random)
        self.chances = recorded?.chances(of: model) ?? chances
        subsetDraw = random.uniform()
        brickDraw = random.uniform()
        attemptDraw = random.uniform()
        rollbackDraw = random.uniform()
    }
}

extension SimulatedDevice {
    /// ln of a duration by both clocks: a twentieth of a turn is spent on the processor.
    static func byClock(_ latency: Double?) -> [TurnClock: Double] {
        guard let latency else { return [:] }
        return [.latency: latency, .cpu: latency - log(20)]
    }
}

/// A device's own chances of an event in a turn.
struct EventChances {
    var errors: Double
    var falsePositives: Double
    var escalations: Double
    var abandonment: Double

    init(errors: Double, falsePositives: Double, escalations: Double, abandonment: Double) {
        self.errors = errors
        self.falsePositives = falsePositives
        self.escalations = escalations
        self.abandonment = abandonment
    }

    init(_ model: FleetModel, _ random: inout SimulationRandom) {
        errors = random.beta(mean: model.errors, correlation: model.correlation)
        falsePositives = random.beta(mean: model.falsePositives, correlation: model.correlation)
        escalations = random.beta(mean: model.escalations, correlation: model.correlation)
        abandonment = random.beta(mean: model.abandonment, correlation: model.correlation)
    }

    func with(_ effect: CandidateEffect) -> EventChances {
        var changed = self
        changed.errors *= effect.errors
        changed.falsePositives *= effect.falsePositives
        changed.escalations *= effect.escalations
        changed.abandonment *= effect.abandonment
        return changed
    }

    /// One turn that took so long, a twentieth of it on the processor.
    func turn(milliseconds: Double, _ random: inout SimulationRandom) -> TurnRecord {
        let microseconds = Int64(min(milliseconds * 1_000, Double(TurnRecord.durationLimit)))
        var turn = TurnRecord(
            latencyMicroseconds: microseconds, cpuMicroseconds: microseconds / 20)
        turn.error = random.chance(errors)
        turn.falseAccept = random.chance(falsePositives)
        turn.escalated = random.chance(escalations)
        turn.abandoned = random.chance(abandonment)
        return turn
    }

    func draw(turns: Int, _ random: inout SimulationRandom) -> TurnCounters {
        var counters = TurnCounters()
        counters.turns = Int64(turns)
        counters.errors = Int64(random.binomial(turns, errors))
        counters.falsePositives = Int64(random.binomial(turns, falsePositives))
        counters.escalations = Int64(random.binomial(turns, escalations))
        counters.abandoned = Int64(random.binomial(turns, abandonment))
        return counters
    }
}
