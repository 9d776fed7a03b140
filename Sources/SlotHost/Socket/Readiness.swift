import CPosixShims
import Glibc

/// Tells the service manager how the agent is, as sd_notify(3) does.
package enum Readiness {
    /// Sends a state such as `READY=1`, `STATUS=...`, `WATCHDOG=1` or `STOPPING=1`; best effort.
    ///
    /// - Parameters:
    ///   - state: one assignment a line.
    ///   - socket: where to; without one, nothing is sent.
    /// - Returns: whether it was sent.
    @discardableResult
    package static func tell(_ state: String, socket: String? = notifySocket) -> Bool {
        guard let socket else { return false }
        let bytes = Array(state.utf8)
        return unsafe cposix_notify(socket, bytes, bytes.count) == 0
    }

    /// The service manager's socket, where there is one (`NOTIFY_SOCKET`).
    package static var notifySocket: String? {
        unsafe getenv("NOTIFY_SOCKET").map { unsafe String(cString: $0) }
    }

    /// How often `WATCHDOG=1` is expected, in microseconds, where it is (`WATCHDOG_USEC` and `WATCHDOG_PID`).
    package static var watchdogMicroseconds: Int64? {
        func value(_ name: String) -> Int64? {
            unsafe getenv(name).flatMap { Int64(unsafe String(cString: $0)) }
        }
        if let process = value("WATCHDOG_PID"), process != Int64(getpid()) { return nil }
        return value("WATCHDOG_USEC").flatMap { $0 > 0 ? $0 : nil }
    }
}
