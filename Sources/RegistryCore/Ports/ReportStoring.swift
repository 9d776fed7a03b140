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

    package init(report: Report, bytes: [UInt8], firstReceived: UTCTime, received: UTCTime) {
        self.report = report
        self.bytes = bytes
        self.firstReceived = firstReceived
        self.received = received
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

    package init(
        key: CandidateKey, facts: CandidateFacts = CandidateFacts(), exposed: UTCTime? = nil,
        exposedWindow: UTCTime? = nil
    ) {
        self.key = key
        self.facts = facts
        self.exposed = exposed
        self.exposedWindow = exposedWindow
    }
}

/// The devices that a gate looks at: those of one rollout, in the window of its current stage.
package struct SampleQuery: Sendable, Hashable {
    /// The most devices of one arm; those with the lowest ranks.
    package static let standardLimit = 5_000

    package let model: ModelName
    package let channel: ChannelName
    package let candidate: SemanticVersion
    /// When the stage began, which names its window.
    package let window: UTCTime
    package let limit: Int

    package init(
        model: ModelName, channel: ChannelName, candidate: SemanticVersion, window: UTCTime,
        limit: Int = standardLimit
    ) {
        self.model = model
        self.channel = channel
        self.candidate = candidate
        self.window = window
        self.limit = limit
    }
}

/// All that the registry knows of one device that a gate looks at.
package struct SampleRow: Sendable, Hashable {
    package let device: DeviceID
    package let attributes: DeviceAttributes
    /// When the device was last heard, of anything.
    package let heard: UTCTime?
    /// The figures of the window, of the arm's version: the candidate's for treated devices.
    package let figures: FiguresRow?
    /// Nil for a device that has nothing to do with the candidate.
    package let facts: FactsRow?

    package init(
        device: DeviceID, attributes: DeviceAttributes, heard: UTCTime?, figures: FiguresRow?,
        facts: FactsRow?
    ) {
        self.device = device
        self.attributes = attributes
        self.heard = heard
        self.figures = figures
        self.facts = facts
    }
}

/// What devices have reported, merged by the rules of `ReportLedger`; part of a transaction
/// (`RegistryStoring`).
///
/// A device has at most `figuresLimit` figures and `factsLimit` facts; older ones make room for newer.
package protocol ReportStoring {
    /// The figures of a key, and when the device was last heard, if ever.
    func figures(_ key: FiguresKey) throws(RegistryError) -> FiguresRow?

    func setFigures(_ row: FiguresRow) throws(RegistryError)

    func facts(_ key: CandidateKey) throws(RegistryError) -> FactsRow?

    func setFacts(_ row: FactsRow) throws(RegistryError)

    func hearing(_ device: DeviceID) throws(RegistryError) -> Hearing?

    func setHearing(_ device: DeviceID, _ hearing: Hearing) throws(RegistryError)

    /// All figures of one device, newest first.
    func figures(of device: DeviceID) throws(RegistryError) -> [FiguresRow]

    /// All facts of one device, by candidate.
    func facts(of device: DeviceID) throws(RegistryError) -> [FactsRow]

    /// The devices of both arms: exposed ones by their beacons, control ones by what they report; those
    /// with the lowest ranks, `limit` of each arm.
    func samples(_ query: SampleQuery) throws(RegistryError) -> [SampleRow]

    /// How many devices of each cohort have sent a beacon for a candidate.
    func exposure(
        model: ModelName, candidate: SemanticVersion
    ) throws(RegistryError) -> [Cohort: Int]
}
