package import Primitives

/// All that the gate looks at in one look: a stage, its devices, and what is known from before.
package struct StageEvidence: Sendable, Hashable {
    /// What the candidate is compared with.
    package enum Control: Sendable, Hashable {
        /// Devices that stay on the baseline, at the same time.
        case concurrent
        /// A first release: nothing runs but the candidate.
        case none
    }

    package var began: UTCTime
    package var now: UTCTime
    package var isLast: Bool
    package var requirements: StageRequirements
    package var control = Control.concurrent
    package var samples: [DeviceSample]
    /// The segments that share alpha with the fleet: the same at every look, heard of or not; nil: those of the samples.
    package var segments: [FleetSegment]?
    /// Silent windows of the last 14 days, by cohort.
    package var history: [Cohort: SilenceHistory] = [:]
    /// Cohorts in which the gate has been seen to cry wolf (`PlaceboTrial`): nothing is rolled back because of them alone.
    package var untrusted: Set<Cohort> = []
    /// Devices exposed so far, where `samples` are only some of them.
    package var exposedDevices: Int?

    package init(
        began: UTCTime, now: UTCTime, isLast: Bool, requirements: StageRequirements,
        samples: [DeviceSample]
    ) {
        self.began = began
        self.now = now
        self.isLast = isLast
        self.requirements = requirements
        self.samples = samples
    }
}
