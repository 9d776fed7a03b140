import Primitives
import Rollouts
import Telemetry

extension MachineState {
    var json: JSON {
        var fields: JSONObject = [
            "state": state.json, "slots": slots.json, "held": .bool(isHeld),
            "trials": .array(trials.trials.map(\.json)),
            "committed": .array(committed.map(\.json)),
        ]
        fields["rollback_floor"] = rollbackFloor.map { .string($0.description) }
        fields["last_forward_swap"] = lastForwardSwap?.json
        return .object(fields)
    }

    init(_ outer: inout Fields, at key: String) throws(FieldError) {
        var fields = try outer.fields(key)
        self.init(
            state: try AgentState(&fields, at: "state"),
            slots: try SlotTable(&fields, at: "slots"),
            rollbackFloor: try fields.optionalVersion("rollback_floor"),
            lastForwardSwap: try fields.optionalMoment("last_forward_swap"),
            isHeld: try fields.bool("held"))
        var list: [Trial] = []
        for (json, path) in try fields.array("trials", limit: TrialMemory.limit) {
            list.append(try Trial(json, at: path))
        }
        trials = TrialMemory(restoring: list)
        for (json, path) in try fields.array("committed", limit: Self.committedLimit) {
            committed.append(try BundleReference(reading: json, at: path))
        }
        try fields.refuseUnknown()
    }
}

extension SlotTable {
    var json: JSON {
        var fields: JSONObject = [:]
        fields["active"] = active.map { .string($0.rawValue) }
        fields["a"] = contents.a?.json
        fields["b"] = contents.b?.json
        return .object(fields)
    }

    init(_ outer: inout Fields, at key: String) throws(FieldError) {
        var fields = try outer.fields(key)
        self.init(
            active: try fields.optionalSlot("active"),
            contents: PerSlot(
                a: try fields.optionalBundle("a"), b: try fields.optionalBundle("b")))
        try fields.refuseUnknown()
    }
}

extension Trial {
    var json: JSON {
        var fields: JSONObject = [
            "bundle": bundle.json, "attempts": .integer(Int64(attempts)),
            "unfinished": .integer(Int64(unfinished)), "troubles": .integer(Int64(troubles)),
            "at": at.json,
        ]
        fields["bundle_troubles"] =
            bundleTroubles == 0 ? nil : .integer(Int64(bundleTroubles))
        fields["last_trouble"] = lastTrouble.map { .string($0.description) }
        fields["rejection"] = rejection.map { .string($0.description) }
        return .object(fields)
    }

    init(_ json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        self.init(bundle: try fields.bundle("bundle"), at: try fields.moment("at"))
        attempts = Int(try fields.integer("attempts", in: 0...1_000_000))
        unfinished = Int(try fields.integer("unfinished", in: 0...1_000_000))
        troubles = Int(try fields.integer("troubles", in: 0...1_000_000))
        bundleTroubles = Int(
            try fields.optionalInteger("bundle_troubles", in: 0...1_000_000) ?? 0)
        lastTrouble = try fields.optionalParse("last_trouble", "a trouble") { PassingTrouble($0) }
        rejection = try fields.optionalParse("rejection", "a reason") { RejectionReason($0) }
        try fields.refuseUnknown()
    }
}

extension AgentState {
    var json: JSON {
        var fields: JSONObject = ["name": .string(name)]
        switch self {
        case .resting: break
        case .checking(let since, let deadline):
            fields["since"] = .string(since.rawValue)
            fields["deadline"] = deadline.json
        case .rollingBack(let retreat): fields["retreat"] = retreat.json
        case .downloading(let attempt), .verified(let attempt), .attempting(let attempt),
            .announcing(let attempt), .swapping(let attempt), .probation(let attempt):
            fields["attempt"] = attempt.json
        }
        return .object(fields)
    }

    init(_ outer: inout Fields, at key: String) throws(FieldError) {
        var fields = try outer.fields(key)
        let name = try fields.string("name", limit: 32)
        if let resting = RestingState(rawValue: name) {
            self = .resting(resting)
        } else if name == "checking" {
            let since = try fields.parse("since", "a resting state") { RestingState(rawValue: $0) }
            self = .checking(since: since, deadline: try fields.moment("deadline"))
        } else if name == "rolling_back" {
            self = .rollingBack(try Retreat(&fields, at: "retreat"))
        } else {
            let attempt = try Attempt(&fields, at: "attempt")
            guard let state = AgentState(name: name, attempt) else {
                throw FieldError(
                    path: fields.path(of: "name"), expected: "an agent's state", found: "'\(name)'")
            }
            self = state
        }
        try fields.refuseUnknown()
    }

