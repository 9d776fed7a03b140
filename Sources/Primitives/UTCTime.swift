/// A moment in whole seconds since 1970-01-01T00:00:00Z, years 1970 to 9999.
package struct UTCTime: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let seconds: Int64

    /// The last second of the year 9999, the latest that ISO 8601's four digits hold.
    package static let latest = UTCTime(unchecked: 253_402_300_799)
    package static let epoch = UTCTime(unchecked: 0)

    /// Nil before 1970 or after 9999.
    package init?(seconds: Int64) {
        guard (0...253_402_300_799).contains(seconds) else { return nil }
        self.seconds = seconds
    }

    /// The nearest moment within the years 1970 to 9999.
    package init(clamping seconds: Int64) {
        self.init(unchecked: min(max(seconds, 0), 253_402_300_799))
    }

    private init(unchecked seconds: Int64) {
        self.seconds = seconds
    }

    /// Reads `2026-11-21T05:06:07Z`, the one spelling that TUF 1.0.34 section 4.2.1 allows.
    package init?(iso8601 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 20 else { return nil }
        let marks: [(Int, Unicode.Scalar)] = [
            (4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"), (19, "Z"),
        ]
        for (index, mark) in marks where bytes[index] != UInt8(ascii: mark) { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            year >= 1970, (1...12).contains(month), hour < 24, minute < 60, second < 60,
            day >= 1, day <= Self.days(in: month, of: year)
        else { return nil }
        let days = Self.days(to: year, month, day)
        self.init(unchecked: days * 86_400 + hour * 3_600 + minute * 60 + second)
    }

    package var description: String {
        let (year, month, day) = Self.date(seconds / 86_400)
        let rest = seconds % 86_400
        func pad(_ number: Int64, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T"
            + "\(pad(rest / 3_600, 2)):\(pad(rest / 60 % 60, 2)):\(pad(rest % 60, 2))Z"
    }

    /// Minutes since Monday 00:00 UTC, 0 to 10,079.
    package var minuteOfWeek: Int { Int((seconds / 60 + 3 * 1_440) % 10_080) }

    /// `Sat, 21 Nov 2026 05:06:07 GMT`, HTTP's spelling of a moment (RFC 9110 section 5.6.7, IMF-fixdate).
    package var httpDate: String {
        let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        let iso = description
        let day = days[minuteOfWeek / 1_440]
        let month = months[Int(Self.date(seconds / 86_400).month) - 1]
        return "\(day), \(iso.dropFirst(8).prefix(2)) \(month) \(iso.prefix(4)) "
            + "\(iso.dropFirst(11).prefix(8)) GMT"
    }

    package static func < (left: UTCTime, right: UTCTime) -> Bool { left.seconds < right.seconds }

    /// The moment `seconds` later, held within the years 1970 to 9999.
    package static func + (time: UTCTime, seconds: Int64) -> UTCTime {
        let (sum, over) = time.seconds.addingReportingOverflow(seconds)
        return UTCTime(clamping: over ? (seconds < 0 ? 0 : .max) : sum)
    }

    /// Seconds from `right` to `left`.
    package static func - (left: UTCTime, right: UTCTime) -> Int64 { left.seconds - right.seconds }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in years from March.
    private static func days(to year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch + (monthFromMarch < 10 ? 3 : -9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
