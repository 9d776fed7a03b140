package import Primitives

extension Policy {
    /// Reads the bytes of a signed policy: every field is there, and no other.
    ///
    /// - Throws: `DocumentError`, naming the field. What is well formed but makes no sense is found by
    ///   `problems(in:)`, not here.
    package init(parsing bytes: [UInt8]) throws(DocumentError) {
        self = try DocumentError.reading(bytes, limit: Self.longest) {
            (json) throws(FieldError) in try Policy(reading: json)
        }
    }

    package init(reading json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        try fields.expectSchema(Self.schema)
        model = try fields.model()
        candidate = try BundleReference(
            reading: try fields.value("candidate", "an object"), at: "candidate")
        replaces = try fields.sortedList(
            "replaces", VersionRange.expected, limit: 64,
            by: { ($0.lowest, $0.highest) < ($1.lowest, $1.highest) }, { VersionRange($0) })
        notBefore = try fields.moment("not_before")
        notAfter = try fields.moment("not_after")
        stages = try Self.list(&fields, "stages", limit: Self.mostStages, Stage.init)
        holdBack = try Self.quota(&fields)
        gates = try Self.list(&fields, "gates", limit: 64, Gate.init)
        statistics = try Statistics(
            reading: try fields.value("statistics", "an object"), at: "statistics")
        (burnInSeconds, burnInTurns) = try Self.burnIn(&fields)
        checkInDeadline = try fields.integer("check_in_deadline_s", in: 1...31_536_000)
        reportInterval = try fields.integer("report_interval_s", in: 1...604_800)
        gateInterval = try fields.integer("gate_interval_s", in: 1...604_800)
        probation = try Probation(
            reading: try fields.value("probation", "an object"), at: "probation")
        onInsufficientEvidence = try fields.word("on_insufficient_evidence")
        excludable = try fields.sortedList(
            "excludable", "one of \(Segment.Kind.allCases.map(\.rawValue))",
            by: { $0.rawValue < $1.rawValue }, { Segment.Kind(rawValue: $0) })
        download = try DownloadRules(
            reading: try fields.value("download", "an object"), at: "download")
        minDwell = try fields.integer("min_dwell_s", in: 0...31_536_000)
        freshness = try fields.integer("freshness_s", in: 1...31_536_000)
        maxPins = try fields.count("max_pins", in: 0...Int64(PinGroup.most))
        rehearsal = try fields.bool("rehearsal")
        try fields.refuseUnknown()
    }

    /// The document, with every field.
    package var json: JSON {
        [
            "schema": .string(Self.schema), "model": .string(model.description),
            "candidate": candidate.json, "replaces": .strings(replaces),
            "not_before": .integer(notBefore.seconds), "not_after": .integer(notAfter.seconds),
            "stages": .array(stages.map(\.json)), "hold_back": holdBack.json,
            "gates": .array(gates.map(\.json)), "statistics": statistics.json,
            "burn_in": ["seconds": .integer(burnInSeconds), "turns": .integer(burnInTurns)],
            "check_in_deadline_s": .integer(checkInDeadline),
            "report_interval_s": .integer(reportInterval),
            "gate_interval_s": .integer(gateInterval), "probation": probation.json,
            "on_insufficient_evidence": .string(onInsufficientEvidence.rawValue),
            "excludable": .array(excludable.map { .string($0.rawValue) }),
            "download": download.json, "min_dwell_s": .integer(minDwell),
            "freshness_s": .integer(freshness), "max_pins": .integer(maxPins),
            "rehearsal": .bool(rehearsal),
        ]
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

    private static func quota(_ fields: inout Fields) throws(FieldError) -> Quota {
        var inner = try fields.fields("hold_back")
        let quota = try Quota(reading: &inner)
        try inner.refuseUnknown()
        return quota
    }

    private static func burnIn(_ fields: inout Fields) throws(FieldError) -> (Int64, Int) {
        var inner = try fields.fields("burn_in")
        let seconds = try inner.integer("seconds", in: 0...31_536_000)
        let turns = try inner.count("turns")
        try inner.refuseUnknown()
        return (seconds, turns)
    }
}
