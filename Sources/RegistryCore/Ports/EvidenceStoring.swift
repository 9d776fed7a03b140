package import Primitives
package import Telemetry

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
    /// The device's newest report, of anything.
    package let heard: Hearing?
    /// The figures of the window, of the arm's version: the candidate's for treated devices.
    package let figures: FiguresRow?
    /// Nil for a device that has nothing to do with the candidate.
    package let facts: FactsRow?

    package init(
        device: DeviceID, attributes: DeviceAttributes, heard: Hearing?, figures: FiguresRow?,
        facts: FactsRow?
    ) {
        self.device = device
        self.attributes = attributes
        self.heard = heard
        self.figures = figures
        self.facts = facts
    }
}

/// Looks over what all devices have reported, for the gate and for people; part of a transaction
/// (`RegistryStoring`), and never writes.
package protocol EvidenceStoring {
    /// All figures of one device, newest first.
    func figures(of device: DeviceID) throws(RegistryError) -> [FiguresRow]

    /// All facts of one device, by candidate.
    func facts(of device: DeviceID) throws(RegistryError) -> [FactsRow]

    /// The devices of both arms, those with the lowest ranks, `limit` of each arm: treated are those with
    /// an attempt or a beacon of the candidate, control those that say so in their figures of the window.
    func samples(_ query: SampleQuery) throws(RegistryError) -> [SampleRow]

    /// How many devices of each cohort that follow a channel have sent a beacon for a candidate.
    func exposure(
        model: ModelName, channel: ChannelName, candidate: SemanticVersion
    ) throws(RegistryError) -> [Cohort: Int]

    /// The devices that follow a channel of a model, by their newest report; those that have never
    /// reported follow channel `main` of every model. Devices whose last sign of life was dropped as too
    /// old are not counted: they would be shares of nobody.
    func subscribers(
        model: ModelName, channel: ChannelName
    ) throws(RegistryError) -> [Subscriber]
}

/// A device that follows a channel.
package struct Subscriber: Sendable, Hashable {
    package let device: DeviceID
    package let attributes: DeviceAttributes

    package init(device: DeviceID, attributes: DeviceAttributes) {
        self.device = device
        self.attributes = attributes
    }
}
