import Health
package import Primitives

/// How often the gate would have rolled back in a cohort in which nothing had changed.
package struct PlaceboRecord: Sendable, Hashable {
    package let model: ModelName
    package let channel: ChannelName
    package let cohort: Cohort
    package let at: UTCTime
    package let devices: Int
    /// None where there were too few devices for any comparison: such a cohort is trusted.
    package let runs: Int
    /// Runs that would have been false rollbacks.
    package let fired: Int

    package init(
        model: ModelName, channel: ChannelName, cohort: Cohort, at: UTCTime, devices: Int,
        runs: Int, fired: Int
    ) {
        self.model = model
        self.channel = channel
        self.cohort = cohort
        self.at = at
        self.devices = devices
        self.runs = runs
        self.fired = fired
    }

    /// Whether a rollback of this cohort may be automatic.
    package var isTrusted: Bool { PlaceboTrial.isTrusted(fired: fired, runs: runs) }

    package var json: JSON {
        [
            "region": .string(cohort.region.description),
            "device_class": .string(cohort.deviceClass.description),
            "at": .integer(at.seconds), "devices": .integer(Int64(devices)),
            "runs": .integer(Int64(runs)), "fired": .integer(Int64(fired)),
            "trusted": .bool(isTrusted),
        ]
    }
}
