import Glibc

/// How much memory this program holds.
package enum ProcessMemory {
    /// The largest resident set so far, in bytes.
    ///
    /// From `VmHWM` of `/proc/self/status` (proc_pid_status(5)), which begins anew with each program. `ru_maxrss` of
    /// getrusage(2) does not: it starts at what the process held before, and that was a copy of its parent. It is what is
    /// told where `/proc` is missing: too much rather than too little.
    static func peakBytes() -> Int64 {
        if let peak = kibibytes("VmHWM:") { return peak * 1_024 }
        var usage = rusage()
        _ = unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Int64(usage.ru_maxrss) * 1_024
    }

    /// The resident set now, in KiB; nil where `/proc` is missing.
    package static func residentKiB() -> Int64? { kibibytes("VmRSS:") }

    private static func kibibytes(_ label: String) -> Int64? {
        let file = unsafe open("/proc/self/status", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        // The file has some 1.5 kB, and these lines are among its first twenty.
        var buffer = [UInt8](repeating: 0, count: 8_192)
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe read(file, $0.baseAddress, $0.count)
        }
        let lines = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
            .split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix(label) }) else { return nil }
        let words = line.split { $0 == " " || $0 == "\t" }
        guard words.count == 3, words[2] == "kB" else { return nil }
        return Int64(words[1])
    }
}
