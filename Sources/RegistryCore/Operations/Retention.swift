package import Primitives
import Telemetry

/// Deletes what has been kept as long as its data class allows: the job behind `docs/registry.md`.
package struct Retention: Sendable {
    /// How long things are kept that no data class speaks of, in seconds.
    package struct Windows: Sendable, Hashable {
        /// Superseded metadata other than root.
        package var metadata: Int64 = 30 * 86_400
        /// Expired and used tokens.
        package var access: Int64 = 30 * 86_400

        package init() {}
    }

    /// What one run deleted.
    package struct Outcome: Sendable, Hashable {
        package var reports = 0
        package var redacted = 0
        package var metadata = 0
        package var access = 0
        package var uploads = 0
    }

    private let store: any RegistryStoring
    private let uploads: Uploads
    private let windows: Windows

    package init(
        store: any RegistryStoring, blobs: any BlobStoring, windows: Windows = Windows()
    ) {
        self.store = store
        uploads = Uploads(blobs: blobs)
        self.windows = windows
    }

    /// Deletes what is due; call it every hour or so.
    package func run(at now: UTCTime) throws(RegistryError) -> Outcome {
        var outcome = try store.write { (records) throws(RegistryError) in
            var outcome = Outcome()
            let longest = DataClass.allCases.map(\.retentionSeconds).max() ?? 0
            outcome.reports = try records.dropReports(olderThan: now + -longest)
            for dataClass in DataClass.allCases where dataClass.retentionSeconds < longest {
                let fields = ReportField.all.filter { $0.dataClass == dataClass }
                outcome.redacted += try records.redact(
                    fields, olderThan: now + -dataClass.retentionSeconds)
            }
            outcome.metadata = try records.dropMetadata(olderThan: now + -windows.metadata)
            outcome.access = try records.dropAccess(olderThan: now + -windows.access)
            return outcome
        }
        outcome.uploads = try uploads.expire(at: now)
        return outcome
    }
}
