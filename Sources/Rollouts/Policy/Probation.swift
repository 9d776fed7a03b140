package import Primitives

/// How a device watches a new bundle by itself, with the defaults of `docs/formats/policy.md`.
///
/// Ratios and shares in thousandths, times in seconds.
package struct Probation: Sendable, Hashable {
    /// Turns after which the device commits, and without which it never does.
    package var turns = 240
    package var leastTurns = 40
    /// Seconds after which it commits with `leastTurns`, and how long it waits for those.
    package var seconds = 7 * 86_400
    package var mostSeconds = 14 * 86_400
    /// The e-value at which it goes back.
    package var alarm = 3_000
    /// Turns that the latency channels leave out at the start.
    package var warmUpTurns = 10
    /// How much slower than the reference a bad turn is, and the shares of bad turns that are excused.
    package var slow = 1_300
    package var midQ0 = 450
    package var tailQ0 = 120
    package var errorQ0 = 30
    /// So many restarts of the runtime within so many seconds, and so many failed first turns, go back.
    package var restarts = 2
    package var restartWindow = 600
    package var failedFirst = 3
    /// What a reference needs: turns, and seconds that it reaches back.
    package var referenceTurns = 30
    package var referenceSeconds = 7 * 86_400

    package init() {}

    typealias Range = ClosedRange<Int64>

    static let all: [(name: String, path: any WritableKeyPath<Probation, Int> & Sendable, Range)] =
        [
            ("alarm", \.alarm, 2...1_000_000), ("error_q0", \.errorQ0, 1...600),
            ("failed_first", \.failedFirst, 1...1_000),
            ("least_turns", \.leastTurns, 0...1_000_000),
            ("mid_q0", \.midQ0, 1...600), ("most_s", \.mostSeconds, 0...31_536_000),
            ("reference_s", \.referenceSeconds, 0...31_536_000),
            ("reference_turns", \.referenceTurns, 1...1_000_000),
            ("restart_window_s", \.restartWindow, 1...86_400), ("restarts", \.restarts, 1...1_000),
            ("seconds", \.seconds, 0...31_536_000), ("slow", \.slow, 1_001...100_000),
            ("tail_q0", \.tailQ0, 1...600), ("turns", \.turns, 1...1_000_000),
            ("warm_up_turns", \.warmUpTurns, 0...1_000_000),
        ]

    package init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        for (name, path, range) in Self.all {
            self[keyPath: path] = try fields.count(name, in: range)
        }
        try fields.refuseUnknown()
    }

    package var json: JSON {
        .object(
            JSONObject(Self.all.map { ($0.name, .integer(self[keyPath: $0.path])) }))
    }
}
