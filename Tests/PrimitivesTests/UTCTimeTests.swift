import Primitives
import TestSupport
import Testing

struct UTCTimeTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1999-12-31T23:59:59Z", 946_684_799),
            ("2000-02-29T12:00:00Z", 951_825_600), ("2026-11-21T05:06:07Z", 1_795_237_567),
            ("2038-01-19T03:14:08Z", 2_147_483_648), ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] as [(String, Int64)])
    func `reads and writes ISO 8601`(text: String, seconds: Int64) throws {
        let time = try #require(UTCTime(iso8601: text))
        #expect(time.seconds == seconds)
        #expect(time.description == text)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `reads back what it wrote`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let seconds = Int64.random(in: 0...253_402_300_799, using: &random)
        let time = try #require(UTCTime(seconds: seconds))
        #expect(UTCTime(iso8601: time.description) == time)
    }

    /// One day after another, each date follows the one before.
    @Test func `writes every day of four centuries in order`() throws {
        var before = ""
        for day in 0...146_097 as ClosedRange<Int64> {
            let text = try #require(UTCTime(seconds: day * 86_400)).description
            #expect(text > before && text.hasSuffix("T00:00:00Z"))
            before = text
        }
        #expect(before == "2370-01-01T00:00:00Z")
    }

    @Test(arguments: [
        "", "2026-11-21", "2026-11-21T05:06:07", "2026-11-21T05:06:07+00:00",
        "2026-11-21t05:06:07z", "2026-11-21 05:06:07Z", "2026-11-21T05:06:07.0Z",
        "1969-12-31T23:59:59Z", "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "+026-01-01T00:00:00Z",
        "2026-1 -01T00:00:00Z", "12026-01-01T00:00:00Z", "２026-01-01T00:00Z",
    ])
    func `refuses any other spelling, and dates that are none`(text: String) {
        #expect(UTCTime(iso8601: text) == nil)
    }

    @Test func `stays within the years 1970 to 9999`() {
        #expect(UTCTime(seconds: -1) == nil)
        #expect(UTCTime(seconds: 253_402_300_800) == nil)
        #expect(UTCTime(clamping: -5) == .epoch)
        #expect(UTCTime(clamping: .max) == .latest)
        #expect(UTCTime.epoch + -1 == .epoch)
        #expect(UTCTime.latest + .max == .latest)
        #expect(UTCTime.epoch + .min == .epoch)
        #expect(UTCTime.epoch + 60 - .epoch == 60)
        #expect(UTCTime.epoch < .latest)
    }

    @Test(
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_764_000_000, "Mon, 24 Nov 2025 16:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] as [(Int64, String)])
    func `says a moment as HTTP does`(seconds: Int64, text: String) {
        #expect(UTCTime(clamping: seconds).httpDate == text)
    }

    @Test func `counts the minutes of the week from Monday`() throws {
        let monday = try #require(UTCTime(iso8601: "2026-11-16T00:00:00Z"))
        #expect(monday.minuteOfWeek == 0)
        #expect((monday + 86_400 * 5 + 3_600).minuteOfWeek == 5 * 1_440 + 60)
        #expect((monday + -1).minuteOfWeek == 10_079)
        #expect(UTCTime.epoch.minuteOfWeek == 3 * 1_440)
    }
}
