package import Primitives

/// How often a device repeats requests that failed, beyond its regular polls and reports: so many in any hour.
///
/// A pure value. The number is signed with the policy (`download.budgets.*.retries`), so that no fault of a registry, or of a
/// network before it, brings more load upon it than its owners have agreed to.
package struct RetryBudget: Sendable, Hashable {
    /// Repetitions in an hour where no policy says otherwise.
    package static let usual = 20
    private static let span: Int64 = 3_600

    /// When requests of the last hour were repeated, or will be; oldest first.
    private var booked: [UTCTime] = []

    package init() {}

    /// Books a repetition; false where there would be more than are allowed in some hour.
    package mutating func book(_ moment: UTCTime, of allowed: Int) -> Bool {
        guard near(moment).count < allowed else { return false }
        // Moments are asked for out of order, but not by as much as an hour.
        booked.removeAll { $0 + 2 * Self.span <= moment }
        booked.append(moment)
        booked.sort()
        return true
    }

    /// Those of the hour before a moment, and all after it.
    private func near(_ moment: UTCTime) -> [UTCTime] {
        booked.filter { $0 + Self.span > moment }
    }

    /// The clock was set.
    mutating func clockStepped(by seconds: Int64) {
        for index in booked.indices { booked[index] = booked[index] + seconds }
    }
}
