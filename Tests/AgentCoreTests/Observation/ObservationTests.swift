import AgentCore
import Health
import Primitives
import Rollouts
import Speech
import Telemetry
import TestSupport
import Testing

@Suite struct ObservationTests {
    private let start = UTCTime(clamping: 1_800_000_000)

    private func place(_ window: UTCTime, _ arm: Arm = .treated) -> RolloutPlace {
        RolloutPlace(plan: 4, stage: 0, arm: arm, window: window)
    }

    private func speak(
        _ observation: inout Observation, _ count: Int, _ version: SemanticVersion,
        milliseconds: Int64 = 400, at now: UTCTime
    ) {
        for _ in 0..<count {
            _ = observation.record(
                TurnRecord(latencyMicroseconds: milliseconds * 1_000, cpuMicroseconds: 9_000),
                of: version, at: now)
        }
    }

    private var running: Observation {
        var observation = Observation(epoch: start)
        observation.switched(
            to: Fixture.old.version, at: start, watching: nil, burnInTurns: 0)
        return observation
    }

    @Test func `counts turns of the version in force, and of no other`() {
        var observation = running
        speak(&observation, 5, Fixture.old.version, at: start)
        speak(&observation, 3, Fixture.new.version, at: start)
        #expect(observation.tally.counters.turns == 5)
        #expect(observation.countingSince == start)
    }

    @Test func `takes its reference from the days before the swap, and judges by it`() throws {
        var observation = running
        speak(&observation, 40, Fixture.old.version, milliseconds: 400, at: start)
        observation.switched(
            to: Fixture.new.version, at: start + 86_400, watching: ProbationTerms(),
            burnInTurns: 10)
        let reference = try #require(observation.reference)
        #expect(reference.version == Fixture.old.version && reference.turns == 40)
        let median = try #require(reference.logP50[.latency])
        #expect((5_900...6_080).contains(median), "ln 400 is 5.99")
        #expect(observation.watch?.reference == reference)
    }

    @Test func `a swap leaves the first turns out of the figures, and not out of the watch`() {
        var observation = running
        speak(&observation, 40, Fixture.old.version, at: start)
        observation.switched(
            to: Fixture.new.version, at: start, watching: ProbationTerms(), burnInTurns: 10)
        speak(&observation, 12, Fixture.new.version, at: start + 5)
        #expect(observation.tally.counters.turns == 2)
        #expect(observation.watch?.turns == 12)
    }

    @Test func `a new stage window begins the figures anew, after its burn-in`() {
        var observation = running
        speak(&observation, 30, Fixture.old.version, at: start)
        observation.placed(
            place(start + 100, .control), candidate: Fixture.new.version, burnInSeconds: 60,
            at: start + 100)
        #expect(observation.tally.counters.turns == 0 && observation.countingSince == nil)
        #expect(observation.reference?.turns == 30, "a control device's reference is from before")
        speak(&observation, 4, Fixture.old.version, at: start + 159)
        #expect(observation.tally.counters.turns == 0)
        speak(&observation, 4, Fixture.old.version, at: start + 160)
        #expect(observation.tally.counters.turns == 4)
        #expect(observation.countingSince == start + 160)
        observation.placed(
            place(start + 100, .control), candidate: Fixture.new.version, burnInSeconds: 60,
            at: start + 300)
        #expect(observation.tally.counters.turns == 4, "the same window goes on")
        observation.placed(
            place(start + 400, .control), candidate: Fixture.new.version, burnInSeconds: 60,
            at: start + 400)
        #expect(observation.tally.counters.turns == 0)
        #expect(observation.reference?.turns == 30, "one reference for the whole rollout")
    }

    @Test func `with too few turns there is no reference`() {
        var observation = running
        speak(&observation, 19, Fixture.old.version, at: start)
        observation.switched(
            to: Fixture.new.version, at: start, watching: ProbationTerms(), burnInTurns: 0)
        #expect(observation.reference == nil && observation.watch?.reference == nil)
    }

    @Test func `back on the old version it remembers its days`() {
        var observation = running
        speak(&observation, 40, Fixture.old.version, at: start)
        observation.switched(
            to: Fixture.new.version, at: start, watching: ProbationTerms(), burnInTurns: 0)
        speak(&observation, 40, Fixture.new.version, milliseconds: 900, at: start)
        observation.stopWatching()
        observation.switched(
            to: Fixture.old.version, at: start, watching: nil, burnInTurns: 0)
        observation.switched(
            to: Fixture.other.version, at: start, watching: ProbationTerms(), burnInTurns: 0)
        #expect(observation.reference?.version == Fixture.old.version)
        #expect(observation.reference?.turns == 40)
    }

