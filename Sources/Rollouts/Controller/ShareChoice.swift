package import Primitives

/// Chooses the shares of a plan so that each cohort has its least number of devices, within the cap.
///
/// Buckets are random, so the share that gives ten devices is found among the real ones. Only what
/// differs from the policy's own share is given: a small cohort's, mostly.
package enum ShareChoice {
    /// The shares held back, from the highest buckets, of all devices that any stage reaches.
    package static func holdBack(
        _ policy: Policy, census: FleetCensus
    ) -> [Cohort: BasisPoints] {
        let quota = policy.holdBack
        var shares: [Cohort: BasisPoints] = [:]
        for (cohort, buckets) in census.buckets(in: policy.stages.map(\.where)) {
            let wanted = least(quota, of: buckets.count)
            let have = buckets.count { $0 >= Bucket.count - quota.share.value }
            guard have < wanted else { continue }
            let lowest = buckets[buckets.count - wanted]
            let share = BasisPoints(clamping: Bucket.count - lowest)
            shares[cohort] = min(max(share, quota.share), quota.cap)
        }
        return shares.filter { $0.value != quota.share }
    }

    /// The shares of a stage, from the lowest buckets that are not held back; never less than before.
    package static func shares(
        of stage: Stage, census: FleetCensus, holdBack: (Cohort) -> BasisPoints,
        before: (Cohort) -> BasisPoints
    ) -> [Cohort: BasisPoints] {
        let quota = stage.quota
        var shares: [Cohort: BasisPoints] = [:]
        for (cohort, buckets) in census.buckets(in: [stage.where]) {
            let free = buckets.filter { $0 < Bucket.count - holdBack(cohort).value }
            let wanted = min(least(quota, of: buckets.count), free.count)
            var share = max(quota.share, before(cohort))
            if free.count(where: { $0 < share.value }) < wanted {
                share = max(share, BasisPoints(clamping: free[wanted - 1] + 1))
            }
            shares[cohort] = min(share, max(quota.cap, quota.share))
        }
        return shares.filter { $0.value != quota.share }
    }

    /// The devices that a cohort of `count` should have at least: `min(least, ceil(cap N))`.
    private static func least(_ quota: Quota, of count: Int) -> Int {
        Quota(share: .none, leastDevices: quota.leastDevices, cap: quota.cap).devices(of: count)
    }
}

extension Plan {
    /// Of the shares wanted for one of its tables, those that there is room for.
    ///
    /// Cohorts are what devices say of themselves, so their number is not ours to choose. Those that the table names already come first, then
    /// the others in their order; a cohort that finds no room keeps its policy's share.
    ///
    /// - Parameters:
    ///   - wanted: shares to be put into `table`.
    ///   - table: the hold-back's, or a stage's; empty for a stage that is not there yet.
    /// - Returns: a part of `wanted`.
    func fitting(
        _ wanted: [Cohort: BasisPoints], into table: [Cohort: BasisPoints]
    ) -> [Cohort: BasisPoints] {
        var fitting = wanted.filter { table[$0.key] != nil }
        let others = wanted.filter { table[$0.key] == nil }.sorted { $0.key < $1.key }
        var cohorts = Self.mostCohorts - table.count
        var bytes =
            Self.longestShares
            - ([holdBack] + stages.map(\.shares)).reduce(0) { $0 + Self.length(of: $1) }
        for (cohort, share) in others where cohorts > 0 {
            let length = Self.length(of: [cohort: share])
            guard length <= bytes else { break }
            fitting[cohort] = share
            cohorts -= 1
            bytes -= length
        }
        return fitting
    }

    /// The bytes of a table in the document, at the most: each name in quotes, a colon, five digits and a comma.
    private static func length(of table: [Cohort: BasisPoints]) -> Int {
        table.keys.reduce(0) { $0 + $1.description.utf8.count + 9 }
    }
}
