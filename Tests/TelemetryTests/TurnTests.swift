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
                + #""parts_us":{"capture":60000,"inference":120000}}"#)
        #expect(turn.milliseconds(.latency) == 412)
        #expect(turn.milliseconds(.cpu) == 15.3)
        #expect(turn.confidence == 921)
        #expect(turn.escalated && turn.error && turn.falseAccept && turn.abandoned && turn.retried)
        #expect(turn.locale == ReportFixtures.name("en-GB"))
        #expect(turn.parts == [.capture: 60_000, .inference: 120_000])
        #expect(try Self.read("{}") == TurnRecord())
    }

    @Test(arguments: [
        #"{"latency_us":-1}"#, #"{"cpu_us":86400000001}"#, #"{"confidence":1001}"#,
        #"{"escalated":1}"#, #"{"locale":"e n"}"#, #"{"parts_us":{"thinking":1}}"#, #"{"note":1}"#,
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
            return turn
        }
        var whole = TurnTally()
        var halves = (TurnTally(), TurnTally())
        for (index, turn) in turns.enumerated() {
            whole.record(turn)
            if index % 3 == 0 { halves.0.record(turn) } else { halves.1.record(turn) }
        }
        halves.1.merge(halves.0)
        #expect(halves.1 == whole)
        var fields = try Fields(.object(whole.fields))
        #expect(try TurnTally(reading: &fields) == whole)
        #expect(whole.counters.impossible == nil)
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
        var fields = try Fields(reference.json)
        #expect(try Reference(reading: &fields) == reference)
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
