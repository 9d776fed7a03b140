import Glibc

/// A clock of the kernel, read in whole microseconds.
package enum Stopwatch {
    /// CPU time of all threads of this process.
    package static func cpuMicroseconds() -> Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }

    /// Time since some moment in the past, never set back.
    package static func wallMicroseconds() -> Int64 { read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
