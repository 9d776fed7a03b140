package import Primitives

/// A weekly time in which nobody swaps forward, in minutes since Monday 00:00 UTC.
package struct FreezeWindow: Sendable, Hashable, Comparable, CustomStringConvertible {
    package static let minutesOfWeek = 10_080
    package static let most = 64

    /// The first minute that is frozen, and the first that is not any more; a window may run over
    /// Sunday midnight, and then `until` is the smaller.
    package let from: Int
    package let until: Int

    /// Nil unless both are 0 to 10,079 and differ.
    package init?(from: Int, until: Int) {
        let minutes = 0..<Self.minutesOfWeek
        guard minutes.contains(from), minutes.contains(until), from != until else { return nil }
        self.from = from
        self.until = until
    }

    package init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        let from = try fields.count("from", in: 0...10_079)
        let until = try fields.count("until", in: 0...10_079)
        try fields.refuseUnknown()
        guard let window = FreezeWindow(from: from, until: until) else {
            throw FieldError(path: path, expected: "an end that differs", found: "\(from) twice")
        }
        self = window
    }

    package var json: JSON { ["from": .integer(from), "until": .integer(until)] }

    package func contains(_ time: UTCTime) -> Bool {
        let minute = time.minuteOfWeek
        return from < until ? (from..<until).contains(minute) : minute >= from || minute < until
    }

    /// The moment at which the window that contains `time` ends.
    package func end(after time: UTCTime) -> UTCTime {
        let minutes = (until - time.minuteOfWeek + Self.minutesOfWeek) % Self.minutesOfWeek
        return UTCTime(clamping: time.seconds / 60 * 60) + Int64(minutes) * 60
    }

    /// Such as `Fri 16:00 to Mon 07:00 UTC`.
    package var description: String { "\(Self.text(from)) to \(Self.text(until)) UTC" }

    private static func text(_ minute: Int) -> String {
        let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        let hour = minute / 60 % 24
        let rest = minute % 60
        return
            "\(days[minute / 1_440]) \(hour < 10 ? "0" : "")\(hour):\(rest < 10 ? "0" : "")\(rest)"
    }

    package static func < (left: FreezeWindow, right: FreezeWindow) -> Bool {
        (left.from, left.until) < (right.from, right.until)
    }
}
