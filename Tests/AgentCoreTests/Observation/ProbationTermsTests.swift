import AgentCore
import Health
import Primitives
import Rollouts
import Testing

/// From a policy's words to the numbers by which the device watches.
struct ProbationTermsTests {
    @Test func `every number of the watch is the policy's`() throws {
        let probation = try Probation(
            reading: [
                "turns": 241, "least_turns": 41, "seconds": 604_801, "most_s": 1_209_601,
                "alarm": 3_001, "warm_up_turns": 11, "slow": 1_301, "mid_q0": 451, "tail_q0": 121,
                "error_q0": 31, "restarts": 3, "restart_window_s": 601, "failed_first": 4,
                "reference_turns": 32, "reference_s": 604_802,
            ], at: "probation")
        var expected = ProbationPolicy()
        expected.clock = .cpu
        expected.turns = 241
        expected.leastTurns = 41
        expected.seconds = 604_801
        expected.mostSeconds = 1_209_601
        expected.threshold = 3_001
        expected.warmUpTurns = 11
        expected.slowRatio = 1.301
        expected.midShare = 0.451
        expected.tailShare = 0.121
        expected.errorShare = 0.031
        expected.restarts = 3
        expected.restartSeconds = 601
        expected.firstTurns = 4
        expected.leastReferenceTurns = 32
        #expect(ProbationTerms(probation, clock: .cpu).policy == expected)
    }
}
