import Primitives

extension ControllerState {
    /// Does what a person ordered, or throws and changes nothing.
    ///
    /// No order leaves so long a plan that devices would not read what follows it.
    mutating func follow(
        _ order: ControllerEvent.Order, _ by: String, _ reason: String, _ facts: ControllerFacts,
        _ step: inout Step
    ) throws(OrderRefusal) {
        var next = self
        var done = step
        try next.obey(order, by, reason, facts, &done)
        let length = next.plan.json.canonicalBytes.count
        guard
            length <= Plan.longestByOrder || length <= plan.json.canonicalBytes.count
                || next.plan.state == .rolledBack
        else { throw .planTooLong(length) }
        self = next
        step = done
    }

    private mutating func obey(
        _ order: ControllerEvent.Order, _ by: String, _ reason: String, _ facts: ControllerFacts,
        _ step: inout Step
    ) throws(OrderRefusal) {
        let now = facts.now
        switch order {
        case .start: try start(by, reason, facts, &step)
        case .advance(let unproven):
            try expect(.running)
            guard isReady || unproven else { throw .evidenceMissing }
            try checkNext(facts, isOrdered: true)
            advance(by, reason, facts, &step)
        case .pause:
            try expect(.running, or: frozenFrom == .running)
            pause(by, reason, nil, now, &step)
        case .resume:
            try expect(.paused)
            guard now <= policy.notAfter else { throw .afterNotAfter(policy.notAfter) }
            plan.state = .running
            record(.resumed, by, reason, now, &step)
        case .rollback(let leavesNoModel):
            guard isStarted else { throw .notStarted }
            guard plan.state != .rolledBack else { throw .wrongState(plan.state) }
            guard plan.baseline != nil || leavesNoModel else {
                throw .nothingToGoBackTo(plan.candidate.version)
            }
            rollBack(by, reason, nil, now, &step)
        case .freeze: try freeze(by, reason, now, &step)
        case .unfreeze:
            guard plan.state == .frozen, let from = frozenFrom else {
                throw .wrongState(plan.state)
            }
            plan.state = from
            frozenFrom = nil
            record(.unfrozen, by, reason, now, &step)
        case .exclude, .include, .resumeSegment: try segment(order, by, reason, now, &step)
        case .setPins(let pins):
            try check(pins)
            plan.pins = pins
            record(.pinsChanged, by, reason, now, &step)
        case .setFreezeWindows(let windows):
            guard windows.count <= FreezeWindow.most else { throw .tooManyWindows(windows.count) }
            plan.freezeWindows = Set(windows).sorted()
            record(.windowsChanged, by, reason, now, &step)
        }
    }

    private func expect(_ state: Plan.State, or other: Bool = false) throws(OrderRefusal) {
        guard isStarted else { throw .notStarted }
        guard plan.state == state || other else { throw .wrongState(plan.state) }
    }

    private mutating func start(
        _ by: String, _ reason: String, _ facts: ControllerFacts, _ step: inout Step
    ) throws(OrderRefusal) {
        guard !isStarted, let first = policy.stages.first else { throw .alreadyStarted }
        guard !facts.isModelFrozen else { throw .modelFrozen }
        guard facts.now >= policy.notBefore else { throw .beforeNotBefore(policy.notBefore) }
        guard facts.now <= policy.notAfter else { throw .afterNotAfter(policy.notAfter) }
        guard facts.isRehearsed || !policy.rehearsal else { throw .rehearsalMissing }
        try checkEntry(first, facts, isOrdered: true)
        plan.holdBack = plan.fitting(
            ShareChoice.holdBack(policy, census: facts.census), into: [:])
        plan.state = .running
        begin(stage: 0, facts)
        record(.started, by, reason, facts.now, &step)
    }

    private mutating func freeze(
        _ by: String, _ reason: String, _ now: UTCTime, _ step: inout Step
    ) throws(OrderRefusal) {
        guard isStarted else { throw .notStarted }
        guard plan.state == .running || plan.state == .paused || plan.state == .completed else {
            throw .wrongState(plan.state)
        }
        frozenFrom = plan.state
        plan.state = .frozen
        record(.frozen, by, reason, now, &step)
    }

    private mutating func segment(
        _ order: ControllerEvent.Order, _ by: String, _ reason: String, _ now: UTCTime,
        _ step: inout Step
    ) throws(OrderRefusal) {
        guard isStarted else { throw .notStarted }
        switch order {
        case .exclude(let segment):
            guard !plan.excluded.contains(segment) else { throw .segmentAlreadyExcluded(segment) }
            guard plan.excluded.count < Plan.mostSegments else { throw .tooManySegments }
            plan.excluded.append(segment)
            record(.excluded, by, reason, now, segment: segment, &step)
        case .include(let segment):
            guard plan.excluded.contains(segment) else { throw .noSuchSegment(segment) }
            plan.excluded.removeAll { $0 == segment }
            gateExcluded[segment] = nil
            record(.included, by, reason, now, segment: segment, &step)
        case .resumeSegment(let segment):
            guard plan.paused.contains(segment) else { throw .noSuchSegment(segment) }
            plan.paused.removeAll { $0 == segment }
            gatePaused[segment] = nil
            record(.segmentResumed, by, reason, now, segment: segment, &step)
        default: return
        }
    }

    private func check(_ pins: [PinGroup]) throws(OrderRefusal) {
        let devices = pins.flatMap(\.devices)
        guard devices.count <= PinGroup.most, Set(devices).count == devices.count else {
            throw .tooManyPins(devices.count)
        }
        guard pins.count <= PinGroup.mostGroups else { throw .tooManyPinGroups(pins.count) }
    }
}
