package import Primitives
package import Telemetry

/// When devices were heard, and how long the pauses between were; part of a transaction (`RegistryStoring`).
///
/// The pauses are what the gate calls history: how often a device of a cohort is silent for some time while
/// nothing has changed.
package protocol HearingStoring {
    func hearing(_ device: DeviceID) throws(RegistryError) -> Hearing?

    func setHearing(_ device: DeviceID, _ hearing: Hearing) throws(RegistryError)

    /// Counts one pause that ended on a day, counted since 1970-01-01 UTC.
    func countGap(
        _ gap: GapBucket, of cohort: Cohort, on day: Int64
    ) throws(RegistryError)

    /// The pauses of some days, by cohort.
    func gaps(since day: Int64) throws(RegistryError) -> [Cohort: [GapBucket: Int]]

    /// Devices that were last heard in a time, by cohort; without those exposed to a candidate.
    func lastHeard(
        in times: Range<UTCTime>, notExposedTo candidate: SemanticVersion, of model: ModelName
    ) throws(RegistryError) -> [Cohort: Int]
}
