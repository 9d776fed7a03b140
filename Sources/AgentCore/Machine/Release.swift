package import Health
package import Primitives
package import Rollouts
package import Telemetry

/// The bundle a device is to run, with all that the machine must know of its policy while it gets there.
package struct Release: Sendable, Hashable {
    /// Which way it leads, and so what stands in its way.
    package enum Direction: String, Sendable, Hashable {
        /// To a bundle that this device has not committed yet.
        case forward
        /// To one that it has committed before: needs no beacon and no probation, and no hold stops it.
        case back
    }

    package let bundle: BundleReference
    package let direction: Direction
    /// Whether the swap waits for an acknowledged beacon: every stage but the last.
    package let needsBeacon: Bool
    /// Whether a plan drives it, so that the policy's least dwell counts from the swap.
    package let isPlanDriven: Bool
    /// How the device watches it after the swap; nil for not at all.
    package let probation: ProbationTerms?
    /// Turns right after the swap that figures leave out: cold caches.
    package let burnInTurns: Int
    /// The oldest version to go back to, once this bundle is committed.
    package let rollbackFloor: SemanticVersion?
    /// What the policy lets the download cost; nil for no limits.
    package let download: DownloadRules?

    package init(
        bundle: BundleReference, direction: Direction, needsBeacon: Bool, isPlanDriven: Bool = true,
        probation: ProbationTerms?, burnInTurns: Int = 0, rollbackFloor: SemanticVersion? = nil,
        download: DownloadRules? = nil
    ) {
        self.bundle = bundle
        self.direction = direction
        self.needsBeacon = needsBeacon
        self.isPlanDriven = isPlanDriven
        self.probation = probation
        self.burnInTurns = burnInTurns
        self.rollbackFloor = rollbackFloor
        self.download = download
    }
}

/// The probation of a policy, and the clock that its latency gate judges by.
package struct ProbationTerms: Sendable, Hashable {
    package let probation: Probation
    package let clock: TurnClock

    package init(_ probation: Probation = Probation(), clock: TurnClock = .latency) {
        self.probation = probation
        self.clock = clock
    }

    package init(of policy: Policy) {
        let gate = policy.gates.first { $0.metric == .latencyP95 }
        self.init(policy.probation, clock: gate?.clock ?? .latency)
    }

    /// What `Health` watches by.
    package var policy: ProbationPolicy {
        var policy = ProbationPolicy()
        policy.clock = clock
        policy.turns = probation.turns
        policy.seconds = Int64(probation.seconds)
        policy.leastTurns = probation.leastTurns
        policy.mostSeconds = Int64(probation.mostSeconds)
        policy.slowRatio = Double(probation.slow) / 1_000
        policy.warmUpTurns = probation.warmUpTurns
        policy.midShare = Double(probation.midQ0) / 1_000
        policy.tailShare = Double(probation.tailQ0) / 1_000
        policy.errorShare = Double(probation.errorQ0) / 1_000
        policy.threshold = Double(probation.alarm)
        policy.firstTurns = probation.failedFirst
        policy.restarts = probation.restarts
        policy.restartSeconds = Int64(probation.restartWindow)
        policy.leastReferenceTurns = probation.referenceTurns
        return policy
    }

    /// Seconds after which the machine commits by itself, should nobody have judged.
    package var deadlineSeconds: Int64 {
        Int64(max(probation.mostSeconds, probation.seconds)) + 3_600
    }
}

extension TraceID {
    /// A new one, never all zero.
    package init(using generator: inout some RandomNumberGenerator) {
        let high = UInt64.random(in: 1...UInt64.max, using: &generator)
        let low = UInt64.random(in: 0...UInt64.max, using: &generator)
        let bytes = [high, low].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
        }
        guard let trace = TraceID(bytes: bytes) else {
            preconditionFailure("the high word is not zero")
        }
        self = trace
    }
}
