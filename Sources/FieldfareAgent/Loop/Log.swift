import AgentCore
import Glibc
import Primitives

/// Lines on standard error with the priority prefixes that systemd's journal reads; no timestamps.
enum Log {
    static func write(_ level: LogLevel, _ text: String) {
        let line =
            "<\(level.rawValue)>"
            + text.split(whereSeparator: \.isNewline).joined(separator: " ").visible
        var bytes = Array((line + "\n").utf8)
        unsafe bytes.withUnsafeMutableBytes { buffer in
            // Nobody to tell where standard error is gone.
            _ = unsafe Glibc.write(2, buffer.baseAddress, buffer.count)
        }
    }
}
