import Glibc
import Health
import Testing

/// The local E of the design's vectors.
@Suite struct LocalEvidenceTests {
    @Test(
        arguments: [
            (0, 0, 0.03, 0.1), (0, 280, 0.03, 0.03), (5, 280, 0.03, 0.04), (5, 280, 0.2, 0.2),
        ] as [(Int, Int, Double, Double)])
    func `excuses failed turns by the reference, and a least share`(
        errors: Int, turns: Int, least: Double, share: Double
    ) {
        let found = LocalEvidence.errorShare(errors: errors, turns: turns, least: least)
        #expect(abs(found - share) < 1e-12)
    }

    @Test(arguments: [
        (2, 2, 0.03, 397.222), (3, 3, 0.03, 10_525.0), (3, 4, 0.03, 1_706.424),
        (5, 20, 0.03, 208.774), (18, 20, 0.45, 3_883.904), (22, 25, 0.45, 8_744.083),
        (8, 15, 0.12, 550.089),
    ])
    func `gives the e-value of the vector`(bad: Int, turns: Int, q0: Double, expected: Double) {
        let found = exp(LocalEvidence.logE(bad: bad, turns: turns, q0: q0))
        #expect(abs(found / expected - 1) < 1e-4)
    }
}
