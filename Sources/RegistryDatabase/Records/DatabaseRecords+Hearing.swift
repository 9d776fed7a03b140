import GRDB
import Primitives
import RegistryCore
import Telemetry

extension DatabaseRecords: HearingStoring {
    func hearing(_ device: DeviceID) throws(RegistryError) -> Hearing? {
        try row("SELECT epoch, sequence, at FROM hearing WHERE device = ?", [device.bytes.data]) {
            (row) throws(RegistryError) in
            Hearing(
                order: ReportOrder(epoch: row["epoch"], sequence: row["sequence"]),
                at: try row.time("at"))
        }
    }

    func setHearing(_ device: DeviceID, _ hearing: Hearing) throws(RegistryError) {
        try execute(
            "INSERT OR REPLACE INTO hearing (device, epoch, sequence, at) VALUES (?, ?, ?, ?)",
            [
                device.bytes.data, hearing.order.epoch, hearing.order.sequence,
                hearing.at.seconds,
            ])
    }

    func countGap(
        _ gap: GapBucket, of cohort: Cohort, on day: Int64
    ) throws(RegistryError) {
        try execute(
            """
            INSERT INTO gap (day, region, device_class, bucket, count) VALUES (?, ?, ?, ?, 1)
            ON CONFLICT DO UPDATE SET count = count + 1
            """,
            [day, cohort.region.description, cohort.deviceClass.description, gap.index])
    }

    func gaps(since day: Int64) throws(RegistryError) -> [Cohort: [GapBucket: Int]] {
        let found = try rows(
            """
            SELECT region, device_class, bucket, SUM(count) AS total FROM gap WHERE day >= ?
            GROUP BY region, device_class, bucket
            """, [day]
        ) { (row) throws(RegistryError) -> (Cohort, GapBucket, Int) in
            (try row.cohort(), GapBucket(index: row["bucket"]), row["total"])
        }
        return found.reduce(into: [:]) { gaps, item in gaps[item.0, default: [:]][item.1] = item.2 }
    }

    func lastHeard(
        in times: Range<UTCTime>, notExposedTo candidate: SemanticVersion, of model: ModelName
    ) throws(RegistryError) -> [Cohort: Int] {
        try cohortCounts(
            """
            SELECT region, device_class, COUNT(*) AS total FROM hearing
            JOIN device ON device.id = hearing.device
            WHERE at >= ? AND at < ? AND NOT EXISTS (
                SELECT 1 FROM facts WHERE facts.device = hearing.device AND model = ?
                    AND candidate = ? AND exposed IS NOT NULL)
            GROUP BY region, device_class
            """,
            [
                times.lowerBound.seconds, times.upperBound.seconds, model.description,
                candidate.description,
            ])
    }

    func cohortCounts(
        _ sql: String, _ arguments: StatementArguments
    ) throws(RegistryError) -> [Cohort: Int] {
        let found = try rows(sql, arguments) {
            (row) throws(RegistryError) -> (Cohort, Int) in (try row.cohort(), row["total"])
        }
        return Dictionary(found) { one, other in one + other }
    }
}
