import Primitives

/// The defaults of a policy, in the one place where they are filled in; the figures are those of `docs/formats/policy.md`.
///
/// A signed policy has every field, so that a later program with other defaults reads it the same.
package enum PolicyDefaults {
    /// Seconds between two plan-driven swaps forward of one device.
    package static let minDwell: Int64 = 21_600
    /// Seconds since the timestamp was signed.
    package static let freshness: Int64 = 86_400
    /// Seconds from `not_before` to `not_after`.
    static let lasts: Int64 = 90 * 86_400

    /// `beta` 1%, `canary` 10%, `stable` 100%.
    static let stages: [JSON] = [
        stage("beta", share: 100, least: 10, cap: 2_500, latency: 2_000, errors: 80),
        stage("canary", share: 1_000, least: 20, cap: 5_000, latency: 1_600, errors: 50),
        stage("stable", share: 10_000, least: 0, cap: 10_000, latency: 1_300, errors: 30),
    ]

    /// What a stage takes by its place: the last from `stable`, the first from `beta`, all others from
    /// `canary`; its name is its own.
    static func stage(at index: Int, of count: Int) -> JSON {
        let template = index == count - 1 ? stages[2] : index == 0 ? stages[0] : stages[1]
        guard case .object(var fields) = template else { return template }
        fields["name"] = nil
        return .object(fields)
    }

    /// All metrics; those of test C have no limit of their own.
    static let gates: [JSON] = [
        gate(.latencyP95, limit: 1_300, ["clock": "latency_ms"]),
        gate(.errors, limit: 1_500, ["absolute": 50]),
        gate(.falsePositives, limit: 1_150),
        gate(.escalations, limit: 1_200),
        gate(.abandonment, limit: 1_200),
        gate(.werProxy, limit: 1_300),
        gate(.memoryPerTurn, limit: 1_500),
        gate(.cpuPerTurn, limit: 1_500),
        gate(.attemptsFailed), gate(.jumped), gate(.localRollbacks), gate(.silent),
    ]

    /// Everything but the model, the candidate and what it replaces.
    static func document(notBefore: UTCTime, isInitial: Bool) -> JSON {
        let holdBack = Quota(
            share: BasisPoints(clamping: 500), leastDevices: 50, cap: BasisPoints(clamping: 2_500))
        return [
            "schema": .string(Policy.schema), "not_before": .integer(notBefore.seconds),
            "not_after": .integer((notBefore + lasts).seconds),
            "hold_back": (isInitial ? .none : holdBack).json,
            "statistics": Statistics().json, "burn_in": ["seconds": 10_800, "turns": 10],
            "check_in_deadline_s": 43_200, "report_interval_s": 3_600, "gate_interval_s": 900,
            "probation": Probation().json, "on_insufficient_evidence": "pause",
            "excludable": .array(Segment.Kind.allCases.map { .string($0.rawValue) }),
            "download": DownloadRules().json, "min_dwell_s": .integer(minDwell),
            "freshness_s": .integer(freshness), "max_pins": 0, "rehearsal": false,
        ]
    }

    private static func stage(
        _ name: String, share: Int64, least: Int64, cap: Int64, latency: Int64, errors: Int64
    ) -> JSON {
        [
            "name": .string(name), "share": .integer(share), "least_devices": .integer(least),
            "cap": .integer(cap), "where": Where.everywhere.json, "least_soak_s": 86_400,
            "most_soak_s": 259_200, "ramp_s": 0, "promote": "auto",
            "required_blind_spot": ["latency_p95": .integer(latency), "errors": .integer(errors)],
        ]
    }

    private static func gate(
        _ metric: Metric, limit: Int? = nil, _ more: JSONObject = [:]
    ) -> JSON {
        var fields: JSONObject = [
            "metric": .string(metric.rawValue), "direction": "higher_is_worse",
        ]
        if let limit {
            fields["limit"] = .integer(limit)
            fields["accepted"] = 1_000
        }
        return .object(fields.merging(more) { _, last in last })
    }
}
