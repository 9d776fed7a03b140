package import Primitives

/// Where a report stands in its device's order: a higher (epoch, sequence) replaces a lower one.
package struct ReportOrder: Sendable, Hashable, Comparable {
    package let epoch: Int64
    package let sequence: Int64

    package init(epoch: Int64, sequence: Int64) {
        self.epoch = epoch
        self.sequence = sequence
    }

    package static func < (left: ReportOrder, right: ReportOrder) -> Bool {
        (left.epoch, left.sequence) < (right.epoch, right.sequence)
    }
}

extension Report {
    package var order: ReportOrder { ReportOrder(epoch: epoch, sequence: sequence) }

    /// Whether this report takes the place of one with the same `FiguresKey`.
    ///
    /// Two different reports with one order come only from a broken or stolen device; then the one whose
    /// bytes sort last stays, so that even these end the same in any order.
    package func replaces(_ other: Report) -> Bool {
        guard order == other.order else { return order > other.order }
        return other.signedBytes.lexicographicallyPrecedes(signedBytes)
    }
}

/// What figures are cumulative for: a device and model, the version in force, and the stage window.
package struct FiguresKey: Sendable, Hashable {
    package let device: DeviceID
    package let model: ModelName
    package let version: SemanticVersion?
    package let window: UTCTime?

    package init(
        device: DeviceID, model: ModelName, version: SemanticVersion?, window: UTCTime?
    ) {
        self.device = device
        self.model = model
        self.version = version
        self.window = window
    }

    package init(of report: Report) {
        device = report.device
        model = report.model
        version = report.version
        window = report.place?.window
    }
}

/// All that a registry must remember of reports, as a merge in which order and repetition do not matter.
///
/// Taking reports is a join: any order, any repetition, any split over two ledgers that are merged later
/// gives the same ledger. A store may keep the two tables apart; `Report.replaces` and
/// `CandidateFacts.merge` are the rules for its rows.
package struct ReportLedger: Sendable, Hashable {
    /// The newest figures.
    package private(set) var figures: [FiguresKey: Report] = [:]
    /// What happened to each candidate on each device.
    package private(set) var facts: [CandidateKey: CandidateFacts] = [:]
    /// The last sign of life of each device.
    package private(set) var heard: [DeviceID: Hearing] = [:]

    package init() {}

    /// Takes a report that was received at `time` by the registry's clock.
    ///
    /// - Returns: false where nothing changed: a report that was there already, or an overtaken one.
    @discardableResult
    package mutating func take(_ report: Report, receivedAt time: UTCTime) -> Bool {
        let key = FiguresKey(of: report)
        let isNewest = figures[key].map { report.replaces($0) } ?? true
        if isNewest { figures[key] = report }
        let hearing = Hearing(order: report.order, at: time)
        let heardBefore = heard[report.device]
        heard[report.device] = heardBefore?.merging(hearing) ?? hearing
        guard let candidate = CandidateKey(of: report) else {
            return isNewest || heard[report.device] != heardBefore
        }
        let factsBefore = facts[candidate]
        facts[candidate, default: CandidateFacts()].take(report)
        return isNewest || heard[report.device] != heardBefore || facts[candidate] != factsBefore
    }

    package mutating func merge(_ other: ReportLedger) {
        figures.merge(other.figures) { $0.replaces($1) ? $0 : $1 }
        facts.merge(other.facts) { one, other in one.merging(other) }
        heard.merge(other.heard) { $0.merging($1) }
    }
}

/// When a device was last heard: the arrival of its newest report, so that a replayed one is no sign of life.
package struct Hearing: Sendable, Hashable {
    package let order: ReportOrder
    package let at: UTCTime

    package init(order: ReportOrder, at: UTCTime) {
        self.order = order
        self.at = at
    }

    package func merging(_ other: Hearing) -> Hearing {
        guard order == other.order else { return order > other.order ? self : other }
        return Hearing(order: order, at: min(at, other.at))
    }
}
