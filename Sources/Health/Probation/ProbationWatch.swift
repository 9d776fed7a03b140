private import Glibc
package import Primitives
package import Telemetry

/// The watch over a new version on one device: three counters, and the moment it began (docs/gate.md).
///
/// The counters are the whole state, so that losing power costs at most the turns not yet written.
/// All verdicts are recomputed from them.
package struct ProbationWatch: Sendable, Hashable {
    /// Bad turns among the turns that one channel saw.
    package struct Counter: Sendable, Hashable {
        package fileprivate(set) var bad = 0
        package fileprivate(set) var turns = 0
    }

    package let policy: ProbationPolicy
    /// Nil where the device has none of enough turns.
    package let reference: Reference?
    package private(set) var startedAt: UTCTime
    /// All turns since the swap.
    package private(set) var turns = 0
    package private(set) var mid = Counter()
    package private(set) var tail = Counter()
    package private(set) var error = Counter()
    /// Moments at which the model's process came up again, the newest `policy.restarts` of them.
    package private(set) var restarts: [UTCTime] = []

    package init(policy: ProbationPolicy, reference: Reference?, startedAt: UTCTime) {
        self.policy = policy
        self.reference = reference.flatMap {
            $0.turns >= Int64(policy.leastReferenceTurns) ? $0 : nil
        }
        self.startedAt = startedAt
    }

    /// Counts a turn of the watched version and says what follows.
    package mutating func record(_ turn: TurnRecord, at now: UTCTime) -> ProbationVerdict {
        turns += 1
        error.count(turn.error)
        if turns > policy.warmUpTurns, let duration = turn.milliseconds(policy.clock) {
            if let median = reference?.lnP50(policy.clock) { mid.count(isSlow(duration, median)) }
            if let high = reference?.lnP95(policy.clock) { tail.count(isSlow(duration, high)) }
        }
        return verdict(at: now)
    }

    /// Notes that the model's process died and was started again.
    package mutating func restarted(at now: UTCTime) -> ProbationVerdict {
        restarts = Array((restarts + [now]).suffix(max(1, policy.restarts)))
        return verdict(at: now)
    }

    /// The clock was set: as much time has passed as had before.
    package mutating func clockStepped(by seconds: Int64) {
        startedAt = startedAt + seconds
        restarts = restarts.map { $0 + seconds }
    }

    /// What follows from the counters as they are: hard rules, then evidence, then time.
    package func verdict(at now: UTCTime) -> ProbationVerdict {
        if let first = restarts.first, let last = restarts.last,
            restarts.count >= policy.restarts, last - first <= policy.restartSeconds
        {
            return .rollBack(.restartedTwice, nil)
        }
        if error.turns >= policy.firstTurns, error.bad == error.turns {
            return .rollBack(.firstTurnsFailed, evidence(.error))
        }
        let alarm = ProbationChannel.allCases.first { logE($0) >= log(policy.threshold) }
        if let alarm { return .rollBack(alarm.reason, evidence(alarm)) }
        let elapsed = now - startedAt
        if turns >= policy.turns { return .commit(unproven: false) }
        if elapsed >= policy.seconds, turns >= policy.leastTurns {
            return .commit(unproven: false)
        }
        return elapsed >= policy.mostSeconds ? .commit(unproven: true) : .watching
    }

    /// Natural logarithm of one channel's E.
    package func logE(_ channel: ProbationChannel) -> Double {
        let counter = counter(channel)
        return LocalEvidence.logE(bad: counter.bad, turns: counter.turns, q0: share(channel))
    }

    /// The share of bad turns that one channel still excuses.
    package func share(_ channel: ProbationChannel) -> Double {
        switch channel {
        case .mid: policy.midShare
        case .tail: policy.tailShare
        case .error:
            LocalEvidence.errorShare(
                errors: Int(reference?.counters.errors ?? 0), turns: Int(reference?.turns ?? 0),
                least: policy.errorShare)
        }
    }

    private func counter(_ channel: ProbationChannel) -> Counter {
        switch channel {
        case .mid: mid
        case .tail: tail
        case .error: error
        }
    }

    private func evidence(_ channel: ProbationChannel) -> ProbationEvidence {
        let counter = counter(channel)
        return ProbationEvidence(
            channel: channel, bad: Int64(counter.bad), turns: Int64(counter.turns),
            logE: Int64((logE(channel) * 1_000).rounded()))
    }

    private func isSlow(_ milliseconds: Double, _ logReference: Double) -> Bool {
        milliseconds > policy.slowRatio * exp(logReference)
    }
}

extension ProbationWatch.Counter {
    fileprivate mutating func count(_ isBad: Bool) {
        turns += 1
        bad += isBad ? 1 : 0
    }

    fileprivate var json: JSON { ["bad": .integer(Int64(bad)), "turns": .integer(Int64(turns))] }

    fileprivate init(_ key: String, of fields: inout Fields) throws(FieldError) {
        var inner = try fields.fields(key)
        turns = Int(try inner.integer("turns", in: 0...TurnCounters.limit))
        bad = Int(try inner.integer("bad", in: 0...Int64(turns)))
        try inner.refuseUnknown()
    }
}

extension ProbationChannel {
    fileprivate var reason: ReasonCode {
        switch self {
        case .mid: .midSlow
        case .tail: .tailSlow
        case .error: .tooManyErrors
        }
    }
}

extension ProbationWatch {
    /// What the agent's journal keeps; policy and reference it keeps elsewhere.
    package var json: JSON {
        [
            "started_at": .integer(startedAt.seconds), "turns": .integer(Int64(turns)),
            "mid": mid.json, "tail": tail.json, "error": error.json,
            "restarts": .array(restarts.map { .integer($0.seconds) }),
        ]
    }

    package init(
        _ json: JSON, policy: ProbationPolicy, reference: Reference?
    ) throws(FieldError) {
        var fields = try Fields(json)
        let moments = 0...UTCTime.latest.seconds
        self.init(
            policy: policy, reference: reference,
            startedAt: UTCTime(clamping: try fields.integer("started_at", in: moments)))
        turns = Int(try fields.integer("turns", in: 0...TurnCounters.limit))
        mid = try Counter("mid", of: &fields)
        tail = try Counter("tail", of: &fields)
        error = try Counter("error", of: &fields)
        for (json, path) in try fields.array("restarts", limit: 16) {
            guard let seconds = json.integer, moments.contains(seconds) else {
                throw FieldError(path: path, expected: "UTC seconds", found: json.kind)
            }
            restarts.append(UTCTime(clamping: seconds))
        }
        try fields.refuseUnknown()
    }
}
