import AgentCore
import Glibc
import Health
import Primitives
import Rollouts
import Speech
import Telemetry
import TestSupport
import Testing

/// A journal of `fieldfare.journal/1` as the first agents wrote it: an update of the agent must go on from it.
@Suite struct JournalFixtureTests {
    private static let start = UTCTime(clamping: 1_800_000_000)

    /// A device in the middle of a probation, with a memory of what went wrong before.
    private func state() throws -> JournalState {
        var machine = Fixture.machine(
            .probation(Fixture.attempt()), active: .b, a: Fixture.old, b: Fixture.new
        ).memory
        machine.trials.update(Fixture.new, at: Self.start) {
            $0.attempts = 2
            $0.unfinished = 1
            $0.troubles = 3
            $0.lastTrouble = .smoke(.timeout)
        }
        machine.trials.update(Fixture.other, at: Self.start + 1) {
            $0.attempts = 1
            $0.rejection = .probation(.tail)
        }
        machine.rollbackFloor = Fixture.old.version
        machine.lastForwardSwap = Self.start + -90_000
        machine.isHeld = true
        var state = JournalState(
            machine: machine, observation: observation(),
            attributes: DeviceAttributes(
                number: 3, region: try #require(AttributeName("eu")),
                deviceClass: try #require(AttributeName("hub")),
                locale: try #require(AttributeName("en-GB"))))
        state.trust.saw(timestampSignedAt: Self.start, by: Fixture.old.sha256)
        state.trust.saw(planVersion: 9, by: Fixture.new.sha256)
        state.trust.remember([
            Withdrawal(
                version: Fixture.other.version, sha256: Fixture.other.sha256, at: Self.start)
        ])
        return state
    }

    private func observation() -> Observation {
        var observation = Observation(epoch: Self.start)
        var turn = TurnRecord(latencyMicroseconds: 400_000, cpuMicroseconds: 15_000)
        turn.memoryKiB = 52_300
        turn.words = WordCount(words: 5, errors: 1)
        let versions: [(BundleReference, ProbationTerms?)] = [
            (Fixture.old, nil), (Fixture.new, ProbationTerms(clock: .cpu)),
        ]
        for (version, terms) in versions {
            observation.switched(
                to: version.version, at: Self.start, watching: terms, burnInTurns: 3)
            for second in 0..<40 {
                _ = observation.record(turn, of: version.version, at: Self.start + Int64(second))
            }
        }
        observation.placed(
            RolloutPlace(plan: 3, stage: 1, arm: .treated, window: Self.start),
            candidate: Fixture.new.version, burnInSeconds: 5, at: Self.start + 60)
        observation.acknowledged(Fixture.new.version)
        _ = observation.nextSequence()
        return observation
    }

    @Test func `a journal of the first agents loads as it was meant`() throws {
        let path = #filePath.split(separator: "/").dropLast(4).map(String.init)
        let name = "/" + (path + ["fixtures", "agent", "journal-1.json"]).joined(separator: "/")
        let file = unsafe try #require(fopen(name, "r"))
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: JournalState.byteLimit)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        let json = try JSON(parsing: Array(bytes[..<count]), limit: JournalState.byteLimit)
        let expected = try state()
        #expect(try JournalState(json) == expected)
    }
}
