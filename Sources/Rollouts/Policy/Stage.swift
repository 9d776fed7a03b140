package import Primitives

/// A step of a policy: how many devices, where, for how long, and how a rollout comes into it.
package struct Stage: Sendable, Hashable {
    /// What it takes to enter a stage.
    package enum Promotion: String, Sendable, CaseIterable {
        /// The gate's verdict on the stage before it.
        case auto
        /// The verdict, and an operator's order.
        case manual
        /// The verdict, and an approval signed with the release keys, which each device checks.
        case signed
    }

    package static let longestSoak: Int64 = 365 * 86_400

    package var name: AttributeName
    package var quota: Quota
    package var `where`: Where
    /// Seconds a stage lasts at least, and after which the gate stops waiting for evidence.
    package var leastSoak: Int64
    package var mostSoak: Int64
    /// Seconds over which the devices that are new in this stage start, by bucket.
    package var ramp: Int64
    package var promote: Promotion
    /// The worsening that the stage may be unable to see, in thousandths: of the control's figure for
    /// `latency_p95`, of all turns for a rate such as `errors`.
    package var requiredBlindSpot: [Metric: Int]

    package init(
        name: AttributeName, quota: Quota, where: Where = .everywhere, leastSoak: Int64,
        mostSoak: Int64, ramp: Int64 = 0, promote: Promotion = .auto,
        requiredBlindSpot: [Metric: Int] = [:]
    ) {
        self.name = name
        self.quota = quota
        self.where = `where`
        self.leastSoak = leastSoak
        self.mostSoak = mostSoak
        self.ramp = ramp
        self.promote = promote
        self.requiredBlindSpot = requiredBlindSpot
    }

    package init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        name = try fields.parse("name", AttributeName.expected) { AttributeName($0) }
        quota = try Quota(reading: &fields)
        `where` = try Where(
            reading: try fields.value("where", "an object"), at: fields.path(of: "where"))
        leastSoak = try fields.integer("least_soak_s", in: 0...Self.longestSoak)
        mostSoak = try fields.integer("most_soak_s", in: 0...Self.longestSoak)
        ramp = try fields.integer("ramp_s", in: 0...Self.longestSoak)
        promote = try fields.word("promote")
        requiredBlindSpot = try Self.blindSpots(&fields)
        try fields.refuseUnknown()
    }

    package var json: JSON {
        var fields = quota.fields
        fields["name"] = .string(name.description)
        fields["where"] = `where`.json
        fields["least_soak_s"] = .integer(leastSoak)
        fields["most_soak_s"] = .integer(mostSoak)
        fields["ramp_s"] = .integer(ramp)
        fields["promote"] = .string(promote.rawValue)
        let spots = requiredBlindSpot.map { ($0.key.rawValue, JSON.integer($0.value)) }
        fields["required_blind_spot"] = .object(JSONObject(spots))
        return .object(fields)
    }

    private static func blindSpots(_ fields: inout Fields) throws(FieldError) -> [Metric: Int] {
        var spots: [Metric: Int] = [:]
        for (name, json, path) in try fields.map("required_blind_spot", limit: 32) {
            guard let metric = Metric(rawValue: name) else {
                throw FieldError(path: path, expected: Metric.expected, found: "'\(name)'")
            }
            guard let value = json.integer, (1...100_000).contains(value) else {
                throw FieldError(path: path, expected: "1 to 100000", found: json.text)
            }
            spots[metric] = Int(value)
        }
        return spots
    }
}
