package import Primitives

/// A time of each day, in minutes since midnight UTC, in which the owner of a device lets it download.
package struct DailyWindow: Sendable, Hashable {
    private static let minutesOfDay = 1_440
    /// Windows of one device at most.
    package static let most = 16

    /// The first minute of it, and the first after it; one that runs over midnight has the smaller `until`.
    package let from: Int
    package let until: Int

    /// Nil unless both are 0 to 1,439 and differ.
    package init?(from: Int, until: Int) {
        let minutes = 0..<Self.minutesOfDay
        guard minutes.contains(from), minutes.contains(until), from != until else { return nil }
        self.from = from
        self.until = until
    }

    /// From `{"from":"22:00","until":"06:00"}`.
    package init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        let from = try fields.parse("from", "a time of day such as '22:00'", Self.minutes)
        let until = try fields.parse("until", "a time of day such as '06:00'", Self.minutes)
        try fields.refuseUnknown()
        guard let window = DailyWindow(from: from, until: until) else {
            throw FieldError(path: path, expected: "an end that differs", found: Self.text(from))
        }
        self = window
    }

    package var json: JSON {
        ["from": .string(Self.text(from)), "until": .string(Self.text(until))]
    }

    package func contains(_ time: UTCTime) -> Bool {
        let minute = Self.minute(of: time)
        return from < until ? (from..<until).contains(minute) : minute >= from || minute < until
    }

    /// When it begins next, for a moment outside of it.
    package func start(after time: UTCTime) -> UTCTime {
        let minutes = (from - Self.minute(of: time) + Self.minutesOfDay) % Self.minutesOfDay
        return UTCTime(clamping: time.seconds / 60 * 60) + Int64(minutes) * 60
    }

    private static func minute(of time: UTCTime) -> Int { Int(time.seconds / 60 % 1_440) }

    private static func minutes(_ text: String) -> Int? {
        let digits = Array(text.utf8)
        guard digits.count == 5, digits[2] == 0x3A else { return nil }
        let numbers = (digits[..<2] + digits[3...]).map { Int($0) - 0x30 }
        guard numbers.allSatisfy({ (0...9).contains($0) }) else { return nil }
        let (hour, minute) = (numbers[0] * 10 + numbers[1], numbers[2] * 10 + numbers[3])
        return hour < 24 && minute < 60 ? hour * 60 + minute : nil
    }

    private static func text(_ minute: Int) -> String {
        let (hour, rest) = (minute / 60, minute % 60)
        return "\(hour < 10 ? "0" : "")\(hour):\(rest < 10 ? "0" : "")\(rest)"
    }
}
