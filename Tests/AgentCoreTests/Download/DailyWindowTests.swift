import AgentCore
import Primitives
import Testing

struct DailyWindowTests {
    /// A moment of 2027-01-15, in minutes since midnight UTC.
    private static func moment(_ hour: Int64, _ minute: Int64 = 0) -> UTCTime {
        UTCTime(clamping: 1_800_000_000 / 86_400 * 86_400) + (hour * 3_600 + minute * 60)
    }

    private static func window(_ from: String, _ until: String) throws -> DailyWindow {
        try DailyWindow(reading: ["from": .string(from), "until": .string(until)], at: "w")
    }

    @Test func `a window of the day has its first minute, and not its last`() throws {
        let window = try Self.window("09:30", "17:00")
        #expect(window == DailyWindow(from: 570, until: 1_020))
        #expect(!window.contains(Self.moment(9, 29) + 59))
        #expect(window.contains(Self.moment(9, 30)))
        #expect(window.contains(Self.moment(16, 59) + 59))
        #expect(!window.contains(Self.moment(17)))
        #expect(window.start(after: Self.moment(17)) == Self.moment(33, 30))
        #expect(window.start(after: Self.moment(9, 29) + 59) == Self.moment(9, 30))
    }

    @Test func `a window over midnight is one window`() throws {
        let window = try Self.window("22:00", "06:00")
        for hour in [22, 23, 0, 1, 5] { #expect(window.contains(Self.moment(Int64(hour)))) }
        for hour in [6, 12, 21] { #expect(!window.contains(Self.moment(Int64(hour)))) }
        #expect(window.start(after: Self.moment(6)) == Self.moment(22))
        #expect(window.start(after: Self.moment(21, 59) + 30) == Self.moment(22))
    }

    @Test func `what is written is read again`() throws {
        let window = try Self.window("00:05", "23:59")
        #expect(try DailyWindow(reading: window.json, at: "w") == window)
    }

    @Test(arguments: ["24:00", "9:30", "09:60", "0930", "09:3a", "", "09:300", "-1:00", "０９:00"])
    func `no time of day is refused by its name`(text: String) throws {
        #expect(throws: FieldError.self) { try Self.window(text, "17:00") }
        #expect(throws: FieldError.self) { try Self.window("17:00", text) }
    }

    @Test func `a window without an end, or with more, is refused`() throws {
        #expect(throws: FieldError.self) { try Self.window("10:00", "10:00") }
        #expect(throws: FieldError.self) {
            try DailyWindow(
                reading: ["from": "10:00", "until": "11:00", "days": "Mon"], at: "w")
        }
        #expect(DailyWindow(from: 0, until: 1_440) == nil)
        #expect(DailyWindow(from: -1, until: 5) == nil)
    }
}
