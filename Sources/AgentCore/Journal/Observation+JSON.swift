import Health
import Primitives
import Rollouts
import Telemetry

extension Observation {
    var json: JSON {
        var fields: JSONObject = [
            "epoch": epoch.json, "sequence": .integer(sequence), "count_from": countFrom.json,
            "burn_in_turns": .integer(Int64(burnInTurns)), "tally": .object(tally.journalFields),
            "windows": .array(windows.map(\.json)),
        ]
        fields["version"] = version.map { .string($0.description) }
        fields["exposed_at"] = exposedAt?.json
        fields["place"] = place?.journalJSON
        fields["rollout"] = rollout.map { .string($0.description) }
        fields["counting_since"] = countingSince?.json
        fields["reference"] = reference?.json
        fields["watch"] = watch?.json
        fields["watch_terms"] = watchTerms?.json
        fields["serving"] = serving.map { .string($0.description) }
        return .object(fields)
    }

    init(_ outer: inout Fields, at key: String) throws(FieldError) {
        var fields = try outer.fields(key)
        self.init(epoch: try fields.moment("epoch"))
        sequence = try fields.integer("sequence", in: 0...(1 << 53))
        version = try fields.optionalVersion("version")
        exposedAt = try fields.optionalMoment("exposed_at")
        place = try RolloutPlace(journal: &fields, at: "place")
        rollout = try fields.optionalVersion("rollout")
        countingSince = try fields.optionalMoment("counting_since")
        countFrom = try fields.moment("count_from")
        burnInTurns = Int(try fields.integer("burn_in_turns", in: 0...1_000_000))
        var inner = try fields.fields("tally")
        tally = try TurnTally(journal: &inner)
        try inner.refuseUnknown()
        for (json, _) in try fields.array("windows", limit: 2) {
            windows.append(try ReferenceWindow(json))
        }
        if var inner = try fields.optionalFields("reference") {
            reference = try Reference(reading: &inner)
        }
        watchTerms = try ProbationTerms(optional: &fields, at: "watch_terms")
        if let terms = watchTerms {
            watch = try ProbationWatch(
                try fields.value("watch", "an object"), policy: terms.policy, reference: reference)
        }
        serving = try fields.optionalVersion("serving")
        try fields.refuseUnknown()
    }
}

extension RolloutPlace {
    var journalJSON: JSON {
        [
            "plan": .integer(plan), "stage": .integer(stage), "arm": .string(arm.rawValue),
            "window": window.json,
        ]
    }

    init?(journal outer: inout Fields, at key: String) throws(FieldError) {
        guard var fields = try outer.optionalFields(key) else { return nil }
        self.init(
            plan: try fields.integer("plan", in: 1...(1 << 53)),
            stage: try fields.integer("stage", in: 0...63),
            arm: try fields.parse("arm", "'treated' or 'control'") { Arm(rawValue: $0) },
            window: try fields.moment("window"))
        try fields.refuseUnknown()
    }
}

extension TrustMemory {
    var json: JSON {
        var fields: JSONObject = [
            "withdrawn": .array(withdrawn.map(\.json)), "time_floor": timeFloor.json,
            "plan_version": .integer(planVersion),
        ]
        fields["timestamp_keys"] = timestampKeys.map { .string($0.hex) }
        fields["plan_keys"] = planKeys.map { .string($0.hex) }
        return .object(fields)
    }

    init(_ outer: inout Fields, at key: String) throws(FieldError) {
        var fields = try outer.fields(key)
        var withdrawn: [Withdrawal] = []
        for (json, path) in try fields.array("withdrawn", limit: Self.withdrawalLimit) {
            withdrawn.append(try Withdrawal(reading: json, at: path))
        }
        self.init(
            withdrawn: withdrawn, timeFloor: try fields.moment("time_floor"),
            timestampKeys: try fields.optionalDigest("timestamp_keys"),
            planVersion: try fields.integer("plan_version", in: 0...Int64.max),
            planKeys: try fields.optionalDigest("plan_keys"))
        try fields.refuseUnknown()
    }
}

extension Fields {
    fileprivate mutating func optionalDigest(_ key: String) throws(FieldError) -> SHA256Digest? {
        try optionalParse(key, "64 lower-case hexadecimal digits") { SHA256Digest(hex: $0) }
    }
}
