package import Primitives

extension Plan {
    /// Reads the bytes of a signed plan.
    ///
    /// - Throws: `DocumentError`, naming the field.
    package init(parsing bytes: [UInt8]) throws(DocumentError) {
        self = try DocumentError.reading(bytes, limit: Self.longest) {
            (json) throws(FieldError) in try Plan(reading: json)
        }
    }

    package init(reading json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        try fields.expectSchema(Self.schema)
        model = try fields.model()
        channel = try fields.parse("channel", ChannelName.expected) { ChannelName($0) }
        if let json = fields.optional("baseline") {
            baseline = try BundleReference(reading: json, at: "baseline")
        } else {
            baseline = nil
        }
        candidate = try BundleReference(
            reading: try fields.value("candidate", "an object"), at: "candidate")
        policy = try Self.policy(&fields)
        stages = try Self.list(&fields, "stages", limit: Policy.mostStages, BegunStage.init)
        holdBack = try Self.shares(&fields, "hold_back")
        state = try fields.word("state")
        excluded = try Self.list(&fields, "excluded", limit: Self.mostSegments, Segment.init)
        paused = try Self.list(&fields, "paused", limit: Self.mostSegments, Segment.init)
        withdrawn = try Self.list(&fields, "withdrawn", limit: Self.mostWithdrawn, Withdrawal.init)
        pins = try Self.list(&fields, "pins", limit: PinGroup.mostGroups, PinGroup.init)
        freezeWindows = try Self.list(
            &fields, "freeze_windows", limit: FreezeWindow.most, FreezeWindow.init)
        try fields.refuseUnknown()
        try checkPins()
        try checkWithdrawal()
    }

    /// The document, with every field; `baseline` is left out of a first release's plan.
    package var json: JSON {
        var fields: JSONObject = [
            "schema": .string(Self.schema), "model": .string(model.description),
            "channel": .string(channel.description), "candidate": candidate.json,
            "policy": [
                "path": .string(policy.path.description), "sha256": .string(policy.sha256.hex),
            ],
            "stages": .array(stages.map(\.json)), "hold_back": Self.json(holdBack),
            "state": .string(state.rawValue), "excluded": .array(excluded.map(\.json)),
            "paused": .array(paused.map(\.json)), "withdrawn": .array(withdrawn.map(\.json)),
            "pins": .array(pins.map(\.json)),
            "freeze_windows": .array(freezeWindows.map(\.json)),
        ]
        fields["baseline"] = baseline?.json
        return .object(fields)
    }

    private static func policy(_ fields: inout Fields) throws(FieldError) -> PolicyReference {
        var inner = try fields.fields("policy")
        let reference = PolicyReference(
            path: try inner.targetPath("path"), sha256: try inner.digest("sha256"))
        try inner.refuseUnknown()
        return reference
    }

    private static func list<Value>(
        _ fields: inout Fields, _ key: String, limit: Int,
        _ read: (JSON, String) throws(FieldError) -> Value
    ) throws(FieldError) -> [Value] {
        var values: [Value] = []
        for (json, path) in try fields.array(key, limit: limit) {
            values.append(try read(json, path))
        }
        return values
    }

    fileprivate static func shares(
        _ fields: inout Fields, _ key: String
    ) throws(FieldError) -> [Cohort: BasisPoints] {
        var shares: [Cohort: BasisPoints] = [:]
        for (name, json, path) in try fields.map(key, limit: mostCohorts) {
            guard let cohort = Cohort(name) else {
                throw FieldError(
                    path: path, expected: "a cohort, as region/device class", found: "'\(name)'")
            }
            guard let share = json.integer.flatMap({ BasisPoints($0) }) else {
                throw FieldError(path: path, expected: "0 to 10000", found: json.text)
            }
            shares[cohort] = share
        }
        return shares
    }

    fileprivate static func json(_ shares: [Cohort: BasisPoints]) -> JSON {
        let fields = shares.map { ($0.key.description, JSON.integer($0.value.value)) }
        return .object(JSONObject(fields))
    }

    /// At most 10,000 pins, and a device in one group only.
    private func checkPins() throws(FieldError) {
        let count = pins.reduce(0) { $0 + $1.devices.count }
        guard count <= PinGroup.most else {
            throw FieldError(
                path: "pins", expected: "at most \(PinGroup.most) devices", found: "\(count)")
        }
        guard Set(pins.flatMap(\.devices)).count == count else {
            throw FieldError(path: "pins", expected: "each device once", found: "one twice")
        }
    }

    /// A plan that rolled back withdraws its candidate.
    private func checkWithdrawal() throws(FieldError) {
        guard state == .rolledBack, !withdrawn.contains(where: { $0.sha256 == candidate.sha256 })
        else { return }
        throw FieldError(
            path: "withdrawn", expected: "the candidate, which is rolled back",
            found: "others only")
    }
}

extension Plan.BegunStage {
    init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        began = try fields.moment("began")
        shares = try Plan.shares(&fields, "shares")
        try fields.refuseUnknown()
    }

    var json: JSON { ["began": .integer(began.seconds), "shares": Plan.json(shares)] }
}
