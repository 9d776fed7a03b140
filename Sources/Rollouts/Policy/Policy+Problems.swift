import Primitives

extension Policy {
    /// Everything that is wrong with a policy, at once; none where it makes sense.
    ///
    /// `policy check` and `rollout create` refuse a policy with any. Whether the gates can reach their
    /// evidence in a fleet of a given size is not looked at here but by `Health`.
    package func problems(in context: PolicyContext = PolicyContext()) -> [PolicyProblem] {
        var check = PolicyCheck(policy: self)
        check.stages()
        check.shares()
        check.schedule()
        check.gates()
        check.parameters()
        check.fleet(context)
        check.candidate(context)
        return check.problems
    }
}

/// Collects the problems of one policy.
private struct PolicyCheck {
    let policy: Policy
    private(set) var problems: [PolicyProblem] = []

    init(policy: Policy) { self.policy = policy }

    private mutating func expect(
        _ isRight: Bool, _ code: PolicyProblem.Code, _ path: String, _ expected: String,
        _ found: String
    ) {
        guard !isRight else { return }
        problems.append(
            PolicyProblem(code: code, path: path, expected: expected, found: found))
    }

    mutating func stages() {
        expect(!policy.stages.isEmpty, .noStages, "stages", "at least one stage", "none")
        var names: Set<AttributeName> = []
        for (index, stage) in policy.stages.enumerated() {
            let isNew = names.insert(stage.name).inserted
            expect(
                isNew, .stageNamedTwice, "stages[\(index)].name", "each name once",
                "'\(stage.name)' again")
        }
        for (index, (one, next)) in zip(policy.stages, policy.stages.dropFirst()).enumerated() {
            let path = "stages[\(index + 1)]"
            expect(
                next.quota.share >= one.quota.share, .shareShrinks, "\(path).share",
                "at least \(one.quota.share), as in the stage before", "\(next.quota.share)")
            expect(
                next.quota.cap >= one.quota.cap, .capShrinks, "\(path).cap",
                "at least \(one.quota.cap), as in the stage before", "\(next.quota.cap)")
            expect(
                next.where.covers(one.where), .whereShrinks, "\(path).where",
                "all that the stage before reaches", "less")
            expect(
                next.quota.leastDevices >= one.quota.leastDevices
                    || next.quota.share > one.quota.share,
                .shareShrinks, "\(path).least_devices",
                "at least \(one.quota.leastDevices), as in the stage before",
                "\(next.quota.leastDevices)")
            let isSame =
                next.quota.share == one.quota.share
                && next.quota.leastDevices <= one.quota.leastDevices && next.where == one.where
            expect(
                !isSame, .stageAddsNobody, path, "a larger share or a wider where",
                "the same devices as in the stage before")
        }
        for (index, stage) in policy.stages.enumerated() {
            expect(
                stage.quota.share > .none || stage.quota.leastDevices > 0, .stageAddsNobody,
                "stages[\(index)].share", "some devices", "none")
        }
    }

    /// Caps, and that treated devices and the hold-back cannot be the same.
    mutating func shares() {
        let held = policy.holdBack
        expect(
            held.cap >= held.share, .capBelowShare, "hold_back.cap", "at least \(held.share)",
            "\(held.cap)")
        if policy.isInitial {
            expect(
                held == .none, .controlOfFirstRelease, "hold_back",
                "nothing: a first release has no control", "\(held.share)")
        } else {
            expect(
                held.share > .none || (held.leastDevices > 0 && held.cap > .none), .noControl,
                "hold_back", "some devices that stay on the baseline", "none")
        }
        for (index, stage) in policy.stages.enumerated() {
            let path = "stages[\(index)].cap"
            let quota = stage.quota
            expect(
                quota.cap >= quota.share, .capBelowShare, path, "at least \(quota.share)",
                "\(quota.cap)")
            // A last stage of 100% is all but the hold-back.
            let isAllButControl = index == policy.stages.count - 1 && quota.share == .all
            expect(
                isAllButControl || quota.cap.value + held.cap.value <= 10_000, .armsOverlap, path,
                "at most 100% together with the hold-back's cap of \(held.cap)", "\(quota.cap)")
        }
    }

