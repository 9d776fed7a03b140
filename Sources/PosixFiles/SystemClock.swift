import CPosixShims
package import Primitives

/// Readings of the system's clocks, for executables; everything below them takes times as values.
package enum SystemClock {
    /// The time of day, as trustworthy as whoever set it.
    package static func now() -> UTCTime {
        UTCTime(clamping: cposix_realtime() / 1_000_000_000)
    }

    /// Nanoseconds since 1970 by the time of day.
    package static func realtimeNanoseconds() -> Int64 { cposix_realtime() }

    /// Nanoseconds that never step back; they stand still while the machine is suspended.
    package static func monotonicNanoseconds() -> Int64 { cposix_monotonic() }

    /// Nanoseconds since the machine started, time suspended included.
    package static func bootNanoseconds() -> Int64 { cposix_boottime() }

    /// Waits; a signal may end it early.
    package static func pause(nanoseconds: Int64) { cposix_pause(nanoseconds) }
}