    @Test func `two restarts of the application within ten minutes end the probation`() {
        var observation = running
        observation.switched(
            to: Fixture.new.version, at: start, watching: ProbationTerms(), burnInTurns: 0)
        #expect(observation.restarted(at: start + 10) == .watching)
        #expect(observation.tally.counters.crashes == 1)
        #expect(observation.windows.last?.tally(at: start).counters.crashes == 1)
        #expect(observation.restarted(at: start + 500) == .rollBack(.restartedTwice, nil))
    }

    @Test func `periodic reports of one window are one series, and events are none`() throws {
        var observation = running
        let reporter = Reporter(
            device: try #require(DeviceID(bytes: [UInt8](repeating: 1, count: 16))),
            model: MemoryRegistry.model, channel: .main,
            attributes: DeviceAttributes(
                number: 1, region: MemoryRegistry.name, deviceClass: MemoryRegistry.name,
                locale: MemoryRegistry.name), startedAt: start)
        let machine = Fixture.machine(.resting(.committed)).memory
        let writer = ReportWriter(
            reporter: reporter, machine: machine, now: start + 60,
            surroundings: TestSurroundings())
        let first = writer.periodic(&observation)
        let second = writer.periodic(&observation)
        #expect(first.series == second.series && first.sequence + 1 == second.sequence)
        // A journal that was made under a clock that ran ahead.
        var ahead = Observation(epoch: start + 1_000_000)
        #expect(try Report(writer.periodic(&ahead).body).epoch == (start + 60).seconds)
        observation.placed(
            place(start), candidate: nil, burnInSeconds: 0, at: start)
        #expect(writer.periodic(&observation).series != first.series)
        let event = try #require(
            writer.report(.committed, of: Fixture.old, trace: Fixture.trace, &observation))
        #expect(event.series == nil)
        let report = try Report(event.body)
        #expect(report.kind == .transition && report.state == .committed)
        #expect(report.uptimeSeconds == 60)
        #expect(report.temperatureTenths == 412 && report.batteryPercent == 80)
        #expect(report.microphone?.description == "array-4")
        try report.check(at: start + 60)
        #expect(
            writer.report(.refusedOrder(.rollback), of: nil, trace: nil, &observation) == nil)
    }

    /// Every notice that makes a report makes one that the registry's own check takes.
    @Test func `every notice is a report that reads and checks`() throws {
        let failure = SmokeFailures.all
        let causes: [RetreatCause] =
            [.withdrawn, .held, .rejected(.ordered), .rejected(.crashedTwice)]
            + ProbationFall.allCases.map { .rejected(.probation($0)) }
            + failure.map { .rejected(.smoke($0)) }
            + [
                PassingTrouble.unreachable, .insufficientStorage, .wrongBytes, .refusedByRegistry,
                .leased, .fileSystem, .deadline, .restarts, .noSmokeTest, .activation,
                .smoke(.memory),
            ].map { .failed($0) }
        var notices: [Notice] = [
            .verified, .attempt, .smokePassed(Fixture.measurement), .beacon, .swapped, .committed,
            .held, .unheld,
        ]
        notices += causes.flatMap {
            [.abandoning($0), .retreating($0), .retreated($0), .stranded($0)]
        }
        notices += failure.map { .smokeFailed(.init(reason: $0, isLasting: true), nil) }
        let reporter = Reporter(
            device: try #require(DeviceID(bytes: [UInt8](repeating: 1, count: 16))),
            model: MemoryRegistry.model, channel: .main,
            attributes: DeviceAttributes(
                number: 1, region: MemoryRegistry.name, deviceClass: MemoryRegistry.name,
                locale: MemoryRegistry.name), startedAt: start)
        let writer = ReportWriter(
            reporter: reporter, machine: Fixture.machine(.resting(.committed)).memory, now: start,
            surroundings: TestSurroundings())
        var made = 0
        for notice in notices {
            var observation = running
            guard
                let queued = writer.report(
                    notice, of: Fixture.new, trace: Fixture.trace, &observation)
            else { continue }
            made += 1
            try Report(queued.body).check(at: start)
            if case .retreating = notice { #expect(queued.body["kind"] == "local_rollback") }
        }
        // All but the abandonings, and the way back that the fleet ordered.
        #expect(made == notices.count - causes.count - 1)
    }
}
