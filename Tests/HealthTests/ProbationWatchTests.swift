import Health
import Primitives
import Telemetry
import TestSupport
import Testing

@Suite struct ProbationWatchTests {
    let start = GateFixtures.began

    static func reference(turns: Int = 100, errors: Int = 0) throws -> Reference {
        var tally = TurnTally()
        for index in 0..<turns {
            var turn = TurnRecord(latencyMicroseconds: 400_000, cpuMicroseconds: 15_000)
            turn.error = index < errors
            tally.record(turn)
        }
        let version = try #require(SemanticVersion("1.4.0"))
        return try #require(Reference(version: version, tally: tally, leastTurns: 1))
    }

    static func turn(_ milliseconds: Int64?, error: Bool = false) -> TurnRecord {
        var turn = TurnRecord(latencyMicroseconds: milliseconds.map { $0 * 1_000 })
        turn.error = error
        return turn
    }

    func watch(
        _ policy: ProbationPolicy = ProbationPolicy(), reference: Reference?
    ) -> ProbationWatch {
        ProbationWatch(policy: policy, reference: reference, startedAt: start)
    }

    @Test func `goes back by the tail after five slow turns beyond the warm-up`() throws {
        var watch = watch(reference: try Self.reference())
        for _ in 0..<14 {
            #expect(record(Self.turn(1_200), &watch) == .watching)
        }
        let evidence = ProbationEvidence(channel: .tail, bad: 5, turns: 5, logE: 9_257)
        #expect(record(Self.turn(1_200), &watch) == .rollBack(.tailSlow, evidence))
    }

    @Test func `does not count the warm-up, nor turns without a duration`() throws {
        var watch = watch(reference: try Self.reference())
        for _ in 0..<10 { _ = record(Self.turn(9_000), &watch) }
        #expect(watch.mid.turns == 0)
        for _ in 0..<20 { _ = record(Self.turn(nil), &watch) }
        #expect(watch.mid.turns == 0)
        #expect(watch.error.turns == 30)
        #expect(watch.verdict(at: start) == .watching)
    }

    @Test func `judges by the clock that the policy names`() throws {
        var policy = ProbationPolicy()
        policy.clock = .cpu
        var watch = watch(policy, reference: try Self.reference())
        for _ in 0..<60 {
            let turn = TurnRecord(latencyMicroseconds: 9_000_000, cpuMicroseconds: 15_000)
            #expect(record(turn, &watch) == .watching)
        }
        for _ in 0..<60 {
            let turn = TurnRecord(latencyMicroseconds: 1_000, cpuMicroseconds: 45_000)
            guard case .rollBack = record(turn, &watch) else { continue }
            return
        }
        Issue.record("expected a rollback, got none")
    }

    @Test func `without a reference hears only errors and the hard rules`() throws {
        var watch = watch(reference: try Self.reference(turns: 29))
        #expect(watch.reference == nil)
        #expect(watch.share(.error) == 0.1)
        for _ in 0..<239 {
            #expect(record(Self.turn(60_000), &watch) == .watching)
        }
        #expect(record(Self.turn(60_000), &watch) == .commit(unproven: false))
    }

    @Test func `excuses errors that the reference had`() throws {
        #expect(watch(reference: try Self.reference()).share(.error) == 0.03)
        #expect(watch(reference: try Self.reference(errors: 11)).share(.error) == 0.2)
    }

    @Test func `goes back when the first three turns fail, whatever the reference excuses`() throws
    {
        var watch = watch(reference: try Self.reference(errors: 30))
        #expect(record(Self.turn(400, error: true), &watch) == .watching)
        #expect(record(Self.turn(400, error: true), &watch) == .watching)
        guard case .rollBack(.firstTurnsFailed, .some) = record(Self.turn(nil, error: true), &watch)
        else {
            Issue.record("expected a rollback, got \(watch.verdict(at: start))")
            return
        }
    }

    @Test func `goes back after two restarts within ten minutes, not within eleven`() throws {
        var watch = watch(reference: nil)
        #expect(restart(&watch, at: 0) == .watching)
        #expect(restart(&watch, at: 660) == .watching)
        #expect(restart(&watch, at: 1_260) == .rollBack(.restartedTwice, nil))
    }

    @Test(arguments: [
        (39, 7, ProbationVerdict.watching), (40, 7, .commit(unproven: false)),
        (40, 6, .watching), (239, 6, .watching), (240, 0, .commit(unproven: false)),
        (39, 13, .watching), (39, 14, .commit(unproven: true)), (0, 14, .commit(unproven: true)),
    ])
    func `commits by turns or by time, and extends where turns are few`(
        turns: Int, days: Int64, verdict: ProbationVerdict
    ) throws {
        var watch = watch(reference: try Self.reference())
        for _ in 0..<turns { _ = record(Self.turn(400), &watch) }
        #expect(watch.verdict(at: start + days * 86_400) == verdict)
    }

    @Test func `is the same after its journal was read back`() throws {
        let reference = try Self.reference()
        var watch = watch(reference: reference)
        for index in 0..<25 { _ = record(Self.turn(index % 3 == 0 ? 900 : 400), &watch) }
        _ = restart(&watch, at: 60)
        let read = try ProbationWatch(watch.json, policy: watch.policy, reference: reference)
        #expect(read == watch)
    }

    @Test func `refuses a journal that cannot be`() throws {
        let json = watch(reference: nil).json
        let broken: [JSONObject] = [
            ["mid": ["bad": 2, "turns": 1]], ["turns": -1], ["started_at": "now"],
            ["restarts": ["x"]], ["more": 1], ["error": .null],
        ]
        for change in broken {
            let fields = (json.object ?? [:]).merging(change) { _, new in new }
            #expect(throws: FieldError.self) {
                try ProbationWatch(.object(fields), policy: ProbationPolicy(), reference: nil)
            }
        }
    }

    func record(_ turn: TurnRecord, _ watch: inout ProbationWatch) -> ProbationVerdict {
        watch.record(turn, at: start + 60)
    }

    func restart(_ watch: inout ProbationWatch, at seconds: Int64) -> ProbationVerdict {
        watch.restarted(at: start + seconds)
    }
}
