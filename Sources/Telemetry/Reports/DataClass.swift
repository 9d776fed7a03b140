/// What kind of data a field of a report is, and with it how long a registry keeps it.
package enum DataClass: String, Sendable, Hashable, CaseIterable {
    /// Pseudonyms that join a device's reports.
    case pseudonym
    /// What the device's owner configured.
    case attribute
    /// Versions, states and reasons of the update itself.
    case update
    /// How much and how well the model was used, as counts and sketches.
    case usage
    /// Figures of the packaged utterances, which nobody spoke.
    case smoke
    /// The device's surroundings.
    case environment
    /// What only makes the report readable and its signature checkable.
    case envelope

    /// Seconds from arrival until a registry must have deleted a field of this class; 30 days unless noted.
    package var retentionSeconds: Int64 {
        switch self {
        case .environment: 7 * 86_400
        case .pseudonym, .attribute, .update, .usage, .smoke, .envelope: 30 * 86_400
        }
    }
}

/// A field of the report with its class: the table that `docs/formats/report.md` prints.
package struct ReportField: Sendable, Hashable {
    /// The name in `signed`, inner fields after a dot.
    package let path: String
    package let dataClass: DataClass

    /// Every field there is; a test compares it with what reports hold.
    package static let all: [ReportField] =
        fields(.envelope, ["context", "schema", "schema_hash", "kind", "made_at"])
        + fields(.pseudonym, ["device", "epoch", "sequence", "attempt.trace"])
        + fields(
            .attribute,
            [
                "attributes.number", "attributes.region", "attributes.device_class",
                "attributes.labels", "attributes.locale",
            ])
        + fields(
            .update,
            [
                "model", "channel", "version", "candidate", "rollout.plan", "rollout.stage",
                "rollout.arm", "rollout.window", "attempt.number", "state", "reasons", "uptime_s",
                "exposed_at", "counting_since", "probation.channel", "probation.bad",
                "probation.turns", "probation.ln_e",
            ])
        + fields(
            .usage,
            counters("counters")
                + ["latency_ms", "cpu_ms", "parts_us.capture", "parts_us.inference"]
                + ["parts_us.post_processing", "parts_us.transport", "memory_peak_kib"]
                + ["wer_proxy.thousandths", "wer_proxy.turns"]
                + ["reference.version", "reference.memory_peak_kib", "reference.wer"]
                + ["reference.ln_p50_latency_ms", "reference.ln_p95_latency_ms"]
                + ["reference.ln_p50_cpu_ms", "reference.ln_p95_cpu_ms"]
                + counters("reference.counters"))
        + fields(
            .smoke,
            [
                "smoke.outcome", "smoke.utterances", "smoke.wer", "smoke.cpu_us_per_audio_s",
                "smoke.p50_us", "smoke.p95_us", "smoke.memory_peak_kib",
            ])
        + fields(.environment, ["temperature_c_tenths", "battery_percent", "microphone"])

    private static func fields(_ dataClass: DataClass, _ paths: [String]) -> [ReportField] {
        paths.map { ReportField(path: $0, dataClass: dataClass) }
    }

    private static func counters(_ prefix: String) -> [String] {
        [
            "turns", "errors", "escalations", "false_positives", "abandoned", "retries", "crashes",
        ].map { "\(prefix).\($0)" }
    }
}
