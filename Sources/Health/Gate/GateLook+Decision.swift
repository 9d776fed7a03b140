import Primitives
import Telemetry

extension GateLook {
    /// The decision of docs/gate.md: roll back, pause, wait or promote, in this order.
    func judgement() -> Judgement {
        let fleet = results(allRows, segment: nil)
        let suspects = segments.flatMap { results(rows(in: $0), segment: $0) }
        let failing = suspects.filter { $0.rollsBack(parameters) && stands($0, allRows) }
        let alarm = worst(fleet.filter { $0.rollsBack(parameters) && stands($0, allRows) })
        guard let first = alarm ?? worst(failing) else {
            return decide(fleet, allRows, findings: pauses(suspects))
        }
        if let cause = cause(of: failing, among: suspects) {
            return judgement(excluding: cause, suspects)
        }
        guard alarm == nil else {
            return judgement(.rollback, .test(facts(first)), fleet, allRows)
        }
        let reason = Reason.segments(segmentsOf(failing), facts(first))
        return judgement(.pause, reason, fleet, allRows)
    }

    /// The rest of the fleet is judged, with `cause` left out of it.
    private func judgement(excluding cause: TestResult, _ suspects: [TestResult]) -> Judgement {
        guard let segment = cause.segment else { return decide([], allRows, findings: []) }
        let rest = allRows.filter { !segment.contains(panel.samples[$0]) }
        let finding = SegmentFinding(
            segment: segment, action: .exclude, reason: .test(facts(cause)))
        return decide(
            results(rest, segment: nil), rest, findings: [finding] + pauses(suspects, but: segment))
    }

    /// The failing segment that may be excluded, and without which the rest is sound and known.
    ///
    /// Locales first, then device classes, regions and cohorts. None where another segment fails also
    /// without it, or another cohort would pause on the same metric: then it is the release.
    private func cause(of failing: [TestResult], among suspects: [TestResult]) -> TestResult? {
        let order: [SegmentKind] = [.locale, .deviceClass, .region, .cohort]
        let ranked = order.filter(parameters.excludable.contains).flatMap { kind in
            failing.filter { $0.segment?.kind == kind }.sorted { $0.chance < $1.chance }
        }
        return ranked.first { result in
            guard let segment = result.segment else { return false }
            let rest = Set(allRows.filter { !segment.contains(panel.samples[$0]) })
            return isSound(rest, without: result)
                && segmentsOf(failing).allSatisfy { other in
                    other == segment
                        || !results(rows(in: other).filter(rest.contains), segment: other)
                            .contains { $0.rollsBack(parameters) }
                }
                && !suspects.contains { other in
                    guard let cohort = other.segment, cohort.kind == .cohort else { return false }
                    return other.rule == result.rule && other.pauses(parameters)
                        && !overlaps(cohort, segment)
                }
        }
    }

    /// Whether the fleet without a segment neither rolls back nor pauses, and has data on what fails there.
    private func isSound(_ rest: Set<Int>, without result: TestResult) -> Bool {
        let results = results(rest.sorted(), segment: nil)
        return results.contains { $0.rule == result.rule && $0.hasData }
            && !results.contains { $0.pauses(parameters) || $0.rollsBack(parameters) }
    }

    /// Whether some treated device belongs to both.
    private func overlaps(_ one: FleetSegment, _ other: FleetSegment) -> Bool {
        panel.samples.contains { $0.arm == .treated && one.contains($0) && other.contains($0) }
    }

    private func pauses(
        _ suspects: [TestResult], but excluded: FleetSegment? = nil
    ) -> [SegmentFinding] {
        let pausing = suspects.filter { $0.pauses(parameters) && $0.segment != excluded }
        return segmentsOf(pausing).compactMap { segment in
            if let excluded, overlaps(segment, excluded) { return nil }
            return worst(pausing.filter { $0.segment == segment }).map {
                SegmentFinding(segment: segment, action: .pause, reason: .test(facts($0)))
            }
        }
    }

    private func segmentsOf(_ results: [TestResult]) -> [FleetSegment] {
        Set(results.compactMap(\.segment)).sorted()
    }

    /// Whether a result that rolls back would also do so without the cohorts whose placebo fires too often.
    private func stands(_ result: TestResult, _ rows: [Int]) -> Bool {
        guard !evidence.untrusted.isEmpty else { return true }
        let trusted = rows.filter { row in
            let sample = panel.samples[row]
            return !evidence.untrusted.contains(sample.cohort)
                && result.segment?.contains(sample) ?? true
        }
        return results(trusted, segment: result.segment).contains {
            $0.rule == result.rule && $0.rollsBack(parameters)
        }
    }

