import AgentCore
import Health
import Primitives
import Rollouts
import Speech
import Telemetry
import TestSupport
import Testing

@Suite struct JournalStateTests {
    private let start = UTCTime(clamping: 1_800_000_000)

    private func rewritten(_ state: JournalState) throws -> JournalState {
        try JournalState(try JSON(parsing: state.json.bytes, limit: JournalState.byteLimit))
    }

    @Test func `every state of the machine is read back as it was written`() throws {
        for (name, machine) in TransitionTable.states {
            var next = machine
            for (word, event) in TransitionTable.events {
                _ = next.handle(event, at: start)
                let state = JournalState(
                    machine: next.memory, observation: Observation(epoch: start))
                #expect(try rewritten(state) == state, "\(name), \(word)")
            }
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `an observation is read back as it was written`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var observation = Observation(epoch: start)
        var now = start
        for version in [Fixture.old, Fixture.new, Fixture.other] {
            let watching = Bool.random(using: &random) ? ProbationTerms(clock: .cpu) : nil
            observation.switched(
                to: version.version, at: now, watching: watching, burnInTurns: 3)
            for _ in 0..<Int.random(in: 0..<60, using: &random) {
                now = now + Int64.random(in: 0..<9_000, using: &random)
                var turn = TurnRecord(
                    latencyMicroseconds: Int64.random(in: 1_000...9_000_000, using: &random))
                turn.error = Int.random(in: 0..<9, using: &random) == 0
                turn.memoryKiB = Int64.random(in: 1...90_000, using: &random)
                turn.words = WordCount(words: 5, errors: Int64.random(in: 0...2, using: &random))
                _ = observation.record(turn, of: version.version, at: now)
            }
            observation.placed(
                RolloutPlace(plan: 3, stage: 1, arm: .control, window: now),
                candidate: Fixture.other.version, burnInSeconds: 5, at: now)
            observation.acknowledged(version.version)
            _ = observation.nextSequence()
        }
        var state = JournalState(observation: observation)
        state.trust.saw(timestampSignedAt: now, by: Fixture.old.sha256)
        state.trust.remember([
            Withdrawal(version: Fixture.new.version, sha256: Fixture.new.sha256, at: now)
        ])
        #expect(try rewritten(state) == state)
    }

    @Test func `refuses fields it does not know, and states that are none`() throws {
        let state = JournalState(observation: Observation(epoch: start))
        var fields = try #require(state.json.object)
        fields["surprise"] = 1
        #expect(throws: FieldError.self) { try JournalState(.object(fields)) }
        var other = try #require(state.json.object)
        other["machine"] = ["state": ["name": "dancing"]]
        #expect(throws: FieldError.self) { try JournalState(.object(other)) }
    }

    @Test func `causes, troubles and rejections are read back from their words`() {
        let rejections: [RejectionReason] =
            [.crashedTwice, .ordered] + ProbationFall.allCases.map { .probation($0) }
            + SmokeFailures.all.map { .smoke($0) }
        for reason in rejections { #expect(RejectionReason(reason.description) == reason) }
        let troubles: [PassingTrouble] =
            [
                .unreachable, .insufficientStorage, .wrongBytes, .refusedByRegistry, .leased,
                .fileSystem, .deadline, .restarts, .noSmokeTest, .activation,
            ] + SmokeFailures.all.map { .smoke($0) }
        for trouble in troubles {
            #expect(PassingTrouble(trouble.description) == trouble)
            let cause = RetreatCause.failed(trouble)
            #expect(RetreatCause(cause.description) == cause)
        }
        for text in ["", "smoke:", "probation:none", "failed:", "rejected:x"] {
            #expect(RejectionReason(text) == nil && PassingTrouble(text) == nil)
            #expect(RetreatCause(text) == nil)
        }
    }

    @Test func `the time floor rises, and begins anew with the timestamp key`() throws {
        var trust = TrustMemory()
        let keys = Fixture.old.sha256
        trust.saw(timestampSignedAt: start, by: keys)
        #expect(trust.now(start + -500) == start && trust.now(start + 5) == start + 5)
        trust.saw(timestampSignedAt: start + -100, by: keys)
        #expect(trust.timeFloor == start)
        let thief = UTCTime(clamping: 4_070_908_800)
        trust.saw(timestampSignedAt: thief, by: keys)
        #expect(trust.now(start) == thief)
        trust.saw(timestampSignedAt: start + 10, by: Fixture.new.sha256)
        #expect(trust.now(start) == start + 10)
    }

    @Test func `an older plan of the same keys is not obeyed, of new keys it is`() {
        var trust = TrustMemory()
        trust.saw(planVersion: 9, by: Fixture.old.sha256)
        #expect(!trust.accepts(planVersion: 8, by: Fixture.old.sha256))
        #expect(trust.accepts(planVersion: 9, by: Fixture.old.sha256))
        #expect(trust.accepts(planVersion: 1, by: Fixture.new.sha256))
        trust.saw(planVersion: 1, by: Fixture.new.sha256)
        #expect(trust.planVersion == 1)
    }

    @Test func `memories are bounded, and rejections are kept longest`() throws {
        var trials = TrialMemory()
        func bundle(_ number: Int) throws -> BundleReference {
            BundleReference(
                version: try #require(SemanticVersion("1.0.\(number)")),
                sha256: try #require(
                    SHA256Digest((0..<32).map { UInt8(truncatingIfNeeded: number >> ($0 % 2 * 8)) })
                ),
                length: 1)
        }
        let rejected = try bundle(0)
        trials.update(rejected, at: start) { $0.rejection = .crashedTwice }
        for number in 1...300 {
            trials.update(try bundle(number), at: start) { $0.lastTrouble = .unreachable }
        }
        #expect(trials.trials.count == TrialMemory.limit)
        #expect(trials[rejected] != nil)
        var trust = TrustMemory()
        for number in 0..<2_000 {
            let bundle = try bundle(number)
            trust.remember([
                Withdrawal(version: bundle.version, sha256: bundle.sha256, at: start)
            ])
        }
        #expect(trust.withdrawn.count == TrustMemory.withdrawalLimit)
        var memory = MachineState()
        for number in 0..<400 { memory.remember(committed: try bundle(number)) }
        #expect(memory.committed.count == MachineState.committedLimit)
        #expect(memory.committed.last == (try bundle(399)))
    }
}
