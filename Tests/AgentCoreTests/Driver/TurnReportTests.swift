import Primitives
import Rollouts
import Telemetry
import TestSupport
import Testing

/// What applications say of memory and words reaches the registry: in the figures and in the reference before them.
@Suite struct TurnReportTests {
    private let start = UpdateTests.start

    /// The last periodic report of a device whose application served 1.0.0 with these figures, and serves 1.1.0
    /// with those.
    private func report(
        memoryKiB: (before: Int64, after: Int64), errors: (before: Int64, after: Int64)
    ) throws -> Report {
        let (device, old, new) = try UpdateTests().device()
        device.speak(
            30, memoryKiB: memoryKiB.before, words: WordCount(words: 20, errors: errors.before))
        device.registry.touch(device.now)
        device.registry.plan(new, over: old, stages: [device.now])
        device.pass(120)
        #expect(device.active == "1.1.0")
        device.speak(
            30, memoryKiB: memoryKiB.after, words: WordCount(words: 20, errors: errors.after))
        device.speak(10)
        device.pass(60)
        try device.restart()
        device.pass(600)
        let json = try #require(device.registry.reports(of: "periodic").last)
        let report = try Report(json)
        try report.check(at: device.now)
        #expect(report.version == new.version && report.tally.counters.turns == 40)
        #expect(report.wordErrors?.turns == 30)
        return report
    }

    @Test func `a candidate that doubles memory says so beside the device's own reference`() throws
    {
        let report = try report(memoryKiB: (40_000, 80_000), errors: (1, 1))
        #expect(report.tally.memoryPeakKiB == 80_000)
        #expect(report.reference?.memoryPeakKiB == 40_000)
        #expect(report.wordErrors?.thousandths == 50 && report.reference?.werThousandths == 50)
    }

    @Test func `a candidate that doubles word errors says so beside the device's own reference`()
        throws
    {
        let report = try report(memoryKiB: (40_000, 40_000), errors: (1, 2))
        #expect(report.wordErrors?.thousandths == 100)
        #expect(report.reference?.werThousandths == 50)
        #expect(report.tally.memoryPeakKiB == report.reference?.memoryPeakKiB)
    }
}
