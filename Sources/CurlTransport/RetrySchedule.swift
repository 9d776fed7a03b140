/// When to try again: exponential back-off with full jitter, within a budget of tries and of waiting.
///
/// Before try n + 1 the wait is uniform in 0 to `min(longest, first * 2^(n-1))`, so that devices that failed together
/// do not come back together; a server's `Retry-After` is added below it. A pure value: it neither waits nor draws.
package struct RetrySchedule: Sendable, Hashable {
    /// The upper end of the first wait.
    package let first: Duration
    /// The upper end of any wait.
    package let longest: Duration
    /// How many tries may follow the first one.
    package let retries: Int
    /// How long all waits together may be.
    package let budget: Duration

    /// Tries made and failed so far.
    package private(set) var failures = 0
    /// Waits handed out so far.
    package private(set) var waited: Duration = .zero

    package init(
        first: Duration = .seconds(1), longest: Duration = .seconds(300), retries: Int = 5,
        budget: Duration = .seconds(900)
    ) {
        self.first = first
        self.longest = longest
        self.retries = retries
        self.budget = budget
    }

    /// Counts a failure, and says how long to wait before the next try.
    ///
    /// - Parameters:
    ///   - error: what went wrong; final errors end the schedule.
    ///   - generator: where the jitter comes from.
    /// - Returns: nil where there shall be no other try.
    package mutating func wait(
        after error: TransportError, using generator: inout some RandomNumberGenerator
    ) -> Duration? {
        failures += 1
        guard error.isRetryable, failures <= retries else { return nil }
        let bound = bound(failures)
        let jitter = Int64.random(in: 0...max(0, bound.wholeMilliseconds), using: &generator)
        let wait = (error.retryAfter ?? .zero) + .milliseconds(jitter)
        guard waited + wait <= budget else { return nil }
        waited += wait
        return wait
    }

    /// Starts afresh after a success.
    package mutating func reset() {
        failures = 0
        waited = .zero
    }

    private func bound(_ failure: Int) -> Duration {
        var bound = first
        for _ in 1..<failure where bound < longest { bound *= 2 }
        return min(bound, longest)
    }
}

extension Duration {
    /// Milliseconds, rounded down; held within 64 bits.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, over) = seconds.multipliedReportingOverflow(by: 1_000)
        return over ? (seconds < 0 ? .min : .max) : whole + attoseconds / 1_000_000_000_000_000
    }
}