    /// The result least likely to be chance.
    func worst(_ results: [TestResult]) -> TestResult? { results.min { $0.chance < $1.chance } }

    /// What follows where no rollback does.
    private func decide(
        _ results: [TestResult], _ rows: [Int], findings: [SegmentFinding]
    ) -> Judgement {
        let (verdict, reason) = verdict(results, rows)
        return judgement(verdict, reason, results, rows, findings)
    }

    private func verdict(_ results: [TestResult], _ rows: [Int]) -> (Verdict, Reason) {
        let alarms = results.filter { $0.rollsBack(parameters) }
        if let worst = worst(alarms.filter { stands($0, rows) }) {
            return (.rollback, .test(facts(worst, rows)))
        }
        let nearest = worst(results.filter(\.isEstimate)) ?? worst(results.filter(\.hasData))
        let shown = nearest.map { facts($0, rows) }
        if evidence.control == .none, let verdict = absoluteAlarm(rows, shown) { return verdict }
        if let worst = worst(alarms) {
            return (.pause, .untrusted(evidence.untrusted.sorted(), facts(worst, rows)))
        }
        if let worst = worst(results.filter { $0.pauses(parameters) }) {
            return (.pause, .test(facts(worst, rows)))
        }
        let coverage = coverage(rows)
        let exposure = exposure(rows)
        if let ratio = coverage.ratio, ratio < parameters.coverage,
            coverage.missing >= parameters.minMissing
        {
            return (.pause, .coverage(coverage, shown, exposure))
        }
        let elapsed = evidence.now - evidence.began
        let reporting = controlReporting(rows)
        if evidence.control == .concurrent, reporting < parameters.minControl {
            let reason = Reason.noControl(
                reporting: reporting, needed: parameters.minControl, shown, exposure)
            return (elapsed < parameters.deadlineSeconds ? .wait : .pause, reason)
        }
        let soak = evidence.requirements.leastSoakSeconds
        if elapsed < soak {
            return (.wait, .soaking(secondsLeft: soak - elapsed, shown, exposure))
        }
        return ending(results, rows, coverage, shown)
    }

    /// After the least soak: enough seen, more time, or the policy's word on too little evidence.
    private func ending(
        _ results: [TestResult], _ rows: [Int], _ coverage: Coverage, _ shown: FiveFacts?
    ) -> (Verdict, Reason) {
        let exposure = exposure(rows)
        let open = evidence.control == .none ? absoluteOpen(rows) : nil
        let spots = blindSpots(results)
        let blind = spots.filter { !$0.isSmallEnough }
        if blind.isEmpty, open == nil, isHeard(rows, coverage) {
            return (.promote, .proven(spots, shown, exposure))
        }
        let left = max(
            0, evidence.requirements.mostSoakSeconds - (evidence.now - evidence.began))
        let reason =
            open.map { Reason.absolute($0, shown, exposure) }
            ?? .blind(blind, secondsLeft: left, shown, exposure)
        if left > 0 { return (.wait, reason) }
        let goesOn =
            parameters.onInsufficientEvidence == .promoteUnproven && isHeard(rows, coverage)
        return (goesOn ? .promoteUnproven : .pause, reason)
    }

    /// Whether exposed devices speak at all: no data never counts as good, whatever the policy says.
    private func isHeard(_ rows: [Int], _ coverage: Coverage) -> Bool {
        let treated = rows.filter { panel.isTreated[$0] && panel.samples[$0].exposedAt != nil }
        let speaks = treated.contains {
            panel.isCompared[$0] && panel.samples[$0].counters.turns > 0
        }
        let isReported = coverage.exposed == 0 || coverage.reporting > 0
        return speaks && isReported
    }

    private func judgement(
        _ verdict: Verdict, _ reason: Reason, _ results: [TestResult], _ rows: [Int],
        _ findings: [SegmentFinding] = []
    ) -> Judgement {
        Judgement(
            verdict: verdict, reason: reason, findings: findings, results: results,
            blindSpots: blindSpots(results), coverage: coverage(rows),
            score: CompositeScore(results))
    }
}

extension TestResult {
    var hasData: Bool {
        if case .noData = measurement { return false }
        return true
    }

    var isEstimate: Bool {
        if case .estimate = measurement { return true }
        return false
    }
}
