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

    /// Books a repetition at a moment, or at the first one after it at which there may be one.
    ///
    /// - Parameters:
    ///   - moment: the earliest.
    ///   - allowed: repetitions in an hour; none is an hour later.
    /// - Returns: the moment that was booked.
    package mutating func bookFirst(after moment: UTCTime, of allowed: Int) -> UTCTime {
        if book(moment, of: allowed) { return moment }
        let near = near(moment)
        guard allowed > 0, near.count >= allowed else { return moment + Self.span }
        return bookFirst(after: near[near.count - allowed] + Self.span, of: allowed)
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
