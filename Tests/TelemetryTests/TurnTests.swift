import Glibc
import Primitives
import Telemetry
import TestSupport
import Testing

@Suite struct TurnTests {
    let version = ReportFixtures.version("1.4.0")

    static func read(_ text: String) throws -> TurnRecord {
        var fields = try Fields(JSON(parsing: Array(text.utf8), limit: 4_096))
        let turn = try TurnRecord(reading: &fields)
        try fields.refuseUnknown()
        return turn
    }

    @Test func `reads a turn as the socket carries it`() throws {
        let turn = try Self.read(
            #"{"latency_us":412000,"cpu_us":15300,"confidence":921,"escalated":true,"error":true,"#
                + #""false_accept":true,"abandoned":true,"retried":true,"locale":"en-GB","#
                + #""memory_kib":52000,"word_errors":{"words":4,"errors":1},"#
                + #""parts_us":{"capture":60000,"inference":120000}}"#)
        #expect(turn.milliseconds(.latency) == 412)
        #expect(turn.milliseconds(.cpu) == 15.3)
        #expect(turn.confidence == 921)
        #expect(turn.escalated && turn.error && turn.falseAccept && turn.abandoned && turn.retried)
        #expect(turn.locale == ReportFixtures.name("en-GB"))
        #expect(turn.memoryKiB == 52_000)
        #expect(turn.words == WordCount(words: 4, errors: 1))
        #expect(turn.parts == [.capture: 60_000, .inference: 120_000])
        #expect(try Self.read("{}") == TurnRecord())
    }

    @Test(arguments: [
        #"{"latency_us":-1}"#, #"{"cpu_us":86400000001}"#, #"{"confidence":1001}"#,
        #"{"escalated":1}"#, #"{"locale":"e n"}"#, #"{"parts_us":{"thinking":1}}"#, #"{"note":1}"#,
        #"{"memory_kib":0}"#, #"{"memory_kib":1099511627777}"#, #"{"word_errors":{"words":4}}"#,
        #"{"word_errors":{"words":4,"errors":-1}}"#, #"{"word_errors":{"words":10001,"errors":0}}"#,
        #"{"word_errors":{"words":4,"errors":0,"text":"yes"}}"#,
    ])
    func `refuses a turn that cannot be`(text: String) {
        #expect(throws: FieldError.self) { try Self.read(text) }
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `counts the same in one tally or in several`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let turns = (0..<40).map { _ in
            var turn = TurnRecord(
                latencyMicroseconds: Int64.random(in: 0...5_000_000, using: &generator),
                cpuMicroseconds: Bool.random(using: &generator) ? 15_000 : nil)
            turn.error = Bool.random(using: &generator)
            turn.escalated = Bool.random(using: &generator)
            turn.parts = [.inference: Int64.random(in: 0...900, using: &generator)]
            if Bool.random(using: &generator) {
                turn.memoryKiB = Int64.random(in: 1...90_000, using: &generator)
            }
            if Bool.random(using: &generator) {
                turn.words = WordCount(
                    words: Int64.random(in: 0...9, using: &generator),
                    errors: Int64.random(in: 0...9, using: &generator))
            }
            return turn
        }
        var whole = TurnTally()
        var parts = [TurnTally](repeating: TurnTally(), count: 3)
        for (index, turn) in turns.enumerated() {
            whole.record(turn)
            parts[index % 3].record(turn)
        }
        func merged(_ one: TurnTally, _ other: TurnTally) -> TurnTally {
            var sum = one
            sum.merge(other)
            return sum
        }
        #expect(merged(merged(parts[0], parts[1]), parts[2]) == whole)
        #expect(merged(parts[2], merged(parts[1], parts[0])) == whole)
        var fields = try Fields(.object(whole.journalFields))
        #expect(try TurnTally(journal: &fields) == whole)
        try fields.refuseUnknown()
        #expect(whole.counters.impossible == nil)
    }

    @Test func `a report has the rate of the words, and their sums stay in the journal`() throws {
        var tally = TurnTally()
        for words in [WordCount(words: 5, errors: 1), WordCount(words: 2, errors: 0)] {
            var turn = TurnRecord()
            turn.words = words
            tally.record(turn)
        }
        tally.record(TurnRecord())
        #expect(WordErrorProxy(tally.words) == WordErrorProxy(thousandths: 143, turns: 2))
        #expect(tally.fields["words"] == nil && tally.journalFields["words"] != nil)
        var fields = try Fields(.object(tally.journalFields))
        _ = try TurnTally(reading: &fields)
        #expect(throws: FieldError.self, "a report has no such field") {
            try fields.refuseUnknown()
        }
    }

