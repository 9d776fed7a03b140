import Primitives

/// A device's place in a plan, by its bucket alone: nothing about whether the plan may be obeyed.
struct Exposure {
    let bucket: Bucket
    let arm: Arm?
    /// The first begun stage that takes the device in.
    let stage: Int?
    let isInWhere: Bool
    let isHeldBack: Bool
    /// The share of the cohort that is held back.
    let held: BasisPoints
    /// The widest share of the cohort in the stages that have begun and take in such devices.
    let share: BasisPoints
    /// When the device may start, by its place in the ramp.
    let starts: UTCTime?

    /// Finds the place; stages of the plan beyond those of its policy are left out.
    init(of device: DeviceFacts, in plan: Plan, under policy: Policy) {
        bucket = Bucket(of: device.id, candidate: plan.candidate.sha256)
        let cohort = device.attributes.cohort
        held = plan.holdBack[cohort] ?? policy.holdBack.share
        isHeldBack = plan.state != .completed && bucket.isAmongHighest(held)
        var first: Int?
        var starts: UTCTime?
        var before = BasisPoints.none
        var isInWhere = false
        for (index, (begun, stage)) in zip(plan.stages, policy.stages).enumerated()
        where stage.where.contains(device.attributes) {
            isInWhere = true
            let share = begun.shares[cohort] ?? stage.quota.share
            if bucket.isBelow(share) {
                let began = max(begun.began, policy.earliest(ofStage: index))
                let start = Self.start(bucket, from: before, to: share, began, ramp: stage.ramp)
                starts = min(starts ?? start, start)
                first = first ?? index
            }
            before = max(before, share)
        }
        self.isInWhere = isInWhere
        share = before
        self.starts = plan.state == .completed ? nil : starts
        stage = isHeldBack ? nil : first
        if isHeldBack && !plan.stages.isEmpty && isInWhere {
            arm = .control
        } else {
            arm = first == nil || isHeldBack ? nil : .treated
        }
    }

    /// The device's moment in a ramp that takes the buckets from `low` to `high` one after the other.
    private static func start(
        _ bucket: Bucket, from low: BasisPoints, to high: BasisPoints, _ began: UTCTime,
        ramp: Int64
    ) -> UTCTime {
        guard bucket.value >= low.value, high > low else { return began }
        return began + ramp * Int64(bucket.value - low.value) / Int64(high.value - low.value)
    }
}
