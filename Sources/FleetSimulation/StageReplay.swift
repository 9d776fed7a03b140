import Glibc
package import Health
package import Primitives
import Telemetry

/// One cohort of a simulated fleet.
package struct SimulatedCohort: Sendable, Hashable {
    package var cohort: Cohort
    package var devices: Int
    /// How much slower (ln) its devices are than the fleet's.
    package var levelShift = 0.0
    package var effect = CandidateEffect()
    /// The locales of its devices, in equal parts; and what the candidate does in each, where that differs.
    package var locales: [AttributeName] = []
    package var localeEffects: [AttributeName: CandidateEffect] = [:]
    /// Recorded devices that its own are like, one after the other; none where they are drawn from the model.
    package var recorded: [RecordedDevice] = []
    /// What all its devices are labelled with.
    package var labels: [AttributeName] = []

    /// The locales of its devices, recorded or not.
    package var allLocales: Set<AttributeName> {
        Set(locales).union(recorded.map(\.attributes.locale))
    }

    /// What a device of it says of itself.
    package var attributes: DeviceAttributes {
        DeviceAttributes(
            number: 1, region: cohort.region, deviceClass: cohort.deviceClass, labels: labels,
            locale: allLocales.min() ?? cohort.region)
    }

    package init(_ cohort: Cohort, devices: Int) {
        self.cohort = cohort
        self.devices = devices
    }
}

/// How many devices of one arm are looked at: counts of so many, latencies of fewer.
package struct SampleCaps: Sendable, Hashable {
    package var counts = 5_000
    package var latencies = 1_000

    package init() {}
}

/// Which devices of a cohort are treated in a stage: those with the lowest numbers.
package struct StageExposure: Sendable, Hashable {
    package var treatedBefore: Int
    package var treated: Int
    /// Devices held back, those with the highest numbers; all the others where nil.
    package var held: Int?
    /// Seconds over which the devices that are new in the stage start, one after the other.
    package var ramp: Int64 = 0
    /// Turns that each treated device leaves out after it started.
    package var burnInTurns = 0
    /// Seconds at least that those of earlier stages have had the candidate.
    package var formerSeconds: Int64 = 0

    package init(treatedBefore: Int, treated: Int, held: Int? = nil) {
        self.treatedBefore = treatedBefore
        self.treated = treated
        self.held = held
    }

    /// Seconds after the stage began at which a treated device starts.
    func start(of index: Int) -> Int64 {
        let new = treated - treatedBefore
        guard index >= treatedBefore, new > 0 else { return 0 }
        return ramp * Int64(index - treatedBefore) / Int64(new)
    }

    /// The turns that a device still leaves out when the stage begins; earlier ones it had by its usage.
    func burnInTurns(of turnsPerTick: Double, isNew: Bool) -> Int {
        guard burnInTurns > 0, !isNew else { return burnInTurns }
        let ticks = Double(formerSeconds) / Double(FleetModel.tickSeconds)
        return max(0, burnInTurns - Int(min(1e9, turnsPerTick * ticks)))
    }

    /// The treated devices that have started after so many seconds.
    package func started(after seconds: Int64) -> Int {
        let new = Int64(treated - treatedBefore)
        guard ramp > 0, new > 0, seconds < ramp else { return treated }
        return treatedBefore + Int(min(new, ((seconds + 1) * new - 1) / ramp + 1))
    }
}

