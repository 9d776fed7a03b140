import Rollouts

extension AgentDriver {
    /// Why this device's own memory keeps it from what the plan wants; nil where nothing does.
    package var localRefusal: String? {
        guard case .run(let release) = judgement?.wish, let now = lastPoll else { return nil }
        let refusal = machine.memory.trials.refusal(
            of: release.bundle, at: now, isQuiet: isQuiet(now), rules: settings.rules)
        return refusal.map { $0.words(release.bundle) }
    }
}

extension TrialRefusal {
    fileprivate func words(_ bundle: BundleReference) -> String {
        switch self {
        case .rejected(let reason):
            "version \(bundle.version) was rejected here (\(reason)); only the release keys lift that"
        case .failedForGood(let trouble):
            "version \(bundle.version) failed here twice (\(trouble)); only the release keys lift that"
        case .waiting(let trouble, let until):
            "version \(bundle.version) failed here (\(trouble)); it is tried again when quiet, "
                + "not before \(until)"
        }
    }
}

extension AgentMachine {
    /// Whether an ordered rollback has anything to go back to, or to give up.
    package var canRollBack: Bool {
        if state.attempt != nil { return true }
        return memory.slots.idleBundle.map { memory.isFit($0) } ?? false
    }
}
