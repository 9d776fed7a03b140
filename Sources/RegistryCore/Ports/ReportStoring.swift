package import Primitives
package import Telemetry

/// The newest figures of one device for one version and stage window.
package struct FiguresRow: Sendable, Hashable {
    package let report: Report
    /// The report and its signature, as they arrived.
    package let bytes: [UInt8]
    /// When the first report of this row arrived, and this one.
    package let firstReceived: UTCTime
    package let received: UTCTime
    /// Whether the device had jumped when it first had enough turns in this window; nil before that.
    package var jumped: Bool?

    package init(
        report: Report, bytes: [UInt8], firstReceived: UTCTime, received: UTCTime,
        jumped: Bool? = nil
    ) {
        self.report = report
        self.bytes = bytes
        self.firstReceived = firstReceived
        self.received = received
        self.jumped = jumped
    }
}

/// What a report that arrives is held against: figures without what they say.
package struct FiguresMark: Sendable, Hashable {
    package let order: ReportOrder
    package let firstReceived: UTCTime
    package let jumped: Bool?

    package init(order: ReportOrder, firstReceived: UTCTime, jumped: Bool?) {
        self.order = order
        self.firstReceived = firstReceived
        self.jumped = jumped
    }
}

extension FiguresRow {
    /// Reads what a store has kept, whole or redacted.
    ///
    /// - Throws: `.storage` where the bytes are no stored report.
    package init(
        bytes: [UInt8], firstReceived: UTCTime, received: UTCTime, jumped: Bool?
    ) throws(RegistryError) {
        let report: Report
        do {
            let json = try JSON(parsing: bytes, limit: 1 << 20)
            report = try Report(json["signed"] ?? .null)
        } catch {
            throw .storage("stored report: \(error)")
        }
        self.init(
            report: report, bytes: bytes, firstReceived: firstReceived, received: received,
            jumped: jumped)
    }
}

/// What happened to one candidate on one device.
package struct FactsRow: Sendable, Hashable {
    package let key: CandidateKey
    package var facts: CandidateFacts
    /// When the first swap beacon arrived, by the registry's clock: exposure starts here.
    package var exposed: UTCTime?
    /// The stage window that the beacon named.
    package var exposedWindow: UTCTime?
    /// When word of the newest attempt first arrived.
    package var attempted: UTCTime?
    /// When anything was last added.
    package var updated: UTCTime

    package init(
        key: CandidateKey, facts: CandidateFacts = CandidateFacts(), exposed: UTCTime? = nil,
        exposedWindow: UTCTime? = nil, attempted: UTCTime? = nil, updated: UTCTime
    ) {
        self.key = key
        self.facts = facts
        self.exposed = exposed
        self.exposedWindow = exposedWindow
        self.attempted = attempted
        self.updated = updated
    }
}

/// What devices have reported, merged by the rules of `ReportLedger`; part of a transaction
/// (`RegistryStoring`).
///
/// A device has at most `figuresLimit` figures and `factsLimit` facts: older ones make room for newer,
/// so that no device can fill the store.
package protocol ReportStoring {
    func figures(_ key: FiguresKey) throws(RegistryError) -> FiguresRow?

    /// As `figures`, without reading the report.
    func mark(_ key: FiguresKey) throws(RegistryError) -> FiguresMark?

    func setFigures(_ row: FiguresRow) throws(RegistryError)

    func facts(_ key: CandidateKey) throws(RegistryError) -> FactsRow?

    func setFacts(_ row: FactsRow) throws(RegistryError)
}

extension ReportStoring {
    /// For stores that keep reports as values.
    package func mark(_ key: FiguresKey) throws(RegistryError) -> FiguresMark? {
        try figures(key).map {
            FiguresMark(
                order: $0.report.order, firstReceived: $0.firstReceived, jumped: $0.jumped)
        }
    }
}

/// How much of one device is kept.
package enum ReportLimits {
    /// Versions and stage windows.
    package static let figures = 64
    /// Candidates.
    package static let facts = 64
}
