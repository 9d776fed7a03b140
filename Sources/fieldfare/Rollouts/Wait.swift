import PosixFiles

/// Waits between two looks of a live view.
enum Wait {
    static func seconds(_ seconds: Int64) {
        SystemClock.pause(nanoseconds: seconds * 1_000_000_000)
    }
}
