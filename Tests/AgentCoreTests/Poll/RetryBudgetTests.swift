import AgentCore
import Primitives
import TestSupport
import Testing

@Suite struct RetryBudgetTests {
    private let start = UTCTime(clamping: 1_800_000_000)

    @Test func `so many in any hour, and not one more`() {
        var budget = RetryBudget()
        let asked: [Int64] = [0, 60, 120, 200, 3_599, 3_600, 3_601]
        let booked = asked.map { budget.book(start + $0, of: 3) }
        // After an hour the first one is no more.
        #expect(booked == [true, true, true, false, false, true, false])
    }

    @Test func `none is none`() {
        var budget = RetryBudget()
        let isBooked = budget.book(start, of: 0)
        #expect(!isBooked)
    }

    /// Whatever is asked, no hour has more than it may.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func `no hour has more than it may, whatever is asked`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var budget = RetryBudget()
        let allowed = Int.random(in: 1...8, using: &random)
        var now = start
        var made: [UTCTime] = []
        for _ in 0..<300 {
            now = now + Int64.random(in: 0...400, using: &random)
            let moment = now + Int64.random(in: 0...900, using: &random)
            if budget.book(moment, of: allowed) { made.append(moment) }
        }
        for first in made {
            let hour = made.count { $0 >= first && $0 < first + 3_600 }
            #expect(hour <= allowed, "from \(first)")
        }
    }
}
