import Primitives
import Telemetry

/// Merges one report into what is stored, by the rules of `ReportLedger`: a join, so that neither order nor
/// repetition matters.
struct Ingest {
    let records: any RegistryRecords
    let now: UTCTime

    func take(_ signed: SignedReport) throws(RegistryError) {
        let report = signed.report
        guard var device = try records.device(report.device) else { return }
        try takeFigures(signed)
        try takeHearing(report, of: device.attributes.cohort)
        try takeFacts(report)
        let held = device
        device.take(report.attributes, at: now)
        if device != held { try records.setDevice(device) }
    }

    private func takeFigures(_ signed: SignedReport) throws(RegistryError) {
        let key = FiguresKey(of: signed.report)
        let held = try records.mark(key)
        if let held, try !isNewer(signed.report, than: held, key) { return }
        try records.setFigures(
            FiguresRow(
                report: signed.report, bytes: signed.canonicalBytes,
                firstReceived: held?.firstReceived ?? now, received: now, jumped: held?.jumped))
    }

    /// As `Report.replaces`; the report that is held is read only where the order does not tell.
    private func isNewer(
        _ report: Report, than held: FiguresMark, _ key: FiguresKey
    ) throws(RegistryError) -> Bool {
        guard report.order == held.order else { return report.order > held.order }
        return try records.figures(key).map { report.replaces($0.report) } ?? true
    }

    /// Notes a sign of life, and the pause before it where the device was at rest.
    private func takeHearing(_ report: Report, of cohort: Cohort) throws(RegistryError) {
        let new = Hearing(order: report.order, at: now)
        let held = try records.hearing(report.device)
        let merged = held?.merging(new) ?? new
        guard merged != held else { return }
        try records.setHearing(report.device, merged)
        guard let held, merged.order > held.order, merged.at > held.at,
            report.state == .idle || report.state == .committed
        else { return }
        try records.countGap(
            GapBucket(seconds: merged.at - held.at), of: cohort, on: now.day)
    }

    private func takeFacts(_ report: Report) throws(RegistryError) {
        guard let key = CandidateKey(of: report) else { return }
        let held = try records.facts(key)
        var row = held ?? FactsRow(key: key, updated: now)
        row.facts.take(report)
        if row.facts.attempts.keys.max() != held?.facts.attempts.keys.max() {
            row.attempted = now
        }
        if report.kind == .swapBeacon, row.exposed == nil {
            row.exposed = now
            row.exposedWindow = report.place?.window
        }
        guard row != held else { return }
        row.updated = now
        try records.setFacts(row)
    }
}

extension UTCTime {
    /// Days since 1970-01-01.
    var day: Int64 { seconds / 86_400 }
}
