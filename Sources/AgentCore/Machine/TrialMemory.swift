package import Primitives
package import Rollouts
import Speech

/// What this device remembers of a bundle that did not make it.
package struct Trial: Sendable, Hashable {
    package let bundle: BundleReference
    /// Smoke tests begun; counted before they start.
    package var attempts = 0
    /// Those of them whose end nobody saw.
    package var unfinished = 0
    package var troubles = 0
    /// Those of them that may be the bundle's own.
    package var bundleTroubles = 0
    package var lastTrouble: PassingTrouble?
    package var rejection: RejectionReason?
    /// When the last of these happened.
    package var at: UTCTime

    package init(bundle: BundleReference, at: UTCTime) {
        self.bundle = bundle
        self.at = at
    }

    /// Whether the bundle's own trouble came twice: *failed* for good.
    package func isExhausted(_ rules: MachineRules) -> Bool {
        bundleTroubles >= rules.mostTroubles
    }

    /// Counts a trouble.
    mutating func note(_ trouble: PassingTrouble) {
        troubles += 1
        if trouble.isOfTheBundle { bundleTroubles += 1 }
        lastTrouble = trouble
    }
}

/// Why the machine does not begin with a release that was offered.
package enum TrialRefusal: Sendable, Hashable {
    case rejected(RejectionReason)
    case failedForGood(PassingTrouble)
    /// It may be tried again from this moment on, when nobody speaks to the device.
    case waiting(PassingTrouble, until: UTCTime)
}

/// The bundles that failed here or were rejected, newest last; bounded, and rejections are kept longest.
package struct TrialMemory: Sendable, Hashable {
    package static let limit = 128

    package private(set) var trials: [Trial] = []

    package init() {}

    /// Restores what a journal held.
    package init(restoring trials: [Trial]) {
        for trial in trials { put(trial) }
    }

    package subscript(bundle: BundleReference) -> Trial? {
        trials.first { $0.bundle == bundle }
    }

    /// Changes what is remembered of a bundle, and dates it.
    package mutating func update(
        _ bundle: BundleReference, at now: UTCTime, _ change: (inout Trial) -> Void
    ) {
        var trial = self[bundle] ?? Trial(bundle: bundle, at: now)
        trial.at = now
        change(&trial)
        put(trial)
    }

    /// Clears what stands against a bundle; the number of attempts stays, so that reports go on counting.
    package mutating func lift(_ bundle: BundleReference) {
        guard let old = self[bundle] else { return }
        var trial = Trial(bundle: bundle, at: old.at)
        trial.attempts = old.attempts
        put(trial)
    }

    package mutating func forget(_ bundle: BundleReference) {
        trials.removeAll { $0.bundle == bundle }
    }

    /// Undoes what was ordered on the device.
    package mutating func forgetOrders() {
        for trial in trials where trial.rejection == .ordered { lift(trial.bundle) }
    }

    /// Why a bundle is not to be tried now; nil where it may be.
    package func refusal(
        of bundle: BundleReference, at now: UTCTime, isQuiet: Bool, rules: MachineRules
    ) -> TrialRefusal? {
        guard let trial = self[bundle] else { return nil }
        if let reason = trial.rejection { return .rejected(reason) }
        guard let trouble = trial.lastTrouble else { return nil }
        if trial.isExhausted(rules) { return .failedForGood(trouble) }
        let until = trial.at + rules.rest(afterTroubles: trial.troubles)
        guard now >= until, isQuiet else { return .waiting(trouble, until: until) }
        return nil
    }

    /// The clock was set: nothing has happened in the future.
    mutating func clockStepped(to now: UTCTime) {
        for index in trials.indices { trials[index].at = min(trials[index].at, now) }
    }

    private mutating func put(_ trial: Trial) {
        forget(trial.bundle)
        trials.append(trial)
        guard trials.count > Self.limit else { return }
        let oldest = trials.firstIndex { $0.rejection == nil } ?? trials.startIndex
        trials.remove(at: oldest)
    }
}

extension PassingTrouble {
    /// Whether the bundle itself may be at fault, so that it is tried once more and then no more.
    ///
    /// The others are of the device or the network, and are tried again ever more slowly.
    package var isOfTheBundle: Bool {
        switch self {
        case .smoke(let reason): !reason.isOfTheDevice
        case .unreachable, .insufficientStorage, .byteBudget, .wrongBytes, .refusedByRegistry,
            .leased,
            .fileSystem, .deadline, .restarts, .noSmokeTest, .activation:
            false
        }
    }
}
