package import Rollouts
package import Speech
package import Telemetry

/// What the newest signed plan wants of this device.
package enum Wish: Sendable, Hashable {
    /// It stays as it is: nothing for it, or paused, or held back, or nothing that it may accept.
    case stay
    case run(Release)
}

/// What a poll found out.
package struct PollOutcome: Sendable, Hashable {
    package let wish: Wish
    /// The trace id of the attempt that this poll may begin.
    package let trace: TraceID
    /// Whether nobody speaks to the device now.
    package let isQuiet: Bool
    /// Bundles whose rejection or failure the release keys have lifted.
    package let lifted: [BundleReference]

    package init(
        wish: Wish, trace: TraceID, isQuiet: Bool = true, lifted: [BundleReference] = []
    ) {
        self.wish = wish
        self.trace = trace
        self.isQuiet = isQuiet
        self.lifted = lifted
    }
}

/// Why a bundle did not come into its slot.
package enum StagingFailure: Sendable, Hashable {
    /// May succeed if begun again: what has come is kept, `held` bytes by now; not before `retryAfter` seconds
    /// where the registry asked for that, and so often as the policy allows on this link, where it says.
    case again(PassingTrouble, held: Int64, retryAfter: Int64?, retries: Int? = nil)
    case final(PassingTrouble)
}

/// How the watched time after a swap ended.
package enum ProbationEnd: Sendable, Hashable {
    case commit
    case fall(ProbationFall)
}

/// What an operator orders on the device itself.
package enum LocalOrder: String, Sendable, Hashable, CaseIterable {
    case rollback
    case hold
    case unhold
}

/// Something that happened.
package enum AgentEvent: Sendable, Hashable {
    case pollDue
    case polled(PollOutcome)
    case pollFailed
    case staged
    case stagingFailed(StagingFailure)
    /// The staged bundle may be tested now.
    case proceed
    case probed(SmokeVerdict)
    /// No smoke test could be made.
    case probeFailed
    case beaconAcknowledged
    case activated
    /// The link still names what it did: for good where the slot is not whole, else for now.
    case activationFailed(isLasting: Bool)
    case judged(ProbationEnd)
    case ordered(LocalOrder)
    case deadlinePassed
    /// A slot that was whole does not verify any more.
    case damaged(Slot)
    /// The process is about to end in good order.
    case stopping
}
