package import Primitives

/// Where one rollout stands now, for one model and channel: signed online, by the registry.
///
/// A target of `plans.<m>` at `rollouts/<m>/<channel>.json`; the format is `docs/formats/plan.md`. Two
/// plans are ordered by the TUF version of `plans.<m>`; a plan has no counter of its own.
package struct Plan: Sendable, Hashable {
    package static let schema = "fieldfare.plan/1"
    /// The longest plan read, in bytes: the most pins take 110,000.
    package static let longest = 524_288
    /// What an order may make of a plan, in bytes: the rest is kept for what goes back, which must never lack room.
    package static let longestByOrder = longest - 196_608
    package static let mostCohorts = 1_000
    /// The most that the shares of all stages and of the hold-back take together, in bytes.
    package static let longestShares = 131_072
    package static let mostWithdrawn = 1_000
    package static let mostSegments = 256

    package enum State: String, Sendable, CaseIterable {
        case running
        /// This plan exposes nobody new.
        case paused
        /// The candidate is declared good; the hold-back gets it too.
        case completed
        /// The candidate is withdrawn, and everyone goes back to the baseline.
        case rolledBack = "rolled_back"
        /// No plan of this model moves.
        case frozen
    }

    /// The policy that the rollout goes by, as a target of `model.<m>`.
    package struct PolicyReference: Sendable, Hashable {
        package let path: TargetPath
        package let sha256: SHA256Digest

        package init(path: TargetPath, sha256: SHA256Digest) {
            self.path = path
            self.sha256 = sha256
        }
    }

    /// A stage that has begun.
    package struct BegunStage: Sendable, Hashable {
        package var began: UTCTime
        /// The shares in force, where they differ from the stage's own.
        package var shares: [Cohort: BasisPoints]

        package init(began: UTCTime, shares: [Cohort: BasisPoints] = [:]) {
            self.began = began
            self.shares = shares
        }
    }

    package var model: ModelName
    package var channel: ChannelName
    /// Nil for a first release.
    package var baseline: BundleReference?
    package var candidate: BundleReference
    package var policy: PolicyReference
    /// The stages that have begun, in the policy's order; the last is the current one.
    package var stages: [BegunStage]
    /// The shares held back, where they differ from the policy's own.
    package var holdBack: [Cohort: BasisPoints]
    package var state: State
    /// Segments that stay on the baseline, or go back to it.
    package var excluded: [Segment]
    /// Segments in which the plan exposes nobody new.
    package var paused: [Segment]
    package var withdrawn: [Withdrawal]
    package var pins: [PinGroup]
    package var freezeWindows: [FreezeWindow]

    package init(
        model: ModelName, channel: ChannelName, baseline: BundleReference?,
        candidate: BundleReference, policy: PolicyReference, stages: [BegunStage] = [],
        holdBack: [Cohort: BasisPoints] = [:], state: State = .running, excluded: [Segment] = [],
        paused: [Segment] = [], withdrawn: [Withdrawal] = [], pins: [PinGroup] = [],
        freezeWindows: [FreezeWindow] = []
    ) {
        self.model = model
        self.channel = channel
        self.baseline = baseline
        self.candidate = candidate
        self.policy = policy
        self.stages = stages
        self.holdBack = holdBack
        self.state = state
        self.excluded = excluded
        self.paused = paused
        self.withdrawn = withdrawn
        self.pins = pins
        self.freezeWindows = freezeWindows
    }

    /// The index of the current stage; nil before the first has begun.
    package var currentStage: Int? { stages.isEmpty ? nil : stages.count - 1 }

    /// The pin of a device that has not expired, if it has one.
    package func pin(of device: DeviceHash, at now: UTCTime) -> PinGroup? {
        pins.first { now < $0.expires && $0.contains(device) }
    }
}
