package import Primitives

extension Decision {
    /// The decision as `fieldfare explain --json` and the API give it.
    package var json: JSON {
        var fields: JSONObject = [
            "type": "decision", "action": .string(word), "pinned": .bool(isPinned),
            "arm": .string(arm?.rawValue ?? "outside"),
            "refusals": .array(refusals.map { .string($0.rawValue) }),
            "trace": .array(trace.map(\.json)), "waits_for_beacon": .bool(waitsForBeacon),
        ]
        fields["bundle"] = (target ?? stranded)?.json
        fields["role"] = role.map { .string($0.rawValue) }
        fields["bucket"] = bucket.map { .integer($0.value) }
        fields["stage"] = stage.map { .integer($0) }
        fields["download"] = download?.json
        fields["waits_until"] = waitsUntil.map { .integer($0.seconds) }
        return .object(fields)
    }

    /// The action in one word.
    package var word: String {
        switch action {
        case .stay: "stay"
        case .first: "first"
        case .forward: "forward"
        case .back: "back"
        case .stranded: "stranded"
        }
    }

    private var stranded: BundleReference? {
        guard case .stranded(let bundle) = action else { return nil }
        return bundle
    }
}

extension Decision.Step {
    package var json: JSON {
        let inputs = inputs.map { ($0.name, JSON.string($0.value)) }
        var fields: JSONObject = [
            "rule": .string(rule.rawValue), "refused": .bool(isRefused),
            "inputs": .object(JSONObject(inputs)),
        ]
        fields["role"] = role.map { .string($0.rawValue) }
        fields["version"] = version.map { .string($0.description) }
        fields["until"] = until.map { .integer($0.seconds) }
        return .object(fields)
    }

    /// One line for people: `ok`, or `REFUSED`, the rule, and what it looked at.
    package var line: String {
        let subject = [role?.rawValue, version?.description].compactMap { $0 }
            .joined(separator: " ")
        let facts = inputs.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
        let end = until.map { " (until \($0))" } ?? ""
        return "\(isRefused ? "REFUSED" : "ok     ") \(rule.rawValue)"
            + (subject.isEmpty ? "" : " [\(subject)]") + (facts.isEmpty ? "" : ": \(facts)") + end
    }
}
