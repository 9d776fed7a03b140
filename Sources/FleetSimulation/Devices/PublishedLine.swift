package import Primitives
package import Rollouts
import Telemetry

/// What the devices of one channel have fetched and verified: what `model.<m>` lists, and the plan in force.
package struct PublishedLine: Sendable {
    package let model: ModelName
    package let channel: ChannelName
    package let listing: Listing
    package let plan: Plan?
    /// The TUF version of `plans.<m>`, which orders plans; 0 where there is none.
    package let planVersion: Int64

    package init(
        model: ModelName, channel: ChannelName, listing: Listing, plan: Plan?, planVersion: Int64
    ) {
        self.model = model
        self.channel = channel
        self.listing = listing
        self.plan = plan
        self.planVersion = planVersion
    }

    /// The policy that the plan names, where it is listed.
    package var policy: Policy? {
        guard let reference = plan?.policy else { return nil }
        return listing.policies.first {
            $0.path == reference.path && $0.sha256 == reference.sha256
        }?.policy
    }

    /// The place of a device in the rollout, by its own decision; nil for one in neither arm.
    func place(_ decision: Decision) -> RolloutPlace? {
        guard let plan, let arm = decision.arm, let begun = plan.stages.last else { return nil }
        return RolloutPlace(
            plan: planVersion, stage: Int64(plan.stages.count - 1), arm: arm, window: begun.began)
    }
}
