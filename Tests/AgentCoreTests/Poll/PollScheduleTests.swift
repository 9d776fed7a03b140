import AgentCore
import Primitives
import TestSupport
import Testing

@Suite struct PollScheduleTests {
    private let now = UTCTime(clamping: 1_800_000_000)

    private func device(_ random: inout SeededGenerator) throws -> DeviceID {
        try #require(
            DeviceID(bytes: (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }))
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `polls at the device's own place in the interval, with a little jitter`(
        seed: UInt64
    ) throws {
        var random = SeededGenerator(seed: seed)
        let schedule = PollSchedule(interval: 900, device: try device(&random))
        var last = now
        for _ in 0..<20 {
            let next = schedule.next(after: last, using: &random)
            #expect(next > last && next - last <= 900 + 112)
            let offset = (next.seconds - schedule.phase) % 900
            #expect((0...112).contains(offset), "offset \(offset)")
            last = next
        }
    }

    /// Five thousand devices that were without the registry for an hour do not come back together.
    @Test func `devices spread evenly over the interval`() throws {
        var random = SeededGenerator(seed: 1)
        var perMinute = [Int](repeating: 0, count: 20)
        for _ in 0..<5_000 {
            let schedule = PollSchedule(interval: 900, device: try device(&random))
            let next = schedule.next(after: now, using: &random)
            perMinute[Int((next - now) / 60)] += 1
        }
        #expect((perMinute.max() ?? 0) < 5_000 / 15 * 3 / 2, "\(perMinute)")
    }

    @Test func `backs off with jitter while the budget lasts, then waits for the regular poll`()
        throws
    {
        var random = SeededGenerator(seed: 3)
        var schedule = PollSchedule(interval: 900, device: try device(&random))
        // A moment long before the next regular poll.
        let now = schedule.next(after: now, using: &random) + 113
        var budget = RetryBudget()
        var waits: [Int64] = []
        for _ in 0..<4 {
            let next = schedule.next(
                afterFailure: .fetch(.unreachable("x")), at: now, within: &budget, of: 3,
                using: &random)
            waits.append(next - now)
        }
        #expect((1...4).contains(waits[0]) && (1...8).contains(waits[1]))
        #expect((1...16).contains(waits[2]))
        #expect(waits[3] > 600, "the budget is spent")
        #expect(schedule.failures == 4)
        schedule.succeeded()
        #expect(schedule.failures == 0)
    }

    @Test func `a final refusal waits for the regular poll, and Retry-After is obeyed`() throws {
        var random = SeededGenerator(seed: 4)
        var schedule = PollSchedule(interval: 900, device: try device(&random))
        var budget = RetryBudget()
        for _ in 0..<200 {
            schedule.succeeded()
            let next = schedule.next(
                afterFailure: .fetch(.busy(status: 429, retryAfter: 5_000)), at: now,
                within: &budget, of: 20, using: &random)
            #expect(next - now >= 5_000)
        }
        var finals: Set<Int64> = []
        for _ in 0..<200 {
            schedule.succeeded()
            finals.insert(
                schedule.next(
                    afterFailure: .fetch(.refused(status: 403, code: nil)), at: now,
                    within: &budget, of: 20, using: &random) - now)
        }
        let regular = schedule.next(after: now, using: &random) - now
        #expect((finals.min() ?? 0) > 16 || regular <= 128)
        #expect((finals.max() ?? 0) - (finals.min() ?? 0) <= 112)
    }
}