    mutating func schedule() {
        expect(
            policy.notBefore < policy.notAfter, .notAfterTooEarly, "not_after",
            "after not_before, \(policy.notBefore)", "\(policy.notAfter)")
        for (index, stage) in policy.stages.enumerated() {
            let path = "stages[\(index)]"
            expect(
                stage.leastSoak <= stage.mostSoak, .soakEndsBeforeItBegins, "\(path).most_soak_s",
                "at least \(stage.leastSoak)", "\(stage.mostSoak)")
            expect(
                stage.ramp <= stage.leastSoak, .rampLongerThanSoak, "\(path).ramp_s",
                "at most the least soak, \(stage.leastSoak)", "\(stage.ramp)")
            expect(
                policy.burnInSeconds < stage.leastSoak, .soakWithinBurnIn, "\(path).least_soak_s",
                "more than the burn-in, \(policy.burnInSeconds)", "\(stage.leastSoak)")
            expect(
                policy.checkInDeadline <= stage.leastSoak, .soakWithinDeadline,
                "\(path).least_soak_s",
                "at least the check-in deadline, \(policy.checkInDeadline): silence is evidence",
                "\(stage.leastSoak)")
            let earliest = policy.earliest(ofStage: index)
            expect(
                index == 0 || earliest < policy.notAfter, .stageUnreachable, path,
                "a start before not_after, \(policy.notAfter)", "\(earliest) at the earliest")
        }
        expect(
            policy.checkInDeadline >= 2 * policy.reportInterval, .deadlineTooShort,
            "check_in_deadline_s", "at least twice the report interval, \(policy.reportInterval)",
            "\(policy.checkInDeadline)")
        burnInTurns()
    }

    /// Not even the busiest device would have a turn that counts.
    private mutating func burnInTurns() {
        guard let stage = policy.stages.min(by: { $0.mostSoak < $1.mostSoak }) else { return }
        let most = Policy.mostTurnsPerDay * stage.mostSoak / 86_400
        expect(
            policy.burnInTurns == 0 || policy.burnInTurns < most, .soakWithinBurnInTurns,
            "burn_in.turns",
            "fewer than \(most), the turns of a device that has \(Policy.mostTurnsPerDay) a day in the most soak of "
                + "stage '\(stage.name)'", "\(policy.burnInTurns)")
    }

    mutating func gates() {
        expect(!policy.gates.isEmpty, .noGates, "gates", "at least one", "none")
        var seen: Set<Metric> = []
        for (index, gate) in policy.gates.enumerated() {
            let isNew = seen.insert(gate.metric).inserted
            expect(
                isNew, .gateTwice, "gates[\(index)].metric", "each metric once",
                "'\(gate.metric.rawValue)' again")
            let limit = gate.limit ?? .max
            expect(
                gate.accepted < limit, .acceptedReachesLimit, "gates[\(index)].accepted",
                "less than the limit, \(limit)", "\(gate.accepted)")
        }
        for (index, stage) in policy.stages.enumerated() {
            for (metric, spot) in stage.requiredBlindSpot.sorted(by: { $0.key < $1.key }) {
                let path = "stages[\(index)].required_blind_spot.\(metric.rawValue)"
                expect(
                    seen.contains(metric) && metric.test != .once, .blindSpotWithoutGate, path,
                    "a metric with a gate and a limit", "one without")
                blindSpot(metric, spot, path)
            }
            // A first release has no control, and so nothing that a comparison could show.
            let isLeftToGate = policy.stages.dropFirst(index + 1).first?.promote ?? .auto == .auto
            expect(
                policy.isInitial || !isLeftToGate || !stage.requiredBlindSpot.isEmpty,
                .noEvidenceRequired, "stages[\(index)].required_blind_spot",
                "a metric that it must see, as the gate alone decides what follows", "none")
        }
    }

    /// What a stage must see is a worsening that there can be: a ratio above 1, or a share of turns.
    private mutating func blindSpot(_ metric: Metric, _ thousandths: Int, _ path: String) {
        switch metric.test {
        case .continuous:
            expect(
                (1_001...10_000).contains(thousandths), .blindSpotOutOfRange, path,
                "a ratio above 1.00 and up to 10.00", "\(thousandths) thousandths")
        case .rate:
            expect(
                (1...500).contains(thousandths), .blindSpotOutOfRange, path,
                "a share of turns up to 50%", "\(thousandths) thousandths")
        case .once: break
        }
    }

