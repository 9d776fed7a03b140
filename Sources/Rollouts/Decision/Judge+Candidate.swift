import Primitives

extension Judge {
    /// Holds the plan against its policy, and finds the device's place in it.
    mutating func judgeCandidate(isNew: Bool) {
        look(
            .policyNotListed, policy != nil,
            ["path": "\(plan.policy.path)", "sha256": plan.policy.sha256.hex])
        if isNew {
            judgeManifest(plan.candidate)
            judgeRequirements(plan.candidate)
        }
        look(
            .candidateNamedAsBaseline,
            plan.baseline?.version != plan.candidate.version
                && plan.baseline?.sha256 != plan.candidate.sha256,
            ["baseline": plan.baseline.map { "\($0)" } ?? "none"])
        judgeState()
        guard let policy, let exposure else { return }
        judgeRelease(policy)
        judgeSchedule(policy)
        judgeShares(policy)
        judgePlace(policy, exposure)
    }

    private mutating func judgeState() {
        look(.rolledBack, plan.state != .rolledBack, ["state": plan.state.rawValue])
        look(.paused, plan.state != .paused, ["state": plan.state.rawValue])
        let attributes = device.attributes
        let paused = plan.paused.first { $0.contains(attributes) }
        look(.segmentPaused, paused == nil, ["segment": paused?.description ?? "none"])
        let excluded = plan.excluded.first { $0.contains(attributes) }
        look(.segmentExcluded, excluded == nil, ["segment": excluded?.description ?? "none"])
    }

    /// The policy is the candidate's, and lets it replace the baseline and what runs here.
    private mutating func judgeRelease(_ policy: Policy) {
        look(
            .policyForAnotherRelease,
            policy.model == plan.model && policy.candidate == plan.candidate,
            ["policy for": "\(policy.model) \(policy.candidate)"])
        let isReplaceable =
            plan.baseline.map { policy.mayReplace($0.version) } ?? policy.isInitial
        look(
            .baselineNotReplaceable, isReplaceable,
            [
                "baseline": plan.baseline.map { "\($0.version)" } ?? "none",
                "replaces": policy.replaces.map(\.description).joined(separator: " "),
            ])
        if let current = device.current {
            look(
                .currentNotReplaceable, policy.mayReplace(current.version),
                ["current": "\(current.version)"])
        } else {
            look(
                .firstInstallTakesBaseline, plan.baseline == nil || plan.state == .completed,
                ["state": plan.state.rawValue])
        }
    }

    /// The least soak times count from the policy's own `not_before`, whatever the plan claims.
    private mutating func judgeSchedule(_ policy: Policy) {
        judgeNotBefore(policy)
        let count = plan.stages.count
        look(.noStageBegun, count > 0, ["begun": "\(count)"])
        look(
            .noSuchStage, count <= policy.stages.count,
            ["begun": "\(count)", "stages": "\(policy.stages.count)"])
        let earliest = policy.earliest(ofStage: count - 1)
        look(
            .stageTooEarly, now >= earliest, until: earliest,
            ["stage": "\(count - 1)", "earliest": "\(earliest)"])
        if plan.state == .completed {
            look(
                .completedTooEarly, now >= policy.matures && count == policy.stages.count,
                ["earliest": "\(policy.matures)", "begun": "\(count)"])
        } else {
            look(.afterNotAfter, now <= policy.notAfter, ["not after": "\(policy.notAfter)"])
        }
        for stage in policy.stages.prefix(count) where stage.promote == .signed {
            let approval = Approval(
                model: plan.model, policy: plan.policy.sha256, stage: stage.name)
            look(
                .approvalMissing, listing.approvals.contains(approval),
                ["stage": "\(stage.name)"])
        }
    }

    /// No share above its stage's cap, and the hold-back as it was signed, in any cohort.
    private mutating func judgeShares(_ policy: Policy) {
        for (begun, stage) in zip(plan.stages, policy.stages) {
            let highest = begun.shares.max { ($0.value, $1.key) < ($1.value, $0.key) }
            look(
                .shareAboveCap, (highest?.value ?? .none) <= stage.quota.cap,
                [
                    "stage": "\(stage.name)", "cap": "\(stage.quota.cap)",
                    "highest": highest.map { "\($0.value) in \($0.key)" } ?? "as signed",
                ])
        }
        let quota = policy.holdBack
        let wrong = plan.holdBack.filter { $0.value < quota.share || $0.value > quota.cap }
            .min { $0.key < $1.key }
        look(
            .holdBackNotAsSigned, wrong == nil,
            [
                "share": "\(quota.share)", "cap": "\(quota.cap)",
                "found": wrong.map { "\($0.value) in \($0.key)" } ?? "as signed",
            ])
    }

    private mutating func judgePlace(_ policy: Policy, _ exposure: Exposure) {
        guard !plan.stages.isEmpty else { return }
        look(.outsideWhere, exposure.isInWhere, place)
        guard exposure.isInWhere else { return }
        look(
            .heldBack, !exposure.isHeldBack,
            ["bucket": "\(exposure.bucket)", "held back": "\(exposure.held)"])
        guard !exposure.isHeldBack else { return }
        look(
            .notInShare, exposure.stage != nil,
            ["bucket": "\(exposure.bucket)", "share": "\(exposure.share)"])
        guard let starts = exposure.starts else { return }
        look(.notYetInRamp, now >= starts, until: starts, ["starts": "\(starts)"])
    }
}
