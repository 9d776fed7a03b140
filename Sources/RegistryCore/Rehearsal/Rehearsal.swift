import Cryptography
package import FleetSimulation
package import Primitives
import Rollouts
import Telemetry

/// A brake rehearsal: a synthetic bad candidate on made-up devices must be rolled back before the first stage could end.
///
/// Everything but the devices' turns is real: enrolment and reports come in by `POST`, signed with each device's key,
/// the controller gathers, judges and decides, and devices follow the plan by `decide`. Nothing of it touches the
/// registry's own records.
package struct Rehearsal: Sendable {
    /// How the candidate behaves: everything that a policy can watch gets worse.
    package static let badCandidate: CandidateEffect = {
        var effect = CandidateEffect()
        effect.latency = 3
        effect.errors = 40
        effect.falsePositives = 15
        effect.escalations = 5
        effect.abandonment = 8
        return effect
    }()

    /// How made-up devices are used: all have the same chances of an event in a turn.
    private static let fleet: FleetModel = {
        var model = FleetModel()
        model.correlation = 0
        return model
    }()

    /// Made-up devices of each arm.
    static let treated = 20
    static let control = 60
    /// Reports of a device in the least soak of the first stage, where the policy's own interval lets it.
    static let reports: Int64 = 24
    /// How long a device is used between two reports, in ticks of `FleetModel`: some 20 turns.
    static let ticks = 4.0
    /// Keys that are tried for a place in one of the arms.
    private static let tries = 400_000

    package struct Outcome: Sendable, Hashable {
        /// Whether the candidate was rolled back in time.
        package let hasBraked: Bool
        /// The decision that ended it, or why nothing did.
        package let evidence: String
        /// Made-up devices that ran the candidate.
        package let exposed: Int
        /// Seconds from the first stage's beginning to the end, on the rehearsal's clock.
        package let seconds: Int64
    }

    private let ground: any RehearsalGround
    private let model: ModelName
    private let channel: ChannelName
    private let candidate: CandidateEffect
    private let principal = Principal(id: .registry, name: "rehearsal", scopes: [Scope(.admin)])

    /// `candidate` is how the candidate behaves.
    package init(
        on ground: any RehearsalGround, _ model: ModelName, _ channel: ChannelName,
        candidate: CandidateEffect = badCandidate
    ) {
        self.ground = ground
        self.candidate = candidate
        self.model = model
        self.channel = channel
    }

    /// Plays it; what stands in the way is told as the evidence of an outcome without a brake.
    ///
    /// - Parameters:
    ///   - now: where the rehearsal's clock begins, or at the policy's `not_before` where that is later.
    ///   - seed: of the devices' keys and turns.
    /// - Returns: what became of it.
    package func run(at now: UTCTime, seed: UInt64) async -> Outcome {
        var story = Play()
        do {
            return try await play(&story, now, seed)
        } catch {
            return outcome(story, false, "\(error)")
        }
    }

    /// What has happened so far.
    private struct Play {
        var devices: [MadeUpDevice] = []
        var began: UTCTime?
        var now = UTCTime.epoch
    }

    private struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    private func play(_ play: inout Play, _ now: UTCTime, _ seed: UInt64) async throws -> Outcome {
        let created = try await rollout()
        let policy = created.state.policy
        guard let stage = policy.stages.first else { throw Refusal(description: "no stage") }
        play.now = max(now, policy.notBefore)
        var random = SimulationRandom(seed: seed)
        let attributes = try await attributes(of: stage, created)
        try await start(at: play.now)
        play.began = play.now
        try await enrol(attributes, policy, into: &play, &random)
        let interval = max(1, policy.reportInterval, stage.leastSoak / Self.reports)
        let deadline = play.now + stage.leastSoak
        while play.now < deadline {
            let since = play.now
            play.now = play.now + interval
            try await step(&play, since: since, &random)
            try await ground.tick(at: play.now)
            if let outcome = try await ended(play) { return outcome }
        }
        return outcome(
            play, false,
            "expected the candidate to be rolled back before stage '\(stage.name)' could end, got "
                + "'\(try await rollout().stateWord)' with \(outcome(play, false, "").exposed) of "
                + "\(Self.treated) made-up devices on it: \(try await lastReason())")
    }

    private func outcome(_ play: Play, _ hasBraked: Bool, _ evidence: String) -> Outcome {
        let candidates = play.devices.count { $0.agent.swaps > 0 }
        return Outcome(
            hasBraked: hasBraked, evidence: evidence, exposed: candidates,
            seconds: play.began.map { play.now - $0 } ?? 0)
    }

    /// What the gate said last.
    private func lastReason() async throws -> String {
        try await rollout().look?["reason"]?.string ?? "the gate has not looked"
    }

    /// The end, where the controller has come to one.
    private func ended(_ play: Play) async throws -> Outcome? {
        let state = try await rollout().state
        guard state.plan.state == .rolledBack else { return nil }
        let decided = try await ground.blocking {
            [ground, principal, model, channel, now = play.now] in
            try ground.desk.status(model, channel, by: principal, at: now).timeline.last?.json
        }
        let evidence = decided?["facts"]?["evidence"]?.string ?? ""
        return outcome(play, true, evidence)
    }

    // MARK: The rollout

    private func rollout() async throws -> RolloutRecord {
        let rollout = try await ground.blocking { [ground, model, channel] in
            try ground.store.read { (records) throws(RegistryError) in
                try records.rollout(model, channel)
            }
        }
        guard let rollout else { throw RegistryError.notFound("rollout", "\(model)/\(channel)") }
        return rollout
    }

    /// Starts the copy's rollout: that this is a rehearsal counts as having had one.
    private func start(at now: UTCTime) async throws {
        try await ground.blocking { [ground, principal, model, channel] in
            try ground.store.write { (records) throws(RegistryError) in
                guard var rollout = try records.rollout(model, channel) else { return }
                rollout.isRehearsed = true
                try records.setRollout(rollout)
            }
            _ = try ground.desk.order(
                .start, model, channel, reason: "brake rehearsal", by: principal, at: now)
        }
    }

    // MARK: The devices

    /// Attributes that the first stage reaches: those of its largest cohort, or made up where no device is known.
    private func attributes(
        of stage: Stage, _ rollout: RolloutRecord
    ) async throws -> DeviceAttributes {
        let subscribers = try await ground.blocking { [ground, model, channel] in
            try ground.store.read { (records) throws(RegistryError) in
                try records.subscribers(model: model, channel: channel)
            }
        }
        var counts: [Cohort: Int] = [:]
        for subscriber in subscribers {
            let attributes = subscriber.attributes
            guard stage.where.contains(attributes) else {
                continue
            }
            counts[attributes.cohort, default: 0] += 1
        }
        let largest = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
        guard let name = AttributeName("rehearsal") else { preconditionFailure("a name") }
        return DeviceAttributes(
            number: 1, region: largest?.region ?? stage.where.regions.first ?? name,
            deviceClass: largest?.deviceClass ?? stage.where.deviceClasses.first ?? name,
            labels: Array(stage.where.labels.prefix(1)),
            locale: stage.where.locales.first ?? name)
    }

    /// Makes devices for both arms, by the shares that the plan has now, and enrols them.
    private func enrol(
        _ attributes: DeviceAttributes, _ policy: Policy, into play: inout Play,
        _ random: inout SimulationRandom
    ) async throws {
        let plan = try await rollout().state.plan
        let cohort = attributes.cohort
        let share = plan.stages.first?.shares[cohort] ?? policy.stages[0].quota.share
        let held = plan.holdBack[cohort] ?? policy.holdBack.share
        let needed = policy.isInitial ? 0 : Self.control
        var arms = (treated: 0, control: 0)
        for _ in 0..<Self.tries where arms.treated < Self.treated || arms.control < needed {
            let key = Ed25519PrivateKey(using: &random)
            let id = DeviceID(of: key.publicKey)
            let bucket = Bucket(of: id, candidate: plan.candidate.sha256)
            if bucket.isAmongHighest(held), arms.control < needed {
                arms.control += 1
            } else if !bucket.isAmongHighest(held), bucket.isBelow(share),
                arms.treated < Self.treated
            {
                arms.treated += 1
            } else {
                continue
            }
            var agent = SimulatedAgent(
                id: id, attributes: attributes, installed: plan.baseline,
                epoch: play.now.seconds, model: Self.fleet, random: &random)
            agent.warmUp(Self.fleet, &random)
            play.devices.append(MadeUpDevice(key: key, agent: agent))
        }
        guard arms.treated == Self.treated, arms.control == needed else {
            throw Refusal(
                description:
                    "cohort \(cohort): expected shares for \(Self.treated) made-up devices "
                    + "and \(needed) held back, got \(share) and \(held)")
        }
        try await enrol(attributes, play)
    }

    private func enrol(_ attributes: DeviceAttributes, _ play: Play) async throws {
        let count = Int64(play.devices.count)
        let tokens = try await ground.blocking { [ground, principal, now = play.now] in
            var random = SystemRandomNumberGenerator()
            return try Enrolments(store: ground.store).make(
                count: count, life: 86_400, by: principal, at: now, using: &random)
        }
        for (device, token) in zip(play.devices, tokens) {
            let body = MadeUpDevice.enrolment(of: device.key, attributes, token: token)
            _ = try await post("/v1/devices", body, at: play.now)
        }
    }

    /// Every device polls, swaps where it may, is used, and reports.
    private func step(
        _ play: inout Play, since: UTCTime, _ random: inout SimulationRandom
    ) async throws {
        let line = try await ground.blocking { [ground, model, channel] in
            try ground.store.read { (records) throws(RegistryError) in
                try PublishedLine(model, channel, in: records, blobs: ground.blobs)
            }
        }
        let version = line.plan?.candidate.version
        for index in play.devices.indices {
            let effect = { [candidate] (other: SemanticVersion) in
                other == version ? candidate : CandidateEffect()
            }
            var reports = play.devices[index].agent.poll(line, effect: effect, at: since)
            if !reports.isEmpty {
                let accepted = try await send(reports, play.devices[index], at: since)
                reports = play.devices[index].agent.acknowledge(
                    accepted, line, effect: effect, at: since)
                if !reports.isEmpty {
                    _ = try await send(reports, play.devices[index], at: since)
                }
            }
            let running = play.devices[index].agent.current.map { effect($0.version) }
            play.devices[index].agent.use(
                line, model: Self.fleet, effect: running ?? CandidateEffect(), since: since,
                ticks: Self.ticks, random: &random)
            let report = play.devices[index].agent.periodic(line, at: play.now)
            _ = try await send([report], play.devices[index], at: play.now)
        }
    }

    /// - Returns: the sequence numbers that the registry has.
    private func send(
        _ reports: [Report], _ device: MadeUpDevice, at now: UTCTime
    ) async throws -> Set<Int64> {
        let answer = try await post("/v1/reports", device.batch(reports), at: now)
        if let refused = answer["refused"]?.array?.first {
            throw Refusal(
                description: "reports: expected them accepted, got "
                    + "'\(refused["code"]?.string ?? "")'")
        }
        return Set((answer["accepted"]?.array ?? []).compactMap(\.integer))
    }

    private func post(_ path: String, _ body: JSON, at now: UTCTime) async throws -> JSON {
        let (status, bytes) = try await ground.post(path, body.bytes, at: now)
        guard (200..<300).contains(status) else {
            throw Refusal(description: "POST \(path): expected success, got \(status)")
        }
        return try JSON(parsing: bytes, limit: 1 << 20)
    }
}
