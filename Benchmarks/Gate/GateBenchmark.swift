import FleetSimulation
import Glibc
import Health
import Primitives

/// What one look of the gate costs: processor time over so many sampled devices.
///
///     gate-benchmark DEVICES ROUNDS
///
/// Half of the devices are treated. One line of JSON: `tests_us` of the seven tests of the acceptance table over one cohort,
/// `judge_us` of the whole decision with all twelve metrics over thirty cohorts, and `failing_us` of the same where one region is
/// twice as slow, so that the cause is looked for. Medians.
@main enum GateBenchmark {
    static func main() {
        let words = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        guard words.count == 2, words[0] >= 100, words[1] > 0 else {
            print("usage: gate-benchmark DEVICES ROUNDS")
            exit(2)
        }
        let (devices, rounds) = (words[0], words[1])
        let one = SimulatedFleet("one", regions: 1, classes: 1, largest: devices, smallest: devices)
        let many = SimulatedFleet(
            "thirty", regions: 6, classes: 5, largest: devices / 30, smallest: devices / 30)
        var slow = CandidateEffect()
        slow.latency = 2
        let hit = many.cohorts.first.map { FleetSegment.region($0.cohort.region) }
        let seven = GateReplay.acceptanceParameters()
        var all = GateParameters()
        all.excludable = Set(SegmentKind.allCases)
        let result: JSON = [
            "tests_us": .integer(
                median(rounds, seven, one.cohorts) { gate, evidence in
                    gate.results(evidence).count
                }),
            "judge_us": .integer(
                median(rounds, all, many.cohorts) { gate, evidence in
                    gate.judge(evidence).results.count
                }),
            "failing_us": .integer(
                median(rounds, all, many.with(slow, in: hit)) { gate, evidence in
                    gate.judge(evidence).results.count
                }),
        ]
        print(String(decoding: result.bytes, as: UTF8.self))
    }

    private static func median(
        _ rounds: Int, _ parameters: GateParameters, _ cohorts: [SimulatedCohort],
        _ look: (HealthGate, StageEvidence) -> Int
    ) -> Int64 {
        let began = UTCTime(clamping: 1_800_000_000)
        var caps = SampleCaps()
        caps.counts = 1_000_000
        caps.latencies = 1_000_000
        let exposed = cohorts.map { cohort in
            (cohort, StageExposure(treatedBefore: 0, treated: cohort.devices / 2))
        }
        var replay = StageReplay(
            exposed, model: FleetModel(), parameters: parameters, caps: caps, seed: 1, stage: 0,
            began: began)
        for _ in 0..<8 { replay.tick() }
        let evidence = StageEvidence(
            began: began, now: replay.now, isLast: false,
            requirements: .standard(stage: 0), samples: replay.samples)
        let gate = HealthGate(parameters)
        var tests = 0
        let times = (0..<rounds).map { _ in
            let start = clock()
            tests += look(gate, evidence)
            return Int64(clock() - start)
        }
        precondition(tests > 0, "a look has results")
        return times.sorted()[rounds / 2]
    }
}
