import Glibc

/// What this process has used so far.
struct ProcessUsage {
    let processorSeconds: Double
    /// The largest resident size, in bytes.
    let peakBytes: Int64

    init() {
        var usage = rusage()
        _ = unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        processorSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        peakBytes = Int64(usage.ru_maxrss) << 10
    }
}
