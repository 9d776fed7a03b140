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
        return listed(shares, quota)
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
        return listed(shares, quota)
    }

    /// What differs from the policy's own share; of too many cohorts, the first in order.
    private static func listed(
        _ shares: [Cohort: BasisPoints], _ quota: Quota
    ) -> [Cohort: BasisPoints] {
        let other = shares.filter { $0.value != quota.share }
        guard other.count > Plan.mostCohorts else { return other }
        let kept = other.sorted { $0.key < $1.key }.prefix(Plan.mostCohorts)
        return Dictionary(kept.map { ($0.key, $0.value) }) { first, _ in first }
    }

    /// The devices that a cohort of `count` should have at least: `min(least, ceil(cap N))`.
    private static func least(_ quota: Quota, of count: Int) -> Int {
        Quota(share: .none, leastDevices: quota.leastDevices, cap: quota.cap).devices(of: count)
    }
}
