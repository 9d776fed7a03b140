import Primitives
import Telemetry

/// Merges one report into what is stored, by the rules of `ReportLedger`: a join, so that neither order nor
/// repetition matters.
struct Ingest {
    let records: any RegistryRecords
    let now: UTCTime

    func take(_ signed: SignedReport) throws(RegistryError) {
        let report = signed.report
        try takeFigures(signed)
        try takeHearing(report)
        try takeFacts(report)
        try takeAttributes(report)
    }

    private func takeFigures(_ signed: SignedReport) throws(RegistryError) {
        let held = try records.figures(FiguresKey(of: signed.report))
        if let held, !signed.report.replaces(held.report) { return }
        try records.setFigures(
            FiguresRow(
                report: signed.report, bytes: signed.json.canonicalBytes,
                firstReceived: held?.firstReceived ?? now, received: now))
    }

    private func takeHearing(_ report: Report) throws(RegistryError) {
        let new = Hearing(order: report.order, at: now)
        let held = try records.hearing(report.device)
        let merged = held?.merging(new) ?? new
        if merged != held { try records.setHearing(report.device, merged) }
    }

    private func takeFacts(_ report: Report) throws(RegistryError) {
        guard let key = CandidateKey(of: report) else { return }
        let held = try records.facts(key)
        var row = held ?? FactsRow(key: key)
        row.facts.take(report)
        if report.kind == .swapBeacon, row.exposed == nil {
            row.exposed = now
            row.exposedWindow = report.place?.window
        }
        if row != held { try records.setFacts(row) }
    }

    private func takeAttributes(_ report: Report) throws(RegistryError) {
        guard var device = try records.device(report.device) else { return }
        let held = device
        device.take(report.attributes, at: now)
        if device != held { try records.setDevice(device) }
    }
}
