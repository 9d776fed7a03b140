package import Primitives

extension ControllerState {
    package static let schema = "fieldfare.controller/1"

    /// The whole state, for the registry's store.
    package var json: JSON {
        var fields: JSONObject = [
            "schema": .string(Self.schema), "policy": policy.json, "plan": plan.json,
            "ready": .bool(isReady), "ready_unproven": .bool(isReadyUnproven),
            "unproven_stages": .array(unprovenStages.map { .integer($0) }),
            "gate_excluded": Self.json(gateExcluded), "gate_paused": Self.json(gatePaused),
            "sequence": .integer(sequence),
        ]
        fields["frozen_from"] = frozenFrom.map { .string($0.rawValue) }
        fields["last_verdict"] = lastVerdict.map { .integer($0.seconds) }
        return .object(fields)
    }

    /// Reads what `json` wrote.
    ///
    /// - Throws: `FieldError`; also where the plan has more stages than its policy.
    package init(reading json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        try fields.expectSchema(Self.schema)
        let policy = try Policy(reading: try fields.value("policy", "an object"))
        let plan = try Plan(reading: try fields.value("plan", "an object"))
        self.init(policy: policy, plan: plan)
        guard plan.stages.count <= policy.stages.count else {
            throw FieldError(
                path: "plan.stages", expected: "at most \(policy.stages.count)",
                found: "\(plan.stages.count)")
        }
        isReady = try fields.bool("ready")
        isReadyUnproven = try fields.bool("ready_unproven")
        for (element, path) in try fields.array("unproven_stages", limit: Policy.mostStages) {
            guard let index = element.integer else {
                throw FieldError(path: path, expected: "an integer", found: element.kind)
            }
            unprovenStages.append(Int(index))
        }
        gateExcluded = try Self.segments(&fields, "gate_excluded")
        gatePaused = try Self.segments(&fields, "gate_paused")
        sequence = try fields.count("sequence")
        frozenFrom = fields.optional("frozen_from") == nil ? nil : try fields.word("frozen_from")
        lastVerdict =
            fields.optional("last_verdict") == nil ? nil : try fields.moment("last_verdict")
        try fields.refuseUnknown()
    }

    private static func json(_ segments: [Segment: Metric?]) -> JSON {
        let sorted = segments.sorted { $0.key.description < $1.key.description }
        return .array(
            sorted.map { segment, metric in
                var fields: JSONObject = ["segment": segment.json]
                fields["metric"] = metric.map { .string($0.rawValue) }
                return .object(fields)
            })
    }

    private static func segments(
        _ fields: inout Fields, _ key: String
    ) throws(FieldError) -> [Segment: Metric?] {
        var segments: [Segment: Metric?] = [:]
        for (json, path) in try fields.array(key, limit: Plan.mostSegments) {
            var item = try Fields(json, at: path)
            let segment = try Segment(
                reading: try item.value("segment", "an object"), at: item.path(of: "segment"))
            let metric: Metric? = item.optional("metric") == nil ? nil : try item.word("metric")
            try item.refuseUnknown()
            segments[segment] = .some(metric)
        }
        return segments
    }
}