    private init?(name: String, _ attempt: Attempt) {
        switch name {
        case "downloading": self = .downloading(attempt)
        case "verified": self = .verified(attempt)
        case "attempting": self = .attempting(attempt)
        case "announcing": self = .announcing(attempt)
        case "swapping": self = .swapping(attempt)
        case "probation": self = .probation(attempt)
        default: return nil
        }
    }
}

extension Attempt {
    var json: JSON {
        var fields: JSONObject = [
            "release": release.json, "slot": .string(slot.rawValue),
            "trace": .string(trace.description), "deadline": deadline.json,
            "tries": .integer(Int64(tries)),
        ]
        fields["held"] = held == 0 ? nil : .integer(held)
        fields["lost"] = lost?.json
        fields["previous"] = previous.map { .string($0.rawValue) }
        return .object(fields)
    }

    init(_ outer: inout Fields, at key: String) throws(FieldError) {
        var fields = try outer.fields(key)
        self.init(
            release: try Release(&fields, at: "release"),
            slot: try fields.parse("slot", "'a' or 'b'") { Slot(rawValue: $0) },
            previous: try fields.optionalSlot("previous"),
            trace: try fields.parse("trace", TraceID.expected) { TraceID($0) },
            deadline: try fields.moment("deadline"),
            tries: Int(try fields.integer("tries", in: 0...1_000_000)),
            held: try fields.optionalInteger("held", in: 0...Int64.max) ?? 0,
            lost: try fields.optionalBundle("lost"))
        try fields.refuseUnknown()
    }
}

extension Retreat {
    var json: JSON {
        var fields: JSONObject = [
            "from": from.json, "cause": .string(cause.description), "deadline": deadline.json,
        ]
        fields["to"] = to.map { .string($0.rawValue) }
        fields["trace"] = trace.map { .string($0.description) }
        return .object(fields)
    }

    init(_ outer: inout Fields, at key: String) throws(FieldError) {
        var fields = try outer.fields(key)
        self.init(
            from: try fields.bundle("from"), to: try fields.optionalSlot("to"),
            cause: try fields.parse("cause", "a cause") { RetreatCause($0) },
            trace: try fields.optionalParse("trace", TraceID.expected) { TraceID($0) },
            deadline: try fields.moment("deadline"))
        try fields.refuseUnknown()
    }
}

extension Release {
    var json: JSON {
        var fields: JSONObject = [
            "bundle": bundle.json, "direction": .string(direction.rawValue),
            "needs_beacon": .bool(needsBeacon), "plan_driven": .bool(isPlanDriven),
            "burn_in_turns": .integer(Int64(burnInTurns)),
        ]
        fields["probation"] = probation?.json
        fields["download"] = download?.json
        fields["rollback_floor"] = rollbackFloor.map { .string($0.description) }
        return .object(fields)
    }

    init(_ outer: inout Fields, at key: String) throws(FieldError) {
        var fields = try outer.fields(key)
        self.init(
            bundle: try fields.bundle("bundle"),
            direction: try fields.parse("direction", "'forward' or 'back'") {
                Direction(rawValue: $0)
            },
            needsBeacon: try fields.bool("needs_beacon"),
            isPlanDriven: try fields.bool("plan_driven"),
            probation: try ProbationTerms(optional: &fields, at: "probation"),
            burnInTurns: Int(try fields.integer("burn_in_turns", in: 0...1_000_000)),
            rollbackFloor: try fields.optionalVersion("rollback_floor"),
            download: try DownloadRules(optional: &fields, at: "download"))
        try fields.refuseUnknown()
    }
}

extension DownloadRules {
    fileprivate init?(optional outer: inout Fields, at key: String) throws(FieldError) {
        guard outer.optional(key) != nil else { return nil }
        try self.init(reading: try outer.value(key, "an object"), at: outer.path(of: key))
    }
}

extension ProbationTerms {
    var json: JSON { ["rules": probation.json, "clock": .string(clock.rawValue)] }

    init?(optional outer: inout Fields, at key: String) throws(FieldError) {
        guard var fields = try outer.optionalFields(key) else { return nil }
        self.init(
            try Probation(
                reading: try fields.value("rules", "an object"), at: fields.path(of: "rules")),
            clock: try fields.parse("clock", "a clock") { TurnClock(rawValue: $0) })
        try fields.refuseUnknown()
    }
}
