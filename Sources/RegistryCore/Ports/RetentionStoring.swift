package import Primitives
package import Telemetry

/// Deletes what has been kept long enough; part of a transaction (`RegistryStoring`).
///
/// Each verb returns how many rows it deleted or emptied of something, and may be repeated.
package protocol RetentionStoring {
    /// Deletes figures, facts, hearings and pauses that nothing has been added to since `moment`.
    func dropReports(olderThan moment: UTCTime) throws(RegistryError) -> Int

    /// Takes the fields of one data class out of the figures that arrived before `moment`.
    func redact(
        _ fields: [ReportField], olderThan moment: UTCTime
    ) throws(RegistryError) -> Int

    /// Deletes superseded metadata from before `moment`, but no root: clients follow their chain.
    func dropMetadata(olderThan moment: UTCTime) throws(RegistryError) -> Int

    /// Deletes tokens and enrolment tokens that expired or were used before `moment`.
    func dropAccess(olderThan moment: UTCTime) throws(RegistryError) -> Int
}
