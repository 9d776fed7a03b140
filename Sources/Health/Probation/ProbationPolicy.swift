package import Primitives
package import Telemetry

/// How long and how strictly a device watches a new version; defaults of docs/formats/policy.md.
package struct ProbationPolicy: Sendable, Hashable {
    /// Which duration of a turn is judged.
    package var clock: TurnClock = .latency
    /// The device commits after this many turns.
    package var turns = 240
    /// Or after this long, in seconds, with at least `leastTurns`.
    package var seconds: Int64 = 7 * 86_400
    package var leastTurns = 40
    /// With fewer turns it watches up to this long, then commits unproven.
    package var mostSeconds: Int64 = 14 * 86_400
    /// A turn is slow above this many times the reference.
    package var slowRatio = 1.30
    /// Turns after the swap that neither slow channel counts: cold caches.
    package var warmUpTurns = 10
    /// Shares of slow turns that are no reason to go back, far above what no change gives.
    package var midShare = 0.45
    package var tailShare = 0.12
    /// The share of failed turns that is no reason to go back, however few the reference had.
    package var errorShare = 0.03
    /// The device goes back when any channel's E reaches this: 3 channels at 0.1%.
    package var threshold = 3_000.0
    /// This many turns, all failed, right after the swap are enough.
    package var firstTurns = 3
    /// This many restarts of the model's process within `restartSeconds` are enough.
    package var restarts = 2
    package var restartSeconds: Int64 = 600
    /// A reference of fewer turns is none: then only the error channel and the hard rules judge.
    package var leastReferenceTurns = 30

    package init() {}
}

/// What the watching device should do.
package enum ProbationVerdict: Sendable, Hashable {
    case watching
    /// No alarm. Unproven: the time ran out with fewer turns than it takes.
    case commit(unproven: Bool)
    /// Go back, and never take this version again; evidence where a channel's counters speak.
    case rollBack(ReasonCode, ProbationEvidence?)
}
