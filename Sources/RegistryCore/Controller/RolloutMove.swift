import Health
import Primitives
import Rollouts
import TUF

/// One rollout's next step, inside one transaction.
struct RolloutMove {
    let records: any RegistryRecords
    let blobs: any BlobStoring
    let now: UTCTime
    var judge: Controller.Judge = { HealthGate($0).judge($1) }

    struct Outcome {
        var records: [DecisionRecord] = []
        var refusal: OrderRefusal?
        var hasLooked = false
    }

    // MARK: By the clock

    /// Looks where a look is due, lets the time pass that has passed, and writes down what follows.
    ///
    /// Between two looks nothing is done, so that an idle tick costs one read.
    ///
    /// - Returns: nil where nothing is due, or the rollout is gone or has not started.
    func move(
        _ model: ModelName, _ channel: ChannelName
    ) throws(RegistryError) -> Outcome? {
        guard var rollout = try records.rollout(model, channel), rollout.state.isStarted else {
            return nil
        }
        guard Self.isDue(rollout, at: now) else { return nil }
        let before = rollout
        var outcome = Outcome()
        let facts = try self.facts(of: rollout)
        if Self.isLookDue(rollout, at: now), let look = try look(at: rollout, facts) {
            rollout.lastLook = now
            rollout.look = look.json
            outcome.hasLooked = true
            let step = rollout.state.handle(.verdict(look.verdict), facts)
            try write(step.records, of: rollout, evidence: look.json, by: .controller)
            outcome.records += step.records
        }
        let step = rollout.state.handle(.tick, facts)
        try write(step.records, of: rollout, evidence: nil, by: .controller)
        outcome.records += step.records
        if rollout != before { try save(rollout) }
        return outcome
    }

    /// Whether there is anything to do for the clock's sake: a look, or pins that have expired.
    static func isDue(_ rollout: RolloutRecord, at now: UTCTime) -> Bool {
        isLookDue(rollout, at: now) || rollout.state.plan.pins.contains { $0.expires <= now }
    }

    /// While a rollout runs, is paused or frozen the gate keeps looking: a pause can turn into a rollback.
    private static func isLookDue(_ rollout: RolloutRecord, at now: UTCTime) -> Bool {
        switch rollout.state.plan.state {
        case .completed, .rolledBack: return false
        // A release that was complete has no control any more.
        case .frozen where rollout.state.frozenFrom == .completed: return false
        case .running, .paused, .frozen: break
        }
        guard let last = rollout.lastLook, last <= now else { return true }
        let hasNewStage = rollout.state.plan.stages.last.map { $0.began > last } ?? false
        return hasNewStage || now - last >= rollout.state.policy.gateInterval
    }

    private func look(
        at rollout: RolloutRecord, _ facts: ControllerFacts
    ) throws(RegistryError) -> (verdict: ControllerEvent.Verdict, json: JSON)? {
        let parameters = GateParameters(rollout.state.policy)
        let gathering = Gathering(
            state: rollout.state, parameters: parameters, records: records, census: facts.census,
            at: now)
        guard let gathered = try gathering.gather() else { return nil }
        for row in gathered.judged { try records.setFigures(row) }
        let judgement = judge(parameters, gathered.evidence)
        let look = GateSight(
            judgement: judgement, gathered: gathered, stage: rollout.state.plan.currentStage,
            at: now)
        return (ControllerEvent.Verdict(judgement), look.json)
    }

    // MARK: By order

    /// Follows a person's order, or says why not and changes nothing.
    func follow(
        _ instruction: RolloutInstruction, by actor: Principal, _ model: ModelName,
        _ channel: ChannelName
    ) throws(RegistryError) -> RolloutRecord {
        guard var rollout = try records.rollout(model, channel) else {
            throw .notFound("rollout", "\(model)/\(channel)")
        }
        if instruction.order == .rollback, !rollout.state.isStarted, let previous = rollout.previous
        {
            // Going back is never blocked: what is in force goes back, and what was prepared is dropped.
            try records.append(.rolloutDropped(rollout), by: Actor(actor), at: now)
            rollout.state = previous
            rollout.lastLook = nil
            rollout.look = nil
        }
        if instruction.order == .exclude, let segment = instruction.segment {
            try checkIsKnown(segment, rollout)
        }
        let step = try handle(instruction, by: actor, &rollout)
        if let refusal = step.refusal {
            throw .stateConflict(order: instruction.order.rawValue, reason: "\(refusal)")
        }
        if rollout.state.isStarted { rollout.previous = nil }
        try write(step.records, of: rollout, evidence: nil, by: Actor(actor))
        try save(rollout)
        return rollout
    }

