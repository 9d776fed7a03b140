package import Primitives

/// What a person writes in `rollout.yaml`, made into a whole policy.
///
/// A draft may leave out whatever has a default, write numbers with units (`1%`, `24h`, `1.30`,
/// `64MiB`, `2026-11-21T05:06:07Z`), leave the `_s` off the names of times, and give lists in any
/// order. The CLI turns YAML into JSON first: scalars that are no integer or boolean come as strings.
package enum PolicyDraft {
    /// Completes a draft for one bundle.
    ///
    /// - Parameters:
    ///   - json: the draft; its `model` and `candidate` (a version) must be those of the bundle.
    ///   - candidate: the bundle, as its manifest says.
    ///   - now: the `not_before` of a draft that gives none.
    /// - Returns: a policy that `problems(in:)` has not looked at yet.
    /// - Throws: `Malformed` with every value that cannot be read, or else with the first field that is not as it should be.
    package static func complete(
        _ json: JSON, candidate: BundleReference, now: UTCTime
    ) throws(Malformed) -> Policy {
        var problems: [FieldError] = []
        let draft = plain(json, key: "", path: "", &problems).object ?? [:]
        guard problems.isEmpty else { throw Malformed(problems: problems) }
        do {
            return try complete(draft, candidate: candidate, now: now)
        } catch {
            throw Malformed(problems: [error])
        }
    }

    /// What is wrong with the values of a draft.
    package struct Malformed: Error, Sendable, Hashable {
        package let problems: [FieldError]
    }

    private static func complete(
        _ given: JSONObject, candidate: BundleReference, now: UTCTime
    ) throws(FieldError) -> Policy {
        var draft = given
        let version = draft["candidate"]?.string ?? "nothing"
        guard version == candidate.version.description else {
            throw FieldError(
                path: "candidate", expected: "the bundle's version, \(candidate.version)",
                found: "'\(version)'")
        }
        draft["candidate"] = candidate.json
        let isInitial = draft["replaces"]?.array?.isEmpty ?? false
        try fillStages(&draft)
        try fillGates(&draft)
        let notBefore = draft["not_before"]?.integer ?? now.seconds
        let defaults = PolicyDefaults.document(
            notBefore: UTCTime(clamping: notBefore), isInitial: isInitial)
        return try Policy(reading: filled(.object(draft), from: defaults))
    }

    /// Takes from `defaults` what `json` leaves out, object by object.
    private static func filled(_ json: JSON, from defaults: JSON) -> JSON {
        guard case .object(let given) = json, case .object(let known) = defaults else {
            return json
        }
        return .object(given.merging(known) { filled($0, from: $1) })
    }

    private static func fillStages(_ draft: inout JSONObject) throws(FieldError) {
        guard let given = draft["stages"] else {
            draft["stages"] = .array(PolicyDefaults.stages)
            return
        }
        guard let stages = given.array else {
            throw FieldError(path: "stages", expected: "an array", found: given.kind)
        }
        draft["stages"] = .array(
            stages.enumerated().map { index, stage in
                let template = PolicyDefaults.stage(at: index, of: stages.count)
                var whole = filled(stage, from: template)
                if stage["cap"] == nil, case .object(var fields) = whole,
                    let share = stage["share"]?.integer, let cap = template["cap"]?.integer
                {
                    fields["cap"] = .integer(max(share, cap))
                    whole = .object(fields)
                }
                // Somebody who names the evidence means these metrics, and no others.
                if let spot = stage["required_blind_spot"], case .object(var fields) = whole {
                    fields["required_blind_spot"] = spot
                    whole = .object(fields)
                }
                return whole
            })
    }

    /// The gates given replace the default ones of the same metric; `without_gates` leaves some out.
    private static func fillGates(_ draft: inout JSONObject) throws(FieldError) {
        let left = Set(try array("without_gates", of: draft).compactMap(\.string))
        draft["without_gates"] = nil
        if let wrong = left.first(where: { Metric(rawValue: $0) == nil }) {
            throw FieldError(
                path: "without_gates", expected: Metric.expected, found: "'\(wrong)'")
        }
        let given = try array("gates", of: draft)
        let defaults = PolicyDefaults.gates
        let named = Set(given.compactMap { $0["metric"]?.string })
        let whole = given.map { gate in
            let same = defaults.first { $0["metric"] == gate["metric"] }
            return same.map { filled(gate, from: $0) } ?? gate
        }
        let rest = defaults.filter {
            let metric = $0["metric"]?.string ?? ""
            return !named.contains(metric) && !left.contains(metric)
        }
        draft["gates"] = .array(whole + rest)
    }

    /// The elements of an array; none where it is not there.
    private static func array(
        _ name: String, of draft: JSONObject
    ) throws(FieldError) -> [JSON] {
        guard let given = draft[name] else { return [] }
        guard let elements = given.array else {
            throw FieldError(path: name, expected: "an array", found: given.kind)
        }
        return elements
    }

    /// Numbers for numbers with units, full names for short ones, lists in order; what cannot be read is a problem.
    private static func plain(
        _ json: JSON, key: String, path: String, _ problems: inout [FieldError]
    ) -> JSON {
        switch json {
        case .object(let fields):
            var plain: JSONObject = [:]
            for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
                let full = times.contains(name + "_s") ? name + "_s" : name
                let inner = path.isEmpty ? name : "\(path).\(name)"
                if plain[full] != nil {
                    problems.append(
                        FieldError(path: inner, expected: "one of its spellings", found: "both"))
                }
                plain[full] = self.plain(value, key: full, path: inner, &problems)
            }
            return .object(plain)
        case .array(let elements):
            return .array(list(elements, key: key, path: path, &problems))
        case .string(let text):
            if lists.contains(key) { return .array([json]) }
            guard let quantity = Quantity(of: key) else { return json }
            guard let value = quantity.value(of: text) else {
                problems.append(
                    FieldError(path: path, expected: quantity.expected, found: "'\(text)'"))
                return json
            }
            return .integer(value)
        case .null, .bool, .integer: return json
        }
    }

    private static func list(
        _ elements: [JSON], key: String, path: String, _ problems: inout [FieldError]
    ) -> [JSON] {
        var plain: [JSON] = []
        for (index, element) in elements.enumerated() {
            plain.append(self.plain(element, key: "", path: "\(path)[\(index)]", &problems))
        }
        switch key {
        case "replaces":
            return plain.sorted { (one, other) in
                guard let a = one.string.flatMap({ VersionRange($0) }),
                    let b = other.string.flatMap({ VersionRange($0) })
                else { return false }
                return (a.lowest, a.highest) < (b.lowest, b.highest)
            }
        case _ where lists.contains(key):
            return plain.sorted { ($0.string ?? "") < ($1.string ?? "") }
        default: return plain
        }
    }

    private static let lists: Set<String> = [
        "replaces", "regions", "device_classes", "labels", "locales", "excludable",
        "without_gates",
    ]

    private static let times: Set<String> = [
        "least_soak_s", "most_soak_s", "ramp_s", "check_in_deadline_s", "report_interval_s",
        "gate_interval_s", "min_dwell_s", "freshness_s", "most_s", "restart_window_s",
        "reference_s",
    ]
}
