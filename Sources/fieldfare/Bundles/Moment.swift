import Console
import PosixFiles
import Primitives

/// A moment that the command line, or the environment, names.
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

    /// So many days from now.
    ///
    /// - Throws: `Failure` `usage` where `--days` is out of range.
    static func expiry(inDays days: Int64) throws(Failure) -> UTCTime {
        guard (1...3_650).contains(days) else {
            throw Failure(.usage, "--days: expected 1 to 3650, got \(days)")
        }
        return SystemClock.now() + days * 86_400
    }
}
