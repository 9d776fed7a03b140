package import Primitives

/// When the agent polls: its own place in the interval, and jitter on it.
///
/// A pure value: it neither waits nor draws. Two devices that lost the registry together come back apart.
package struct PollSchedule: Sendable, Hashable {
    /// Seconds between two polls.
    package let interval: Int64
    /// The device's own place in the interval, in seconds.
    package let phase: Int64
    /// Failures since the last success.
    package private(set) var failures = 0

    package init(interval: Int64, device: DeviceID) {
        let interval = max(1, interval)
        let head = device.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        self.interval = interval
        phase = Int64(head % UInt64(interval))
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

    /// The next poll after a failed one: exponential with full jitter while the budget lasts, then regular.
    ///
    /// - Parameters:
    ///   - error: a final one waits for the regular poll.
    ///   - now: the device's time.
    ///   - budget: what a poll before the regular one is taken from.
    ///   - allowed: the budget's repetitions in an hour.
    ///   - generator: where the jitter comes from.
    /// - Returns: the moment.
    package mutating func next(
        afterFailure error: PollError, at now: UTCTime, within budget: inout RetryBudget,
        of allowed: Int, using generator: inout some RandomNumberGenerator
    ) -> UTCTime {
        failures += 1
        let regular = next(after: now, using: &generator)
        guard error.isRetryable else { return regular }
        let bound = min(interval, 2 << Int64(min(failures, 16)))
        let jitter = Int64.random(in: 1...max(1, bound), using: &generator)
        let earliest = now + (error.retryAfter ?? 0)
        let early = earliest + jitter
        guard early < regular, budget.book(early, of: allowed) else {
            return max(earliest, regular)
        }
        return early
    }
}
