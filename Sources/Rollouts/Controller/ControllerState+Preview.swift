package import Primitives

extension ControllerState {
    /// The plan as it would stand once a stage has begun, with the devices of today, and the moment of that.
    ///
    /// The moment is the earliest that `now`, the policy's schedule and the least soak times leave. Whether the stage may
    /// begin is not looked at: no verdict, order or approval. A stage that has begun already adds nothing.
    package func preview(
        ofStage index: Int, census: FleetCensus, at now: UTCTime
    ) -> (plan: Plan, at: UTCTime) {
        var next = self
        var moment = max(now, policy.notBefore)
        if !isStarted {
            next.plan.holdBack = next.plan.fitting(
                ShareChoice.holdBack(policy, census: census), into: [:])
        }
        next.plan.state = .running
        while next.plan.stages.count <= min(index, policy.stages.count - 1) {
            let count = next.plan.stages.count
            moment = max(moment, policy.earliest(ofStage: count))
            if let last = next.plan.stages.last {
                moment = max(moment, last.began + policy.stages[count - 1].leastSoak)
            }
            next.begin(stage: count, ControllerFacts(now: moment, census: census))
        }
        return (next.plan, moment)
    }
}
