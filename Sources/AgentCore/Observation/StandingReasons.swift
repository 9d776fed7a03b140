package import Primitives
package import Rollouts
import TUF
package import Telemetry

/// What keeps a device where it is while nothing happens: said in its periodic reports and with its transitions.
package enum StandingReasons {
    /// What is the matter, as a report may say it.
    ///
    /// - Parameters:
    ///   - local: what the device finds on itself, of `local`.
    ///   - material: from the newest poll that succeeded; expired offline roles are used, and told.
    ///   - error: why the newest poll failed, where it did. A registry out of reach is no reason: the
    ///     report that says so would not arrive either.
    ///   - decision: the newest one.
    /// - Returns: codes, each once, in the order of the enumeration.
    package static func codes(
        _ local: Set<ReasonCode>, material: PollMaterial?, error: PollError?, decision: Decision?
    ) -> [ReasonCode] {
        var codes = local.union(decision?.refusals.compactMap { code($0) } ?? [])
        if material?.expiredOfflineRoles.isEmpty == false { codes.insert(.metadataExpired) }
        if let code = error.flatMap({ code($0) }) { codes.insert(code) }
        return ReasonCode.allCases.filter(codes.contains)
    }

    /// What the device finds on itself.
    ///
    /// - Parameters:
    ///   - machine: holds, and slots that are damaged.
    ///   - observation: what the application serves, by its own word.
    ///   - leases: nil where nobody has looked.
    ///   - deadline: seconds that an application has to take another model, and to let go of the one before.
    ///   - now: the device's time.
    /// - Returns: codes, each once.
    package static func local(
        _ machine: MachineState, _ observation: Observation, leases: PerSlot<LeaseState>?,
        deadline: Int64, at now: UTCTime
    ) -> Set<ReasonCode> {
        var codes: Set<ReasonCode> = []
        if machine.isHeld { codes.insert(.heldOnDevice) }
        if machine.slots.active != nil, machine.slots.activeBundle == nil {
            codes.insert(.slotDamaged)
        }
        if leases?.a == .overdue || leases?.b == .overdue { codes.insert(.leaseOverdue) }
        // An application that never says what it serves is asked nothing.
        if let serving = observation.serving, let active = observation.version, serving != active,
            let since = observation.exposedAt, now > since + deadline
        {
            codes.insert(.notServing)
        }
        return codes
    }

    private static func code(_ error: PollError) -> ReasonCode? {
        switch error {
        case .refused(let reason):
            if case .expired = reason { .metadataExpired } else { .metadataRefused }
        case .wrongTarget, .oldPlan: .metadataRefused
        case .fetch, .storage, .interrupted: nil
        }
    }

    /// The refusals that somebody has to know of; nil for those that are a rollout's everyday life.
    private static func code(_ refusal: RefusalReason) -> ReasonCode? {
        switch refusal {
        case .planUnreadable, .planForAnotherModel, .planForAnotherChannel, .policyNotListed,
            .manifestNotListed, .baselineNotYetAllowed, .pinNotYetAllowed,
            .policyForAnotherRelease, .candidateNamedAsBaseline, .baselineNotReplaceable,
            .noSuchStage, .stageTooEarly, .completedTooEarly, .approvalMissing, .shareAboveCap,
            .holdBackNotAsSigned:
            .planRefused
        case .requirementsUnknown, .architectureNotSupported, .memoryTooSmall, .diskTooSmall,
            .agentTooOld:
            .requirementsNotMet
        case .noPlan, .withdrawn, .rejectedHere, .belowRollbackFloor, .offlineMetadataExpired,
            .outsideWhere, .beforeNotBefore, .currentNotReplaceable, .firstInstallTakesBaseline,
            .afterNotAfter, .noStageBegun, .rolledBack, .paused, .segmentPaused,
            .segmentExcluded, .heldBack, .notInShare, .notYetInRamp, .frozen, .inFreezeWindow,
            .heldHere, .dwelling, .timestampTooOld, .timestampExpired:
            nil
        }
    }
}