    @Test func `without a word there is no rate, and a rate has an end`() {
        #expect(WordErrorProxy(WordCount()) == nil)
        #expect(WordErrorProxy(WordCount(words: 0, errors: 3)) == nil)
        #expect(WordCount(words: 3, errors: 0).thousandths == 0)
        #expect(WordCount(words: 1, errors: 10_000).thousandths == 100_000)
    }

    @Test func `turns that say nothing of memory and words are kept as they always were`() throws {
        let tally = ReportFixtures.tally()
        #expect(Set(tally.journalFields.keys) == ["counters", "latency_ms", "cpu_ms", "parts_us"])
        var fields = try Fields(.object(tally.journalFields))
        #expect(try TurnTally(journal: &fields) == tally)
    }

    @Test func `adds up time by part without overflow`() {
        var tally = TurnTally()
        tally.parts = [.capture: .max]
        var turn = TurnRecord()
        turn.parts = [.capture: 1]
        tally.record(turn)
        #expect(tally.parts == [.capture: .max])
    }

    @Test func `takes a reference from enough turns only`() throws {
        let tally = ReportFixtures.tally(turns: 40)
        #expect(Reference(version: version, tally: tally, leastTurns: 41) == nil)
        #expect(Reference(version: version, tally: TurnTally(), leastTurns: 0) == nil)
        let reference = try #require(Reference(version: version, tally: tally, leastTurns: 40))
        let p95 = try #require(reference.lnP95(.latency))
        #expect(abs(p95 - log(337.5)) < 0.03)
        let p50 = try #require(reference.lnP50(.cpu))
        #expect(abs(p50 - log(15)) < 0.03)
        #expect(reference.memoryPeakKiB == nil && reference.werThousandths == nil)
        var fields = try Fields(reference.json)
        #expect(try Reference(reading: &fields) == reference)
    }

    @Test func `a reference has the most memory, the word errors and the crashes of all its days`()
        throws
    {
        var window = ReferenceWindow(version: version)
        for (day, memory) in [(0, 900), (1, 40_000), (2, 30_000), (8, 800)] as [(Int64, Int64)] {
            var turn = TurnRecord()
            turn.memoryKiB = memory
            turn.words = WordCount(words: 10, errors: day)
            window.record(turn, at: ReportFixtures.now + day * 86_400)
            window.countCrash(at: ReportFixtures.now + day * 86_400)
        }
        let kept = try ReferenceWindow(window.json)
        #expect(kept == window)
        let then = ReportFixtures.now + 8 * 86_400
        let reference = try #require(kept.reference(at: then, leastTurns: 2))
        #expect(reference.memoryPeakKiB == 30_000, "the first two days are over")
        #expect(reference.werThousandths == 500)
        #expect(reference.counters.crashes == 2)
    }

    @Test func `forgets the turns of a week ago, in whatever order they come`() throws {
        var window = ReferenceWindow(version: version)
        let start = ReportFixtures.now
        for day in [3, 0, 9, 8, 1, 10] as [Int64] {
            let turn = TurnRecord(latencyMicroseconds: 1_000 * (day + 1))
            window.record(turn, at: start + day * 86_400)
        }
        #expect(window.tallies.count == 3)
        #expect(window.tally(at: start + 10 * 86_400).counters.turns == 3)
        #expect(window.tally(at: start + 16 * 86_400).counters.turns == 1)
        #expect(window.reference(at: start + 10 * 86_400, leastTurns: 4) == nil)
        #expect(window.reference(at: start + 10 * 86_400, leastTurns: 3)?.version == version)
        #expect(try ReferenceWindow(window.json) == window)
        #expect(throws: FieldError.self) { try ReferenceWindow(["version": "1.4.0"]) }
    }
}
