import Console
import Primitives

/// The moment that a file of a build names.
enum Moment {
    /// What `--created` says, or else SOURCE_DATE_EPOCH, or else what is handed in.
    ///
    /// - Throws: `Failure` `usage` where the first of them that is there is not a moment.
    static func build(
        naming created: String? = nil, otherwise moment: () throws(Failure) -> UTCTime
    ) throws(Failure) -> UTCTime {
        if let created {
            guard let time = UTCTime(iso8601: created) else {
                throw Failure(.usage, "--created: expected 2026-11-21T05:06:07Z, got '\(created)'")
            }
            return time
        }
        guard let text = Environment.value("SOURCE_DATE_EPOCH") else {
            return try moment()
        }
        guard let time = Int64(text).flatMap(UTCTime.init(seconds:)) else {
            throw Failure(
                .usage, "SOURCE_DATE_EPOCH: expected seconds since 1970, got '\(text)'")
        }
        return time
    }
}
