package import Rollouts
import TUF
package import Telemetry

/// What keeps a device where it is while nothing happens: said in its periodic reports and with its transitions.
package enum StandingReasons {
    /// What is the matter, as a report may say it.
    ///
    /// - Parameters:
    ///   - isHeld: an order on the device keeps it there.
    ///   - material: from the newest poll that succeeded; expired offline roles are used, and told.
    ///   - error: why the newest poll failed, where it did. A registry out of reach is no reason: the
    ///     report that says so would not arrive either.
    ///   - decision: the newest one.
    /// - Returns: codes, each once, in the order of the enumeration.
    package static func codes(
        isHeld: Bool, material: PollMaterial?, error: PollError?, decision: Decision?
    ) -> [ReasonCode] {
        var codes = Set(decision?.refusals.compactMap { code($0) } ?? [])
        if isHeld { codes.insert(.heldOnDevice) }
        if material?.expiredOfflineRoles.isEmpty == false { codes.insert(.metadataExpired) }
        if let code = error.flatMap({ code($0) }) { codes.insert(code) }
        return ReasonCode.allCases.filter(codes.contains)
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
