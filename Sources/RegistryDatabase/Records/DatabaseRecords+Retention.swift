import GRDB
import Primitives
import RegistryCore
import Telemetry

extension DatabaseRecords: RetentionStoring {
    /// Rows that one run redacts at most, so that it does not keep writers waiting.
    private static var batch: Int { 10_000 }

    func dropReports(olderThan moment: UTCTime) throws(RegistryError) -> Int {
        let day = moment.seconds / 86_400
        return try count(changedBy: "DELETE FROM figures WHERE received < ?", [moment.seconds])
            + (try count(changedBy: "DELETE FROM facts WHERE updated < ?", [moment.seconds]))
            + (try count(changedBy: "DELETE FROM hearing WHERE at < ?", [moment.seconds]))
            + (try count(changedBy: "DELETE FROM gap WHERE day < ?", [day]))
    }

    func redact(
        _ fields: [ReportField], olderThan moment: UTCTime
    ) throws(RegistryError) -> Int {
        let due = try rows(
            """
            SELECT rowid, report FROM figures WHERE redacted = 0 AND received < ?
            ORDER BY received LIMIT ?
            """, [moment.seconds, Self.batch]
        ) { (row) throws(RegistryError) -> (Int64, [UInt8]) in
            (row["rowid"], try row.bytes("report"))
        }
        for (rowid, bytes) in due {
            let report = try ReportRedaction(fields).redact(bytes)
            try execute(
                "UPDATE figures SET redacted = 1, report = ? WHERE rowid = ?",
                [report.data, rowid])
        }
        return due.count
    }

    /// A version goes when the one that took its place is that old.
    func dropMetadata(olderThan moment: UTCTime) throws(RegistryError) -> Int {
        try count(
            changedBy: """
                DELETE FROM metadata WHERE role <> 'root' AND EXISTS (
                    SELECT 1 FROM metadata AS later WHERE later.role = metadata.role
                        AND later.version > metadata.version AND later.added < ?)
                """, [moment.seconds])
    }

    func dropAccess(olderThan moment: UTCTime) throws(RegistryError) -> Int {
        try count(changedBy: "DELETE FROM token WHERE expires < ?", [moment.seconds])
            + (try count(
                changedBy: """
                    DELETE FROM enrolment WHERE expires < ?
                        OR (device IS NOT NULL AND created < ?)
                    """, [moment.seconds, moment.seconds]))
    }
}
