package import Primitives

/// When the agent polls: its own place in the interval, jitter on it, and a budget for what failed.
///
/// A pure value: it neither waits nor draws. Two devices that lost the registry together come back apart.
package struct PollSchedule: Sendable, Hashable {
    /// Seconds between two polls.
    package let interval: Int64
    /// The device's own place in the interval, in seconds.
    package let phase: Int64
    /// Tries after a failed poll before the next regular one.
    package let retries: Int
    /// Failures since the last success.
    package private(set) var failures = 0

    package init(interval: Int64, device: DeviceID, retries: Int = 3) {
        let interval = max(1, interval)
        let head = device.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        self.interval = interval
        phase = Int64(head % UInt64(interval))
        self.retries = retries
    }

    /// The first poll after a start: soon, and not all at once where many devices got power again.
    package func first(
        after now: UTCTime, using generator: inout some RandomNumberGenerator
    ) -> UTCTime {
        now + Int64.random(in: 0...(interval / 10), using: &generator)
    }

    /// The next regular poll: at the device's phase, and up to an eighth of the interval later.
    package func next(
        after now: UTCTime, using generator: inout some RandomNumberGenerator
    ) -> UTCTime {
        let since = (now.seconds - phase) % interval
        let wait = interval - (since < 0 ? since + interval : since)
        return now + wait + Int64.random(in: 0...(interval / 8), using: &generator)
    }

    package mutating func succeeded() { failures = 0 }

    /// The next poll after a failed one: exponential with full jitter while retries last, then regular.
    ///
    /// - Parameters:
    ///   - error: a final one waits for the regular poll.
    ///   - now: the device's time.
    ///   - generator: where the jitter comes from.
    /// - Returns: the moment.
    package mutating func next(
        afterFailure error: PollError, at now: UTCTime,
        using generator: inout some RandomNumberGenerator
    ) -> UTCTime {
        failures += 1
        let regular = next(after: now, using: &generator)
        guard error.isRetryable, failures <= retries else { return regular }
        let bound = min(interval, 2 << Int64(min(failures, 16)))
        let jitter = Int64.random(in: 1...max(1, bound), using: &generator)
        let asked = error.retryAfter ?? 0
        return max(now + asked, min(regular, now + asked + jitter))
    }
}