/// The devices of a fleet through one stage of a rollout, tick by tick, as the gate sees them.
package struct StageReplay {
    package let began: UTCTime
    package private(set) var now: UTCTime
    package private(set) var samples: [DeviceSample] = []
    package private(set) var turnsSimulated = 0

    private let model: FleetModel
    private let parameters: GateParameters
    private var random: SimulationRandom
    private var devices: [Hidden] = []

    /// What the gate does not see of a device.
    private struct Hidden {
        let turnsPerTick: Double
        let level: Double
        let spread: Double
        let chances: EventChances
        let latency: Double
        let novelty: Double
        let isMute: Bool
        let goesBack: Bool
        /// Latencies are drawn for a part of the devices only: they cost most of a simulation.
        let hasLatencies: Bool
        /// Control devices and those without a ramp start with the stage.
        let starts: UTCTime
        let attempt: AttemptOutcome?
        /// Turns that the device still leaves out.
        var burnInTurns: Int
        var counters = TurnCounters()
        var histogram = ExponentialHistogram()
    }

    /// The devices at the start of a stage, the first of which is 0.
    ///
    /// `seed` is of the whole rollout: a device is the same in every stage.
    package init(
        _ cohorts: [(cohort: SimulatedCohort, exposure: StageExposure)], model: FleetModel,
        parameters: GateParameters, caps: SampleCaps, seed: UInt64, stage: Int, began: UTCTime
    ) {
        self.began = began
        now = began
        self.model = model
        self.parameters = parameters
        random = SimulationRandom(seed: seed, part: UInt64(stage) &+ 1 << 62)
        for (number, (cohort, exposure)) in cohorts.enumerated() {
            let first = exposure.held.map { cohort.devices - $0 } ?? exposure.treated
            let rest = max(exposure.treated, first)..<cohort.devices
            add(.treated, 0..<exposure.treated, cohort, number, exposure, caps, seed)
            add(.control, rest, cohort, number, exposure, caps, seed)
        }
    }

    private mutating func add(
        _ arm: Arm, _ range: Range<Int>, _ cohort: SimulatedCohort, _ number: Int,
        _ exposure: StageExposure, _ caps: SampleCaps, _ seed: UInt64
    ) {
        let count = min(range.count, caps.counts)
        let latencies = min(count, caps.latencies)
        for place in 0..<count {
            let index = range.lowerBound + place * range.count / count
            let hasLatencies =
                place * latencies / count != (place + 1) * latencies / count
            add(arm, index, cohort, number, exposure, hasLatencies, seed)
        }
    }

    private mutating func add(
        _ arm: Arm, _ index: Int, _ cohort: SimulatedCohort, _ number: Int,
        _ exposure: StageExposure, _ hasLatencies: Bool, _ seed: UInt64
    ) {
        let name = UInt64(number) << 40 | UInt64(index)
        var own = SimulationRandom(seed: seed, part: name)
        let recorded =
            cohort.recorded.isEmpty ? nil : cohort.recorded[index % cohort.recorded.count]
        let device = SimulatedDevice(
            model, levelShift: cohort.levelShift, recorded: recorded, random: &own)
        var sample = DeviceSample(device: Self.id(name), cohort: cohort.cohort, arm: arm)
        sample.locale = recorded?.attributes.locale
        if !cohort.locales.isEmpty { sample.locale = cohort.locales[index % cohort.locales.count] }
        sample.reference = device.reference
        sample.isNew = arm == .control || index >= exposure.treatedBefore
        let isTreated = arm == .treated
        let effect = sample.locale.flatMap { cohort.localeEffects[$0] } ?? cohort.effect
        let isOff = random.chance(model.off)
        let failed = isTreated && device.attemptDraw < effect.failedAttempts
        let goesBack = isTreated && !failed && device.rollbackDraw < effect.localRollbacks
        sample.wentBack = goesBack && !sample.isNew
        devices.append(
            Hidden(
                turnsPerTick: device.turnsPerTick, level: device.level, spread: device.spread,
                chances: isTreated ? device.chances.with(effect) : device.chances,
                latency: isTreated
                    ? device.subsetDraw < effect.subset ? effect.subsetLatency : effect.latency
                    : 1,
                novelty: isTreated && sample.isNew ? effect.novelty : 1,
                isMute: isOff || (isTreated && device.brickDraw < effect.bricked),
                goesBack: goesBack, hasLatencies: hasLatencies,
                starts: began + (isTreated ? exposure.start(of: index) : 0),
                attempt: isTreated ? failed ? .failed : .passed : nil,
                burnInTurns: isTreated
                    ? exposure.burnInTurns(of: device.turnsPerTick, isNew: sample.isNew) : 0))
        samples.append(sample)
    }

    /// The device attempts the candidate, if it is to have it, and is exposed unless that fails.
    private mutating func start(_ row: Int) {
        let attempt = devices[row].attempt
        samples[row].attempt = attempt
        samples[row].attemptAt = attempt == nil ? nil : now
        if attempt != .failed { samples[row].exposedAt = now }
    }

    /// An id whose first digits tell devices apart, as those of a digest do: evidence shows no more of it.
    private static func id(_ name: UInt64) -> DeviceID {
        let mixed = (name &+ 1) &* 0x9E37_79B9_7F4A_7C15
        let bytes = (0..<16).map { $0 < 8 ? UInt8(truncatingIfNeeded: mixed >> (56 - 8 * $0)) : 0 }
        guard let id = DeviceID(bytes: bytes) else { preconditionFailure("16 bytes are an id") }
        return id
    }

    /// One tick more: devices are used, and most upload all they have counted.
    package mutating func tick() {
        let isBurnIn = now < began + parameters.burnInSeconds
        let since = now
        func isFirst(_ row: Int) -> Bool {
            devices[row].starts <= since && devices[row].starts > since + -FleetModel.tickSeconds
        }
        for row in devices.indices where isFirst(row) { start(row) }
        now = now + FleetModel.tickSeconds
        for row in devices.indices where !devices[row].isMute && devices[row].starts <= since {
            use(row, isBurnIn: isBurnIn, isFirst: isFirst(row))
            if random.chance(model.upload) { upload(row) }
        }
    }

    private mutating func use(_ row: Int, isBurnIn: Bool, isFirst: Bool) {
        let turns = random.poisson(devices[row].turnsPerTick)
        turnsSimulated += turns
        let level = devices[row].level + random.normal(sd: model.tickDrift)
        let leftOut = min(turns, devices[row].burnInTurns)
        devices[row].burnInTurns -= leftOut
        guard !isBurnIn else { return }
        let counted = turns - leftOut
        devices[row].counters = devices[row].counters.adding(
            devices[row].chances.draw(turns: counted, &random))
        guard devices[row].hasLatencies else { return }
        let factor = devices[row].latency * (isFirst ? devices[row].novelty : 1)
        for _ in 0..<counted {
            let latency = factor * exp(level + random.normal(sd: devices[row].spread))
            devices[row].histogram.record(latency)
        }
    }

    private mutating func upload(_ row: Int) {
        samples[row].lastHeard = now
        samples[row].counters = devices[row].counters
        if devices[row].goesBack { samples[row].wentBack = true }
        guard devices[row].hasLatencies, samples[row].counters.turns >= 1 else { return }
        samples[row].lnP95 = SimulatedDevice.byClock(devices[row].histogram.logQuantile(0.95))
        if samples[row].jumped == nil { samples[row].jumped = samples[row].hasJumped(parameters) }
    }
}

extension SimulatedCohort {
    /// The cohorts of a recorded fleet; devices with other labels are cohorts of their own here.
    package static func recorded(_ devices: [RecordedDevice]) -> [SimulatedCohort] {
        struct Key: Hashable {
            let cohort: Cohort
            let labels: [AttributeName]
        }
        let groups = Dictionary(grouping: devices) {
            Key(cohort: $0.attributes.cohort, labels: $0.attributes.labels)
        }
        let cohorts = groups.map { key, devices in
            var cohort = SimulatedCohort(key.cohort, devices: devices.count)
            cohort.labels = key.labels
            cohort.recorded = devices
            return cohort
        }
        return cohorts.sorted {
            ($0.cohort, $0.labels.map(\.description).joined(separator: " "))
                < ($1.cohort, $1.labels.map(\.description).joined(separator: " "))
        }
    }
}

extension TurnCounters {
    /// The sum of the counters that are simulated.
    fileprivate func adding(_ other: TurnCounters) -> TurnCounters {
        var sum = self
        sum.turns += other.turns
        sum.errors += other.errors
        sum.falsePositives += other.falsePositives
        sum.escalations += other.escalations
        sum.abandoned += other.abandoned
        return sum
    }
}