    /// Refuses to exclude what neither a device of the channel nor a stage of the policy names: it would exclude nobody.
    ///
    /// Nothing is known of a channel that no device follows.
    private func checkIsKnown(
        _ segment: Segment, _ rollout: RolloutRecord
    ) throws(RegistryError) {
        let devices = try records.subscribers(model: rollout.model, channel: rollout.channel)
            .map(\.attributes)
        guard !devices.isEmpty else { return }
        let places = rollout.state.policy.stages.map(\.where)
        let parts: [(String, AttributeName?, [AttributeName])] = [
            ("region", segment.region, devices.map(\.region) + places.flatMap(\.regions)),
            (
                "device_class", segment.deviceClass,
                devices.map(\.deviceClass) + places.flatMap(\.deviceClasses)
            ),
            ("locale", segment.locale, devices.map(\.locale) + places.flatMap(\.locales)),
        ]
        for (name, given, known) in parts {
            guard let given, !known.contains(given) else { continue }
            throw .malformed(
                FieldError(
                    path: "segment.\(name)",
                    expected: "one of "
                        + Set(known).sorted().map(\.description).joined(separator: ", "),
                    found: "'\(given)'"))
        }
    }

    /// Follows the same order in the model's other channels, where their state allows it.
    func followElsewhere(
        _ instruction: RolloutInstruction, by actor: Principal, after followed: RolloutRecord
    ) throws(RegistryError) {
        for var rollout in try records.rollouts(of: followed.model)
        where rollout.channel != followed.channel {
            let step = try handle(instruction, by: actor, &rollout)
            guard step.refusal == nil else { continue }
            try write(step.records, of: rollout, evidence: nil, by: Actor(actor))
            try save(rollout)
        }
    }

    /// Puts a channel's pins into its plan; nothing where they are there already.
    func pin(
        _ groups: [PinGroup], reason: String, by actor: Principal, _ pinned: RolloutRecord
    ) throws(RegistryError) {
        var rollout = pinned
        guard rollout.state.plan.pins != groups else { return }
        let step = rollout.state.handle(
            .order(.setPins(groups), by: actor.name, reason: reason), try facts(of: rollout))
        if let refusal = step.refusal {
            throw .stateConflict(order: "pin", reason: "\(refusal)")
        }
        try write(step.records, of: rollout, evidence: nil, by: Actor(actor))
        try save(rollout)
    }

    private func handle(
        _ instruction: RolloutInstruction, by actor: Principal, _ rollout: inout RolloutRecord
    ) throws(RegistryError) -> ControllerState.Step {
        // What is prepared can wait; what is in force is frozen, and so nothing of the model moves.
        let isInForce = instruction.isOfModel && !rollout.state.isStarted
        var state = (isInForce ? rollout.previous : nil) ?? rollout.state
        let order = try instruction.event(in: state)
        let step = state.handle(
            .order(order, by: actor.name, reason: instruction.reason), try facts(of: rollout))
        if isInForce, rollout.previous != nil {
            rollout.previous = state
        } else {
            rollout.state = state
        }
        return step
    }

    // MARK: Facts

    private func facts(of rollout: RolloutRecord) throws(RegistryError) -> ControllerFacts {
        let plan = rollout.state.plan
        var census = FleetCensus()
        for subscriber in try records.subscribers(model: plan.model, channel: plan.channel) {
            let bucket = Bucket(of: subscriber.device, candidate: plan.candidate.sha256)
            census.add(subscriber.attributes, bucket: bucket)
        }
        let shelf = try ModelShelf(plan.model, in: records, blobs: blobs)
        return ControllerFacts(
            now: now, census: census, approvals: shelf.listing.approvals,
            isRehearsed: rollout.isRehearsed,
            isModelFrozen: try records.rollouts(of: plan.model).contains {
                $0.inForce?.plan.state == .frozen
            })
    }

    /// Keeps a rollout that can be read again, and whose plan devices will be able to read.
    ///
    /// A record that nobody can read would take the brake away with it, so it is not written in the first place.
    private func save(_ rollout: RolloutRecord) throws(RegistryError) {
        do {
            for state in [rollout.state, rollout.previous].compactMap(\.self) {
                _ = try Plan(parsing: state.plan.json.canonicalBytes)
            }
            _ = try RolloutRecord(
                reading: JSON(
                    parsing: rollout.json.canonicalBytes, limit: RolloutRecord.longest))
        } catch {
            throw .storage("\(rollout.subject): a record that cannot be read back: \(error)")
        }
        try records.setRollout(rollout)
    }

    private func write(
        _ decisions: [DecisionRecord], of rollout: RolloutRecord, evidence: JSON?,
        by actor: Actor
    ) throws(RegistryError) {
        for decision in decisions {
            try records.append(
                .decided(decision, rollout: rollout, look: evidence), by: actor, at: now)
        }
    }
}
