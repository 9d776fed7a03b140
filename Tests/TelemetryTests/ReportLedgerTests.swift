import Primitives
import Telemetry
import TestSupport
import Testing

/// Late, repeated and reordered reports do no harm.
@Suite struct ReportLedgerTests {
    typealias Delivery = (report: Report, at: UTCTime)

    /// What three devices send over some days: windows, versions, attempts, beacons and a rollback.
    static func deliveries(_ generator: inout SeededGenerator) -> [Delivery] {
        var deliveries: [Delivery] = []
        for device in UInt8(1)...3 {
            var turns = 0
            for sequence in Int64(1)...12 {
                let kind = ReportKind.allCases.randomElement(using: &generator) ?? .periodic
                var report = ReportFixtures.full()
                report.kind = kind
                report.device = ReportFixtures.device(device)
                report.epoch += sequence > 9 ? 1 : 0
                report.sequence = sequence > 9 ? sequence - 9 : sequence
                report.madeAt = ReportFixtures.now + sequence * 60
                report.version = ReportFixtures.version(sequence > 6 ? "1.5.0" : "1.4.0")
                report.place = RolloutPlace(
                    plan: 12, stage: sequence > 4 ? 1 : 0, arm: .treated,
                    window: ReportFixtures.now + (sequence > 4 ? 240 : 0))
                report.attempt = report.attempt.map {
                    AttemptMark(
                        number: Int64.random(in: 1...3, using: &generator), trace: $0.trace)
                }
                report.state = sequence == 8 ? .committed : .probation
                if Bool.random(using: &generator) { report.smoke?.failure = nil }
                turns += Int.random(in: 0...9, using: &generator)
                report.tally = ReportFixtures.tally(turns: turns)
                deliveries.append((report, report.madeAt + sequence))
            }
        }
        return deliveries
    }

    static func ledger(_ deliveries: some Sequence<Delivery>) -> ReportLedger {
        var ledger = ReportLedger()
        for delivery in deliveries { ledger.take(delivery.report, receivedAt: delivery.at) }
        return ledger
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `ends the same in any order, with any repetition, in any two halves`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let deliveries = Self.deliveries(&generator)
        let expected = Self.ledger(deliveries)
        let repeated = deliveries + deliveries.filter { _ in Bool.random(using: &generator) }
        #expect(Self.ledger(repeated.shuffled(using: &generator)) == expected)

        let cut = Int.random(in: 0...deliveries.count, using: &generator)
        let shuffled = deliveries.shuffled(using: &generator)
        var halves = Self.ledger(shuffled.prefix(cut + 3))
        halves.merge(Self.ledger(shuffled.suffix(from: cut)))
        #expect(halves == expected)
    }

    @Test func `keeps the last figures of each version and window`() throws {
        var generator = SeededGenerator(seed: 1)
        let ledger = Self.ledger(Self.deliveries(&generator).reversed())
        #expect(ledger.figures.count == 9)
        let kept = ledger.figures.values.filter { $0.device == ReportFixtures.device(1) }
        #expect(Set(kept.map(\.sequence)) == [4, 6, 3])
    }

    @Test func `tells a new report from one it had`() {
        var ledger = ReportLedger()
        let report = ReportFixtures.full()
        let first = ledger.take(report, receivedAt: ReportFixtures.now)
        let again = ledger.take(report, receivedAt: ReportFixtures.now + 60)
        #expect(first && !again)
        var older = report
        older.sequence = 8
        older.kind = .periodic
        let overtaken = ledger.take(older, receivedAt: ReportFixtures.now + 60)
        #expect(!overtaken)
    }

    @Test func `does not take a replayed report for a sign of life`() {
        var ledger = ReportLedger()
        var report = ReportFixtures.minimal()
        ledger.take(report, receivedAt: ReportFixtures.now)
        ledger.take(report, receivedAt: ReportFixtures.now + 86_400)
        #expect(ledger.heard[report.device]?.at == ReportFixtures.now)
        report.sequence = 2
        ledger.take(report, receivedAt: ReportFixtures.now + 90_000)
        #expect(ledger.heard[report.device]?.at == ReportFixtures.now + 90_000)
    }

    @Test func `remembers what a later report does not undo`() throws {
        var facts = CandidateFacts()
        var report = ReportFixtures.full()
        facts.take(report)
        report.kind = .attempt
        facts.take(report)
        #expect(facts.attemptsFailed == 1)
        report.attempt = report.attempt.map { AttemptMark(number: 2, trace: $0.trace) }
        facts.take(report)
        report.kind = .swapBeacon
        facts.take(report)
        report.kind = .localRollback
        facts.take(report)
        report.kind = .transition
        report.version = report.candidate
        report.state = .committed
        report.tally.counters.crashes = 2
        facts.take(report)
        #expect(facts.attemptsStarted == 2)
        #expect(facts.beaconAt == ReportFixtures.now)
        #expect(facts.rolledBack)
        #expect(facts.committed)
        #expect(facts.crashes == 2)
    }

    @Test func `keeps facts in a store and reads them back`() throws {
        var generator = SeededGenerator(seed: 2)
        let ledger = Self.ledger(Self.deliveries(&generator))
        for facts in ledger.facts.values {
            #expect(try CandidateFacts(facts.json) == facts)
        }
        for broken in [["attempts": ["1": "lost"]], ["attempts": [:]], [:]] as [JSON] {
            #expect(throws: FieldError.self) { try CandidateFacts(broken) }
        }
    }

    @Test func `bounds the attempts it tells apart, keeping the first`() {
        func facts(_ numbers: some Sequence<Int64>) -> CandidateFacts {
            var facts = CandidateFacts()
            for number in numbers {
                var report = ReportFixtures.full()
                report.attempt = report.attempt.map {
                    AttemptMark(number: number, trace: $0.trace)
                }
                facts.take(report)
            }
            return facts
        }
        #expect(facts(1...100) == facts((1...100).reversed()))
        #expect(facts(1...100) == facts(1...64))
    }
}
