import Glibc
import Health
import Primitives
import Telemetry
import TestSupport

/// Samples and parameters that several suites share.
enum GateFixtures {
    static let began = UTCTime(clamping: 1_800_000_000)
    static let hub = cohort("eu/hub")

    static func cohort(_ text: String) -> Cohort {
        guard let cohort = Cohort(text) else { preconditionFailure("no cohort: \(text)") }
        return cohort
    }

    /// Seven tests, three stages, all of alpha for the fleet: the rule as the vectors were made with.
    static func asInGate() -> GateParameters {
        var parameters = GateParameters()
        let active: Set<GateMetric> = [
            .latencyP95, .falsePositives, .errors, .escalations, .abandonment, .silent, .jumped,
        ]
        parameters.rules = parameters.rules.filter { active.contains($0.metric) }
        parameters.pauseFraction = 0
        parameters.burnInTurns = 0
        return parameters
    }

    static func device(_ number: Int) -> DeviceID {
        let bytes = [
            UInt8(truncatingIfNeeded: number >> 24), UInt8(truncatingIfNeeded: number >> 16),
            UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number),
        ]
        guard let device = DeviceID(bytes: bytes + [UInt8](repeating: 0, count: 12)) else {
            preconditionFailure("a device id has 16 bytes")
        }
        return device
    }

    /// A device that is exposed, heard, and as good as it was.
    static func sample(
        _ number: Int, _ arm: Arm, cohort: Cohort = hub, turns: Int64 = 42, lnP95: Double? = nil,
        reference: Double? = nil
    ) -> DeviceSample {
        var sample = DeviceSample(device: device(number), cohort: cohort, arm: arm)
        sample.counters.turns = turns
        sample.lnP95[.latency] = lnP95
        if let reference {
            sample.reference = ReferenceSample(turns: 280)
            sample.reference?.lnP95[.latency] = reference
        }
        sample.exposedAt = began
        sample.lastHeard = began + 3_600
        return sample
    }

    static func evidence(
        _ samples: [DeviceSample], hours: Int64 = 24, stage: Int = 0, isLast: Bool = false
    ) -> StageEvidence {
        StageEvidence(
            began: began, now: began + hours * 3_600, isLast: isLast,
            requirements: .standard(stage: stage), samples: samples)
    }

    /// Test A's vector: values already adjusted, so every reference is alike and the slope falls out.
    static func vectorA() -> StageEvidence {
        let treated = [0.31, 0.22, 0.44, 0.18, 0.36]
        let control = [0.02, -0.11, 0.07, 0.15, -0.04, 0.03, -0.08, 0.12, 0.00, -0.05]
        let samples =
            treated.enumerated().map { index, value in
                sample(2 * index + 1, .treated, lnP95: 6 + value, reference: 6)
            }
            + control.enumerated().map { index, value in
                sample(100 + index, .control, lnP95: 6 + value, reference: 6)
            }
        return evidence(samples)
    }

    /// Test B's vector: 6% of a weight of 300 against 1% of a weight of 5,000, dispersed by 1.0 and 1.1.
    ///
    /// A device of 1 turn weighs 1, and one of 21 turns 15.
    static func vectorB() -> StageEvidence {
        let treated =
            devices(142, turns: 1, errors: 0) + devices(8, turns: 1, errors: 1)
            + devices(6, turns: 21, errors: 1) + devices(4, turns: 21, errors: 2)
        let control =
            devices(3_755, turns: 1, errors: 0) + devices(45, turns: 1, errors: 1)
            + devices(77, turns: 21, errors: 0) + devices(1, turns: 21, errors: 1)
            + devices(2, turns: 21, errors: 3)
        let samples = (treated + control).enumerated().map { index, device in
            var sample = sample(
                index + 1, index < treated.count ? .treated : .control, turns: device.turns)
            sample.counters.errors = device.errors
            return sample
        }
        return evidence(samples)
    }

    private static func devices(
        _ count: Int, turns: Int64, errors: Int64
    ) -> [(turns: Int64, errors: Int64)] {
        Array(repeating: (turns, errors), count: count)
    }
}
