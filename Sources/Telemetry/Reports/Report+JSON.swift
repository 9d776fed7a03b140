package import Primitives

extension Report {
    /// The `signed` part.
    package var json: JSON {
        var fields = tally.fields
        fields["context"] = .string(Self.context)
        fields["schema"] = .string(Self.schema)
        fields["schema_hash"] = schemaHash.map { .string($0) }
        fields["kind"] = .string(kind.rawValue)
        fields["device"] = .string(device.description)
        fields["epoch"] = .integer(epoch)
        fields["sequence"] = .integer(sequence)
        fields["made_at"] = .integer(madeAt.seconds)
        fields["model"] = .string(model.description)
        fields["channel"] = .string(channel.description)
        fields["version"] = version.map { .string($0.description) }
        fields["candidate"] = candidate.map { .string($0.description) }
        fields["rollout"] = place?.json
        fields["attempt"] = attempt?.json
        fields["state"] = .string(state.rawValue)
        fields["reasons"] = .array(reasons.map { .string($0.rawValue) })
        fields["attributes"] = attributes.json
        fields["uptime_s"] = .integer(uptimeSeconds)
        fields["exposed_at"] = exposedAt.map { .integer($0.seconds) }
        fields["counting_since"] = countingSince.map { .integer($0.seconds) }
        fields["reference"] = reference?.json
        fields["wer_proxy"] = wordErrors?.json
        fields["smoke"] = smoke?.json
        fields["probation"] = probation?.json
        fields["temperature_c_tenths"] = temperatureTenths.map { .integer($0) }
        fields["battery_percent"] = batteryPercent.map { .integer($0) }
        fields["microphone"] = microphone.map { .string($0.description) }
        return .object(fields)
    }

    /// Reads a `signed` part whose signature the caller checks.
    ///
    /// Of schema 1 unknown fields are refused. Of schema 2, one version newer, they are dropped and unknown
    /// reason codes read as `other`: a newer schema only adds. Anything else is an unknown schema. The hash of
    /// the schema decides nothing.
    ///
    /// - Throws: `TelemetryError`; figures that cannot be are found by `check(at:)`.
    package init(_ json: JSON) throws(TelemetryError) {
        guard let context = json["context"]?.string, context == Self.context else {
            throw .wrongContext(json["context"]?.string ?? "nothing")
        }
        let schema = json["schema"]?.string ?? "nothing"
        guard let strict = [Self.schema: true, "fieldfare.report/2": false][schema] else {
            throw .unknownSchema(schema)
        }
        do {
            var fields = try Fields(json)
            try self.init(reading: &fields, strict: strict)
            if strict { try fields.refuseUnknown() }
        } catch {
            throw .field(error)
        }
    }

    private init(reading fields: inout Fields, strict: Bool) throws(FieldError) {
        _ = try fields.string("context")
        _ = try fields.string("schema")
        let hash = try fields.optionalParse("schema_hash", "16 lower-case hexadecimal digits") {
            Hex.decode($0)?.count == 8 ? $0 : nil
        }
        let kind = try fields.parse("kind", "a kind of report") { ReportKind(rawValue: $0) }
        let device = try fields.parse("device", DeviceID.expected, DeviceID.init)
        let epoch = try fields.integer("epoch", in: 0...(1 << 53))
        let sequence = try fields.integer("sequence", in: 1...(1 << 53))
        let model = try fields.parse("model", ModelName.expected, ModelName.init)
        let channel = try fields.parse("channel", ChannelName.expected, ChannelName.init)
        let state = try fields.parse("state", "an agent's state") { ReportedState(rawValue: $0) }
        var inner = try fields.fields("attributes")
        let attributes = try DeviceAttributes(reading: &inner)
        if strict { try inner.refuseUnknown() }
        self.init(
            kind: kind, device: device, epoch: epoch, sequence: sequence,
            madeAt: try Self.time("made_at", of: &fields) ?? .epoch, model: model,
            channel: channel, state: state, attributes: attributes)
        schemaHash = hash
        try readRollout(&fields, strict: strict)
        try readFigures(&fields, strict: strict)
    }

    private mutating func readRollout(
        _ fields: inout Fields, strict: Bool
    ) throws(FieldError) {
        version = try fields.optionalParse(
            "version", SemanticVersion.expected, SemanticVersion.init)
        candidate = try fields.optionalParse(
            "candidate", SemanticVersion.expected, SemanticVersion.init)
        if var inner = try fields.optionalFields("rollout") {
            place = try RolloutPlace(reading: &inner)
            if strict { try inner.refuseUnknown() }
        }
        if var inner = try fields.optionalFields("attempt") {
            attempt = try AttemptMark(reading: &inner)
            if strict { try inner.refuseUnknown() }
        }
        for (json, path) in try fields.array("reasons", limit: Self.reasonLimit) {
            guard let code = json.string.flatMap({ ReasonCode(reading: $0, strict: strict) }) else {
                throw FieldError(
                    path: path, expected: "a reason code", found: json.string ?? json.kind)
            }
            reasons.append(code)
        }
        uptimeSeconds = try fields.integer("uptime_s", in: 0...(1 << 40))
        exposedAt = try Self.time("exposed_at", of: &fields, optional: true)
        countingSince = try Self.time("counting_since", of: &fields, optional: true)
    }

    private mutating func readFigures(
        _ fields: inout Fields, strict: Bool
    ) throws(FieldError) {
        tally = try TurnTally(reading: &fields, strict: strict)
        if var inner = try fields.optionalFields("reference") {
            reference = try Reference(reading: &inner, strict: strict)
        }
        if var inner = try fields.optionalFields("wer_proxy") {
            wordErrors = try WordErrorProxy(reading: &inner)
            if strict { try inner.refuseUnknown() }
        }
        if var inner = try fields.optionalFields("smoke") {
            smoke = try SmokeFigures(reading: &inner, strict: strict)
            if strict { try inner.refuseUnknown() }
        }
        if var inner = try fields.optionalFields("probation") {
            probation = try ProbationEvidence(reading: &inner)
            if strict { try inner.refuseUnknown() }
        }
        temperatureTenths = try fields.optionalInteger("temperature_c_tenths", in: -1_000...2_000)
        batteryPercent = try fields.optionalInteger("battery_percent", in: 0...100)
        microphone = try fields.optionalParse(
            "microphone", AttributeName.expected, AttributeName.init)
    }

    private static func time(
        _ key: String, of fields: inout Fields, optional: Bool = false
    ) throws(FieldError) -> UTCTime? {
        let range = 0...UTCTime.latest.seconds
        guard optional else { return UTCTime(clamping: try fields.integer(key, in: range)) }
        return try fields.optionalInteger(key, in: range).map { UTCTime(clamping: $0) }
    }
}
