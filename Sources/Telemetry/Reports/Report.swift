package import Primitives

/// What a device says of itself, schema `fieldfare.report/1` (`docs/formats/report.md`).
///
/// The figures are cumulative for (device, version in force, stage window): of two reports the one with
/// the higher (epoch, sequence) replaces the other, so late, repeated and reordered ones do no harm.
package struct Report: Sendable, Hashable {
    package static let schema = "fieldfare.report/1"
    /// The edition of the schema: the first 8 bytes of SHA-256 of the canonical form of
    /// `manifests/schemas/report.schema.json`.
    ///
    /// It tells honest editions apart, which 8 bytes are enough for; what protects a report is its signature.
    package static let schemaHash = "b4f87abc96d95865"
    /// Stands in the signed bytes, so that a signature made here means nothing elsewhere.
    package static let context = "fieldfare.device-report"
    /// The most bytes that the canonical form of `signed` may have.
    package static let byteLimit = 16_384
    package static let reasonLimit = 8

    /// The edition of whoever made the report; nil where that is not said.
    package var schemaHash: String? = Report.schemaHash
    package var kind: ReportKind
    package var device: DeviceID
    /// When the agent's journal was created, in UTC seconds: a journal that was lost starts a later epoch.
    package var epoch: Int64
    /// Counts up from 1 within an epoch, over all models of the device.
    package var sequence: Int64
    package var madeAt: UTCTime
    package var model: ModelName
    package var channel: ChannelName
    /// The version in force; nil on a device that has no model yet.
    package var version: SemanticVersion?
    /// The version that this report's attempt, swap or rollback is about.
    package var candidate: SemanticVersion?
    package var place: RolloutPlace?
    package var attempt: AttemptMark?
    package var state: ReportedState
    package var reasons: [ReasonCode] = []
    package var attributes: DeviceAttributes
    /// How long the agent has run.
    package var uptimeSeconds: Int64 = 0
    /// When the device switched to the version in force.
    package var exposedAt: UTCTime?
    /// When it began to count the figures below.
    package var countingSince: UTCTime?
    package var tally = TurnTally()
    package var reference: Reference?
    package var wordErrors: WordErrorProxy?
    package var smoke: SmokeFigures?
    package var probation: ProbationEvidence?
    /// Tenths of a degree Celsius.
    package var temperatureTenths: Int64?
    package var batteryPercent: Int64?
    package var microphone: AttributeName?

    package init(
        kind: ReportKind, device: DeviceID, epoch: Int64, sequence: Int64, madeAt: UTCTime,
        model: ModelName, channel: ChannelName, state: ReportedState, attributes: DeviceAttributes
    ) {
        self.kind = kind
        self.device = device
        self.epoch = epoch
        self.sequence = sequence
        self.madeAt = madeAt
        self.model = model
        self.channel = channel
        self.state = state
        self.attributes = attributes
    }

    /// The bytes that the device signs: the canonical form of `json`, context and schema included.
    package var signedBytes: [UInt8] { json.canonicalBytes }

    /// The report and its signature as they travel.
    package func signed(with signature: [UInt8]) -> JSON {
        ["signed": json, "signature": .string(Hex.encode(signature))]
    }
}
