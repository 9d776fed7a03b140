import CurlTransport
import TestSupport
import Testing

struct RetryScheduleTests {
    private let lost = TransportError.unresolved(url: "https://r")

    private func status(_ code: Int, retryAfter: String? = nil) -> TransportError {
        var headers = HTTPHeaders()
        headers["Retry-After"] = retryAfter
        return .status(HTTPResponse(status: code, headers: headers, body: []))
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `each wait lies below a bound that doubles up to the longest`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var schedule = RetrySchedule(
            first: .seconds(1), longest: .seconds(5), retries: 6, budget: .seconds(1_000))
        for bound in [1, 2, 4, 5, 5, 5] {
            let wait = try #require(schedule.wait(after: lost, using: &random))
            #expect(wait >= .zero && wait <= .seconds(bound))
        }
        #expect(schedule.wait(after: lost, using: &random) == nil)
    }

    @Test func `uses the whole range, so that devices do not come back together`() throws {
        var low = 0
        for seed in 0..<400 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var schedule = RetrySchedule(first: .seconds(100))
            let wait = try #require(schedule.wait(after: lost, using: &random))
            if wait < .seconds(50) { low += 1 }
        }
        // Binomial(400, 1/2): 5 standard deviations are 50.
        #expect((150...250).contains(low))
    }

    @Test func `ends at a final error, and starts afresh after a success`() {
        var random = SeededGenerator(seed: 1)
        var schedule = RetrySchedule(retries: 1)
        #expect(schedule.wait(after: .cancelled, using: &random) == nil)
        schedule.reset()
        #expect(schedule.wait(after: lost, using: &random) != nil)
        #expect(schedule.wait(after: lost, using: &random) == nil)
        #expect(schedule.failures == 2)
        schedule.reset()
        #expect(schedule.waited == .zero)
        #expect(schedule.wait(after: lost, using: &random) != nil)
    }

    @Test func `waits at least as long as the server asks, if the budget allows`() throws {
        var random = SeededGenerator(seed: 1)
        var schedule = RetrySchedule(first: .seconds(1), budget: .seconds(100))
        let wait = try #require(
            schedule.wait(after: status(503, retryAfter: "60"), using: &random))
        #expect(wait >= .seconds(60) && wait <= .seconds(61))
        #expect(schedule.waited == wait)
        #expect(schedule.wait(after: status(503, retryAfter: "60"), using: &random) == nil)
        #expect(schedule.waited == wait)
    }

    @Test func `4xx is final but for 408, 425 and 429, and 5xx is not`() {
        for code in 400..<600 {
            #expect(status(code).isRetryable == ([408, 425, 429].contains(code) || code >= 500))
        }
        #expect(!status(304).isRetryable)
    }

    @Test func `reads Retry-After in seconds only, up to a day`() {
        let cases: [(String, Duration?)] = [
            ("0", .zero), ("17", .seconds(17)), ("99999999999", .seconds(86_400)), ("-1", nil),
            ("1.5", nil), ("Fri, 31 Dec 1999 23:59:59 GMT", nil), ("", nil),
        ]
        for (text, expected) in cases {
            #expect(status(429, retryAfter: text).retryAfter == expected, "\(text)")
        }
        #expect(lost.retryAfter == nil)
    }

    @Test func `huge durations do not overflow`() throws {
        var random = SeededGenerator(seed: 1)
        let century = Duration.seconds(3_155_760_000)
        var schedule = RetrySchedule(
            first: century, longest: .seconds(Int64.max / 2), retries: 100,
            budget: .seconds(Int64.max / 2))
        for _ in 0..<20 {
            guard let wait = schedule.wait(after: lost, using: &random) else { break }
            #expect(wait >= .zero)
        }
        #expect(schedule.failures > 1)
    }
}
