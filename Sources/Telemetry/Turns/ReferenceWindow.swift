package import Primitives

/// The turns of one version over the last days, day by day, from which a reference is taken before a swap.
///
/// Turns that come out of order land in their own day; those older than the window are dropped.
package struct ReferenceWindow: Sendable, Hashable {
    package static let defaultDays: Int64 = 7

    package let version: SemanticVersion
    /// How many days count, today included.
    package let days: Int64
    /// Tallies by day since 1970-01-01 UTC.
    package private(set) var tallies: [Int64: TurnTally] = [:]

    package init(version: SemanticVersion, days: Int64 = defaultDays) {
        self.version = version
        self.days = max(1, days)
    }

    package mutating func record(_ turn: TurnRecord, at time: UTCTime) {
        change(at: time) { $0.record(turn) }
    }

    /// The model's process died.
    package mutating func countCrash(at time: UTCTime) {
        change(at: time) { $0.counters.crashes += 1 }
    }

    private mutating func change(at time: UTCTime, _ change: (inout TurnTally) -> Void) {
        let day = time.seconds / 86_400
        let newest = max(day, tallies.keys.max() ?? day)
        guard day > newest - days else { return }
        change(&tallies[day, default: TurnTally()])
        tallies = tallies.filter { $0.key > newest - days }
    }

    /// All turns of the window up to `now`.
    package func tally(at now: UTCTime) -> TurnTally {
        let today = now.seconds / 86_400
        var sum = TurnTally()
        for (day, tally) in tallies where day > today - days { sum.merge(tally) }
        return sum
    }

    /// The reference as of `now`, or nil with fewer than `leastTurns` turns.
    package func reference(at now: UTCTime, leastTurns: Int64) -> Reference? {
        Reference(version: version, tally: tally(at: now), leastTurns: leastTurns)
    }

    /// What the agent's journal keeps.
    package var json: JSON {
        let days = tallies.sorted { $0.key < $1.key }.map { day, tally in
            JSON.object(tally.journalFields.merging(["day": .integer(day)]) { one, _ in one })
        }
        return [
            "version": .string(version.description), "window_days": .integer(self.days),
            "days": .array(days),
        ]
    }

    package init(_ json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        version = try fields.parse("version", SemanticVersion.expected, SemanticVersion.init)
        days = try fields.integer("window_days", in: 1...366)
        for (json, path) in try fields.array("days", limit: 366) {
            var inner = try Fields(json, at: path)
            let day = try inner.integer("day", in: 0...3_000_000)
            tallies[day] = try TurnTally(journal: &inner)
            try inner.refuseUnknown()
        }
        try fields.refuseUnknown()
    }
}
