package import Primitives

/// One metric that a stage is judged by.
package struct Gate: Sendable, Hashable {
    /// Which way is worse.
    package enum Direction: String, Sendable, CaseIterable {
        case higherIsWorse = "higher_is_worse"
        case lowerIsWorse = "lower_is_worse"
        /// Both ways are looked at, and only ever pause.
        case watch
    }

    package var metric: Metric
    package var direction: Direction
    /// The allowed ratio to the control, in thousandths, such as 1300; nil for test C, which has q0.
    package var limit: Int?
    /// For a rate: the allowed share of turns, in thousandths, where that is more than `limit` allows;
    /// for `latency_p95`: the milliseconds allowed where there is no control.
    package var absolute: Int?
    /// A known cost that is not held against the candidate, as a ratio in thousandths: 1000 is none.
    package var accepted: Int
    /// For `latency_p95`, and only there.
    package var clock: TurnClock?

    package init(
        metric: Metric, direction: Direction = .higherIsWorse, limit: Int? = nil,
        absolute: Int? = nil, accepted: Int = 1_000, clock: TurnClock? = nil
    ) {
        self.metric = metric
        self.direction = direction
        self.limit = limit
        self.absolute = absolute
        self.accepted = accepted
        self.clock = clock
    }

    package init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        metric = try fields.word("metric")
        direction = try fields.word("direction")
        accepted = 1_000
        if metric.test != .once {
            limit = try fields.count("limit", in: 1_001...100_000)
            accepted = try fields.count("accepted", in: 1_000...100_000)
        }
        if metric.test == .rate {
            absolute = try fields.optionalInteger("absolute", in: 1...999).map { Int($0) }
        }
        if metric == .latencyP95 {
            absolute = try fields.optionalInteger("absolute", in: 1...600_000).map { Int($0) }
            clock = try fields.word("clock")
        }
        try fields.refuseUnknown()
    }

    package var json: JSON {
        var fields: JSONObject = [
            "metric": .string(metric.rawValue), "direction": .string(direction.rawValue),
        ]
        fields["limit"] = limit.map { .integer($0) }
        if metric.test != .once { fields["accepted"] = .integer(accepted) }
        fields["absolute"] = absolute.map { .integer($0) }
        fields["clock"] = clock.map { .string($0.rawValue) }
        return .object(fields)
    }
}
