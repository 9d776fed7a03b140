package import Primitives

/// What happened in some turns, as counts; sums of counters are the counters of the sum.
package struct TurnCounters: Sendable, Hashable {
    /// More turns than a device can have in a window; a larger count is impossible.
    package static let limit: Int64 = 1_000_000_000

    package var turns: Int64 = 0
    package var errors: Int64 = 0
    package var escalations: Int64 = 0
    package var falsePositives: Int64 = 0
    package var abandoned: Int64 = 0
    package var retries: Int64 = 0
    /// Times that the model's process died; not bounded by the turns.
    package var crashes: Int64 = 0

    package init() {}

    package mutating func count(_ turn: TurnRecord) {
        turns += 1
        errors += turn.error ? 1 : 0
        escalations += turn.escalated ? 1 : 0
        falsePositives += turn.falseAccept ? 1 : 0
        abandoned += turn.abandoned ? 1 : 0
        retries += turn.retried ? 1 : 0
    }

    package static func + (one: TurnCounters, other: TurnCounters) -> TurnCounters {
        var sum = one
        for field in fields { sum[keyPath: field.path] += other[keyPath: field.path] }
        return sum
    }

    package var json: JSON {
        .object(
            JSONObject(
                Self.fields.map {
                    ($0.name, .integer(self[keyPath: $0.path]))
                }))
    }

    package init(reading fields: inout Fields) throws(FieldError) {
        for field in Self.fields {
            self[keyPath: field.path] = try fields.integer(field.name, in: 0...Self.limit)
        }
    }

    /// The first kind of turn of which there are more than turns, by its name in a report.
    package var impossible: (name: String, count: Int64)? {
        Self.fields.first { field in
            field.path != \.turns && field.path != \.crashes && self[keyPath: field.path] > turns
        }.map { ($0.name, self[keyPath: $0.path]) }
    }

    private static let fields:
        [(name: String, path: any WritableKeyPath<TurnCounters, Int64> & Sendable)] = [
            ("turns", \.turns), ("errors", \.errors), ("escalations", \.escalations),
            ("false_positives", \.falsePositives), ("abandoned", \.abandoned),
            ("retries", \.retries), ("crashes", \.crashes),
        ]
}
