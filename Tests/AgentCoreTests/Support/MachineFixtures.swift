import AgentCore
import Primitives
import Rollouts
import Telemetry
import Testing

@testable import Speech

/// Values that the machine's tests share.
enum Fixture {
    static let start = UTCTime(clamping: 1_800_000_000)

    static func bundle(_ version: String) -> BundleReference {
        guard let version = SemanticVersion(version) else { preconditionFailure("a version") }
        let seed = UInt8(truncatingIfNeeded: version.major * 16 + version.minor)
        guard let digest = SHA256Digest([UInt8](repeating: seed, count: 32)) else {
            preconditionFailure("32 bytes")
        }
        return BundleReference(version: version, sha256: digest, length: 1_000)
    }

    static let old = bundle("1.0.0")
    static let new = bundle("1.1.0")
    static let other = bundle("1.2.0")

    static func release(
        _ bundle: BundleReference, _ direction: Release.Direction = .forward,
        beacon: Bool = true, floor: SemanticVersion? = nil
    ) -> Release {
        Release(
            bundle: bundle, direction: direction, needsBeacon: beacon && direction == .forward,
            probation: direction == .forward ? ProbationTerms() : nil, burnInTurns: 10,
            rollbackFloor: floor)
    }

    static var trace: TraceID {
        guard let trace = TraceID(bytes: (1...16).map { UInt8($0) }) else {
            preconditionFailure("16 bytes")
        }
        return trace
    }

    static func attempt(
        _ bundle: BundleReference = new, previous: Slot? = .a, beacon: Bool = true
    ) -> Attempt {
        Attempt(
            release: release(bundle, beacon: beacon), slot: previous?.other ?? .a,
            previous: previous, trace: trace, deadline: start + 1_000, tries: 1)
    }

    static func polled(_ wish: Wish, isQuiet: Bool = true) -> AgentEvent {
        .polled(PollOutcome(wish: wish, trace: trace, isQuiet: isQuiet))
    }

    static let measurement = SmokeMeasurement(
        wordErrorRate: WordErrorRate(edits: 1, words: 50), utterances: 2,
        audioMilliseconds: 20_000, cpuMicroseconds: 40_000, wallP50Microseconds: 30_000,
        wallP95Microseconds: 32_000, peakResidentBytes: 60 << 20, loadMicroseconds: 9_000,
        runtimeVersion: "2.0.1")

    static func failed(_ reason: SmokeFailureReason, isLasting: Bool) -> AgentEvent {
        .probed(.failed(SmokeFailure(reason: reason, isLasting: isLasting), nil))
    }

    /// A download broke off, with so many bytes of the bundle there.
    static func broken(holding held: Int64 = 0, retryAfter: Int64? = nil) -> AgentEvent {
        .stagingFailed(.again(.unreachable, held: held, retryAfter: retryAfter))
    }

    /// A device that runs `old` from slot a, in this state.
    static func machine(
        _ state: AgentState, active: Slot? = .a, a: BundleReference? = old,
        b: BundleReference? = nil
    ) -> AgentMachine {
        var memory = MachineState(state: state)
        memory.slots = SlotTable(active: active, contents: PerSlot(a: a, b: b))
        if active != nil { memory.committed = [old] }
        return AgentMachine(memory)
    }
}
