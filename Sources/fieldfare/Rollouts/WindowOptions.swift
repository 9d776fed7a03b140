import ArgumentParser
import Console
import Glibc
import Primitives
import Rollouts

/// A weekly time in which nobody swaps forward, as people say it: in days and hours of their own zone.
struct WindowOptions: ParsableArguments {
    @Option(help: "A weekly window instead of now, such as 'Fri 16:00 to Mon 07:00'.")
    var window: String?

    @Option(
        help:
            "The time zone of --window, such as Europe/Berlin; its offset of today is what counts.")
    var timeZone = "UTC"

    /// The window of the request, in minutes of the week in UTC; none where none is named.
    ///
    /// Says both on standard error.
    func fields() throws(Failure) -> JSONObject {
        guard let window else { return [:] }
        let offset = try Self.offsetMinutes(of: timeZone)
        let local = try Word.read(
            window, "--window", "a window such as 'Fri 16:00 to Mon 07:00'", Self.window)
        let shifted = FreezeWindow(
            from: Self.wrapped(local.from - offset), until: Self.wrapped(local.until - offset))
        guard let utc = shifted else {
            throw Failure(.usage, "--window: expected an end that differs, got '\(window)'")
        }
        if timeZone != "UTC" {
            Output.note(
                "window: \(window) in \(timeZone), today \(Self.text(offset)) of UTC, is \(utc)")
        }
        return ["window": utc.json]
    }

    private static func wrapped(_ minute: Int) -> Int {
        (minute % FreezeWindow.minutesOfWeek + FreezeWindow.minutesOfWeek)
            % FreezeWindow.minutesOfWeek
    }

    private static func text(_ offset: Int) -> String {
        let minutes = abs(offset) % 60
        let ahead = offset < 0 ? "behind" : "ahead"
        return "\(abs(offset) / 60):\(minutes < 10 ? "0" : "")\(minutes) h \(ahead)"
    }

    /// Reads `Fri 16:00 to Mon 07:00`.
    static func window(_ text: String) -> FreezeWindow? {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 5, words[2] == "to", let from = minute(words[0], words[1]),
            let until = minute(words[3], words[4])
        else { return nil }
        return FreezeWindow(from: from, until: until)
    }

    private static func minute(_ day: String, _ time: String) -> Int? {
        let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        let parts = time.split(separator: ":", omittingEmptySubsequences: false)
        guard let place = days.firstIndex(of: day), parts.count == 2,
            parts.allSatisfy({ $0.count == 2 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
            ),
            let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
        else { return nil }
        return place * 1_440 + hour * 60 + minute
    }

    /// How far a zone is ahead of UTC today, by the system's own tables.
    private static func offsetMinutes(of zone: String) throws(Failure) -> Int {
        guard zone != "UTC" else { return 0 }
        let isName =
            !zone.hasPrefix("/") && !zone.contains("..")
            && zone.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte & 0xDF | 0x20) || (0x30...0x39).contains(byte)
                    || "_+-/".utf8.contains(byte)
            }
        guard isName, unsafe access("/usr/share/zoneinfo/\(zone)", R_OK) == 0 else {
            throw Failure(
                .usage, "--time-zone: expected a zone such as Europe/Berlin, got '\(zone)'",
                hint: "the zones are those below /usr/share/zoneinfo, of the package tzdata")
        }
        unsafe setenv("TZ", zone, 1)
        tzset()
        var now = time(nil)
        var parts = unsafe tm()
        guard unsafe localtime_r(&now, &parts) != nil else { return 0 }
        return unsafe parts.tm_gmtoff / 60
    }
}