    mutating func parameters() {
        let statistics = policy.statistics
        expect(
            statistics.alpha < statistics.alphaPause, .alphaAbovePause, "statistics.alpha",
            "less than alpha_pause, \(statistics.alphaPause)", "\(statistics.alpha)")
        expect(
            statistics.pauseFraction <= statistics.sizeFraction, .pauseAboveSize,
            "statistics.pause_fraction", "at most size_fraction, \(statistics.sizeFraction)",
            "\(statistics.pauseFraction)")
        let probation = policy.probation
        expect(
            probation.leastTurns <= probation.turns, .probationEndsBeforeItBegins,
            "probation.least_turns", "at most turns, \(probation.turns)",
            "\(probation.leastTurns)")
        expect(
            probation.seconds <= probation.mostSeconds, .probationEndsBeforeItBegins,
            "probation.most_s", "at least seconds, \(probation.seconds)",
            "\(probation.mostSeconds)")
        let version = policy.candidate.version
        expect(
            !policy.mayReplace(version), .replacesItself, "replaces",
            "versions other than the candidate's", "\(version)")
    }

    /// The names that stages use are names that devices have.
    mutating func fleet(_ context: PolicyContext) {
        for (index, stage) in policy.stages.enumerated() {
            let path = "stages[\(index)].where"
            let count = problems.count
            known(stage.where.regions, context.regions, .unknownRegion, "\(path).regions")
            known(
                stage.where.deviceClasses, context.deviceClasses, .unknownDeviceClass,
                "\(path).device_classes")
            known(stage.where.labels, context.labels, .unknownLabel, "\(path).labels")
            known(stage.where.locales, context.locales, .unknownLocale, "\(path).locales")
            guard problems.count == count, let fleet = context.fleet, !fleet.isEmpty else {
                continue
            }
            expect(
                fleet.contains(where: stage.where.contains), .stageReachesNobody, path,
                "a device of the fleet that has all of it", "none")
        }
    }

    private mutating func known(
        _ names: [AttributeName], _ known: Set<AttributeName>?, _ code: PolicyProblem.Code,
        _ path: String
    ) {
        guard let known else { return }
        let list = known.sorted().map(\.description).joined(separator: ", ")
        for name in names {
            expect(
                known.contains(name), code, path, list.isEmpty ? "a known one" : "one of \(list)",
                "'\(name)'")
        }
    }

    mutating func candidate(_ context: PolicyContext) {
        problems += context.problems(of: policy.candidate)
        if let now = context.now {
            expect(
                now < policy.notAfter, .over, "not_after", "a moment to come",
                "\(policy.notAfter)")
        }
    }
}

extension PolicyContext {
    /// What stands against a bundle whatever its policy says: it is not signed, withdrawn, or below the floor.
    package func problems(of candidate: BundleReference) -> [PolicyProblem] {
        var problems: [PolicyProblem] = []
        if let manifests {
            let listed = manifests[candidate.version]
            if listed != candidate.sha256 {
                problems.append(
                    PolicyProblem(
                        code: .candidateNotSigned, path: "candidate",
                        expected: listed.map { "the manifest that is signed, \($0)" }
                            ?? "a signed manifest", found: "\(candidate.sha256)"))
            }
        }
        let isWithdrawn = withdrawn.contains {
            $0.version == candidate.version || $0.sha256 == candidate.sha256
        }
        if isWithdrawn {
            problems.append(
                PolicyProblem(
                    code: .candidateWithdrawn, path: "candidate.version",
                    expected: "a version that is not withdrawn", found: "\(candidate.version)"))
        }
        if let rollbackFloor, candidate.version < rollbackFloor {
            problems.append(
                PolicyProblem(
                    code: .candidateBelowFloor, path: "candidate.version",
                    expected: "at least the rollback floor, \(rollbackFloor)",
                    found: "\(candidate.version)"))
        }
        return problems
    }
}
