package import Primitives
package import Rollouts

/// What each slot is meant to hold, and which one is meant to be active.
package struct SlotTable: Sendable, Hashable {
    package var active: Slot?
    /// The whole bundle of each slot; nil where there is none, or one being written.
    package var contents: PerSlot<BundleReference?>

    package init(
        active: Slot? = nil, contents: PerSlot<BundleReference?> = PerSlot(both: nil)
    ) {
        self.active = active
        self.contents = contents
    }

    package var activeBundle: BundleReference? { active.flatMap { contents[$0] } }

    /// The bundle that going back would need no download for.
    package var idleBundle: BundleReference? { active.flatMap { contents[$0.other] } }

    /// Where the next bundle goes: never the active slot.
    package var staging: Slot { active?.other ?? .a }
}

/// All that the machine knows, and the journal keeps.
package struct MachineState: Sendable, Hashable {
    package var state: AgentState
    package var slots: SlotTable
    package var trials: TrialMemory
    /// Bundles that this device has committed, oldest first, each once, at most `committedLimit`.
    package var committed: [BundleReference]
    /// The oldest version to go back to.
    package var rollbackFloor: SemanticVersion?
    /// When a plan last moved this device forward.
    package var lastForwardSwap: UTCTime?
    /// Whether somebody ordered on the device that it stays where it is.
    package var isHeld: Bool

    package static let committedLimit = 256

    package init(
        state: AgentState = .resting(.idle), slots: SlotTable = SlotTable(),
        trials: TrialMemory = TrialMemory(), committed: [BundleReference] = [],
        rollbackFloor: SemanticVersion? = nil, lastForwardSwap: UTCTime? = nil,
        isHeld: Bool = false
    ) {
        self.state = state
        self.slots = slots
        self.trials = trials
        self.committed = committed
        self.rollbackFloor = rollbackFloor
        self.lastForwardSwap = lastForwardSwap
        self.isHeld = isHeld
    }

    /// Adds to the committed bundles, at the newest place.
    package mutating func remember(committed bundle: BundleReference) {
        committed.removeAll { $0 == bundle }
        committed.append(bundle)
        committed.removeFirst(max(0, committed.count - Self.committedLimit))
    }
}
